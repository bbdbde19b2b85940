import assert from 'node:assert/strict'
import { test } from 'node:test'

import { namedPartition, partitionOfKey, PartitionTurns } from '../../../src/gateway/http/partition-choice.ts'
import { fakePorts } from '../fakes.ts'

test('a key goes where zlib’s crc32 of its UTF-8 says, in every client', () => {
  const topic = fakePorts().topics.add('t', 7)
  // Known answers: crc32("123456789") is 0xcbf43926.
  assert.equal(partitionOfKey(topic, '123456789'), 0xcbf43926 % 7)
  assert.equal(partitionOfKey(topic, ''), 0)
  assert.equal(partitionOfKey(topic, 'é'), 0xe048d3e % 7)
})

test('requests that come together share a partition, and one after the other go through all', () => {
  const topic = fakePorts().topics.add('t', 3)
  const waiting: (() => void)[] = []
  const turns = new PartitionTurns((run) => void waiting.push(run))
  const seen = [1, 2, 3].map(() => {
    const together = new Set([turns.next(topic), turns.next(topic), turns.next(topic)])
    assert.equal(together.size, 1)
    assert.equal(waiting.length, 1)
    waiting.pop()!()
    return [...together][0]
  })
  assert.deepEqual(new Set(seen), new Set([0, 1, 2]))
})

test('a named partition has to exist', () => {
  const topic = fakePorts().topics.add('t', 2)
  assert.equal(namedPartition(topic, 1), 1)
  assert.throws(() => namedPartition(topic, 2), { code: 'partition-not-found' })
})
