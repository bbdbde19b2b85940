import { test } from 'node:test'
import { TARGETS } from './targets.ts'

/** New cases in each run would make a change look guilty of what it did not do; the long form draws others. */
const SEED = 20_261_122

for (const target of TARGETS) {
  test(`fuzzing finds nothing: ${target.name}`, async (t) => {
    await target.run({ cases: target.boundedCases, seed: SEED, scope: t })
  })
}
