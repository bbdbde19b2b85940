import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG, type Topic } from '../../src/types/topic.ts'
import { Judge, Violation } from '../sim/judge.ts'
import { TrimTruth } from './trim-truth.ts'

const TOPIC: Topic = {
  id: topicId('t1'),
  name: 'orders',
  config: DEFAULT_TOPIC_CONFIG,
  partitions: [],
  createdAtMs: 0,
  revision: 1,
}

/** Records 0 to 2 were stored at 100, 200 and 300. */
function truth(retentionMs: number | null, latestWallMs = 1_000): TrimTruth {
  const trims = new TrimTruth({
    judge: new Judge(),
    latestWallMs: () => latestWallMs,
    retentionMs: () => retentionMs,
  })
  for (const offset of [0, 1, 2]) trims.stored(TOPIC, 0, { offset, atMs: 100 * (offset + 1) })
  return trims
}

function isBroken(run: () => void): void {
  assert.throws(run, (error: unknown) => error instanceof Violation && error.rule === 'retention')
}

test('without retention and without an order a partition that begins later is a violation', () => {
  truth(null).told(TOPIC, 0, 0)
  isBroken(() => truth(null).told(TOPIC, 0, 1))
})

test('what somebody ordered may be gone, and no record more', () => {
  const trims = truth(null)
  trims.ordered(TOPIC, 0, 2)
  trims.told(TOPIC, 0, 2)
  isBroken(() => trims.told(TOPIC, 0, 3))
})

test('only records that are old by the most hasty clock may be gone', () => {
  const trims = truth(800)
  trims.told(TOPIC, 0, 2)
  isBroken(() => trims.told(TOPIC, 0, 3))
})

test('a record that is acknowledged after it was said to be gone has to be old as well', () => {
  const trims = truth(700)
  trims.told(TOPIC, 0, 5)
  trims.stored(TOPIC, 0, { offset: 3, atMs: 300 })
  isBroken(() => trims.stored(TOPIC, 0, { offset: 4, atMs: 301 }))
})

test('a trim that was answered is shown to all who ask for the newest state', () => {
  const trims = truth(null)
  trims.ordered(TOPIC, 0, 2)
  assert.equal(trims.shownFrom(TOPIC, 0), 0)
  trims.done(TOPIC, 0, 1)
  assert.equal(trims.shownFrom(TOPIC, 0), 1)
})
