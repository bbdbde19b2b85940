import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { seedCount } from '../support/seed-count.ts'
import { runSeed } from './world.ts'

const SEED_COUNT = seedCount(2_000)
/** From the sources: the build does not copy text files. */
const KEPT_SEEDS = 'test/sim/seeds.txt'

async function failures(seeds: Iterable<number>): Promise<string[]> {
  const failed: string[] = []
  for (const seed of seeds) {
    const { violation } = await runSeed(seed)
    if (violation !== undefined) failed.push(`seed ${seed}: ${violation.message}`)
  }
  return failed
}

function* upTo(count: number): Generator<number> {
  for (let seed = 1; seed <= count; seed++) yield seed
}

test('gives the same trace hash for the same seed, and another one for another seed', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const first = await runSeed(seed)
    const second = await runSeed(seed)
    const other = await runSeed(seed + 1000)
    assert.equal(second.hash, first.hash, `seed ${seed}`)
    assert.equal(second.eventCount, first.eventCount)
    assert.notEqual(other.hash, first.hash)
  }
})

test('keeps every rule in every seed that ever failed', async () => {
  const lines = readFileSync(KEPT_SEEDS, 'utf8').split('\n')
  const seeds = lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10))
  assert.deepEqual(await failures(seeds), [])
})

test(
  `keeps every rule and makes progress after healing in ${SEED_COUNT} seeds`,
  { timeout: 900_000 },
  async () => {
    assert.deepEqual(await failures(upTo(SEED_COUNT)), [])
  },
)
