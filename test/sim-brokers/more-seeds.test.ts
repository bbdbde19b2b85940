import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failuresOf, seedsFrom } from './run-seeds.ts'

const FIRST = 501
const SEED_COUNT = 500

test(`whole brokers keep every promise in ${SEED_COUNT} more seeds`, { timeout: 600_000 }, async () => {
  assert.deepEqual(await failuresOf(seedsFrom(FIRST, SEED_COUNT)), [])
})
