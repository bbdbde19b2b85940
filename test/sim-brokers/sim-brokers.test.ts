import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { seedCount } from '../support/seed-count.ts'
import { FAULTS } from './faults.ts'
import { NO_MUTANT } from './mutant.ts'
import { failuresOf, seedsFrom } from './run-seeds.ts'
import { runBrokers } from './world.ts'

/** The other half runs in a file of its own, so that two cores share the work. */
const FIRST = 1
const SEED_COUNT = seedCount(500)
/** From the sources: the build does not copy text files. */
const KEPT_SEEDS = 'test/sim-brokers/seeds.txt'

test('whole brokers give the same trace hash for the same seed, and another one for another seed', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const first = await runBrokers(seed)
    const second = await runBrokers(seed)
    const other = await runBrokers(seed + 1000)
    assert.equal(second.hash, first.hash, `seed ${seed}`)
    assert.equal(second.eventCount, first.eventCount)
    assert.notEqual(other.hash, first.hash)
  }
})

test('every kind of fault strikes, every kind of absence is gone through, and records are stored', async () => {
  const struck = new Set<string>()
  let storedCount = 0
  for (const seed of seedsFrom(1, 60)) {
    const report = await runBrokers(seed)
    for (const name of report.struck) struck.add(name)
    storedCount += report.storedCount
  }
  const absences = ['down', 'isolated', 'stalled', 'paused']
  const harms = ['trim', 'retention', 'repair']
  for (const name of [...FAULTS.map((fault) => fault.name), ...absences, ...harms])
    assert.ok(struck.has(name), `Nothing was heard of '${name}'.`)
  assert.ok(storedCount > 600, `Only ${storedCount} records were stored.`)
})

test('each way to spoil a disk strikes, and its broker becomes a member again', async () => {
  for (const harm of ['wipe', 'lie', 'restore'] as const) {
    const spoiled = { ...NO_MUTANT, swarm: { brokerCount: 3, harm, rotEveryMs: Infinity, rotAtRestMax: 0 } }
    const struck = new Set<string>()
    for (const seed of seedsFrom(1, 3)) {
      const report = await runBrokers(seed, { mutant: spoiled })
      assert.equal(report.violation?.message, undefined, `seed ${seed}, ${harm}`)
      for (const name of report.struck) struck.add(name)
    }
    assert.ok(struck.has(harm), `Nothing was heard of '${harm}'.`)
  }
})

test('whole brokers keep every promise in every seed that ever failed', async () => {
  const lines = readFileSync(KEPT_SEEDS, 'utf8').split('\n')
  const seeds = lines.filter((line) => /^\d/.test(line)).map((line) => Number.parseInt(line, 10))
  assert.deepEqual(await failuresOf(seeds), [])
})

test(`whole brokers keep every promise in ${SEED_COUNT} seeds`, { timeout: 900_000 }, async () => {
  assert.deepEqual(await failuresOf(seedsFrom(FIRST, SEED_COUNT)), [])
})
