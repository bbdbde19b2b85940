import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedCount } from '../support/seed-count.ts'
import { failuresOf, seedsFrom } from './run-seeds.ts'

const FIRST = 501
const SEED_COUNT = seedCount(500)

test(`whole brokers keep every promise in ${SEED_COUNT} more seeds`, { timeout: 900_000 }, async () => {
  assert.deepEqual(await failuresOf(seedsFrom(FIRST, SEED_COUNT)), [])
})
