import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProduceOperation } from '../history/operation.ts'
import { GapWatch } from './gaps.ts'

function acknowledged(
  producer: string,
  endMs: number,
  more: Partial<ProduceOperation> = {},
): ProduceOperation {
  return {
    type: 'produce',
    producer,
    identity: 'key',
    startMs: 0,
    endMs,
    outcome: 'ok',
    records: [],
    ...more,
  }
}

test('puts each gap down to the faults of its time', () => {
  const watch = new GapWatch()
  for (const endMs of [0, 50, 1_550, 1_600, 5_000, 5_050]) watch.add(acknowledged('a', endMs))
  for (const endMs of [0, 1_200, 4_900, 4_950]) watch.add(acknowledged('b', endMs))
  for (const endMs of [6_900, 9_000]) watch.add(acknowledged('c', endMs))
  const gaps = watch.byKind([
    { kinds: ['kill-one'], startMs: 100, endMs: 1_500 },
    { kinds: ['restart', 'delay'], startMs: 8_000, endMs: 8_500 },
  ])
  assert.deepEqual(gaps.get('kill-one'), {
    longestMs: 3_700,
    producer: 'b',
    fromMs: 1_200,
    medianMs: 3_700,
    afterHealingMs: 3_400,
  })
  assert.deepEqual(gaps.get('two at once'), {
    longestMs: 2_100,
    producer: 'c',
    fromMs: 6_900,
    medianMs: 2_100,
    afterHealingMs: 500,
  })
  assert.deepEqual(gaps.get('quiet'), {
    longestMs: 3_400,
    producer: 'a',
    fromMs: 1_600,
    medianMs: 0,
    afterHealingMs: 0,
  })
  assert.equal(gaps.get('restart'), undefined)
})

test('counts acknowledgements only, and leaves out producers that send once', () => {
  const watch = new GapWatch()
  watch.add(acknowledged('a', 0))
  watch.add(acknowledged('a', 500, { outcome: 'unknown' }))
  watch.add(acknowledged('a', 1_000))
  watch.add(acknowledged('b', 0, { identity: 'none' }))
  watch.add(acknowledged('b', 9_000, { identity: 'none' }))
  assert.deepEqual(
    [...watch.byKind([])],
    [['quiet', { longestMs: 1_000, producer: 'a', fromMs: 0, medianMs: 0, afterHealingMs: 0 }]],
  )
})
