import { test } from 'node:test'
import { chaos } from './chaos.ts'

const FIRST = Number(process.env['CHAOS_FIRST'] ?? 1)
const COUNT = Number(process.env['CHAOS_COUNT'] ?? 6)

for (let seed = FIRST; seed < FIRST + COUNT; seed++) {
  test(`a cluster under faults keeps what it said, seed ${seed}`, async (t) => {
    const { stored, unknown } = await chaos(t, seed)
    t.diagnostic(`${stored} stored, ${unknown} unknown`)
  })
}
