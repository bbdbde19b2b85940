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

test('turns pass through all partitions', () => {
  const topic = fakePorts().topics.add('t', 3)
  const turns = new PartitionTurns()
  assert.deepEqual(new Set([turns.next(topic), turns.next(topic), turns.next(topic)]), new Set([0, 1, 2]))
})

test('a named partition has to exist', () => {
  const topic = fakePorts().topics.add('t', 2)
  assert.equal(namedPartition(topic, 1), 1)
  assert.throws(() => namedPartition(topic, 2), { code: 'partition-not-found' })
})
