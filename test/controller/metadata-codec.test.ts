import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GROUP_ID_MAX, topicId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import {
  brokerRow,
  clusterRow,
  decodeRow,
  formerRequestRow,
  topicRow,
  type TopicEntry,
} from '../../src/controller/metadata-codec.ts'
import { member, placedOn } from './command-arbitrary.ts'

const entry: TopicEntry = {
  topic: {
    id: topicId('t7'),
    name: 'orders',
    config: { ...DEFAULT_TOPIC_CONFIG, retentionMs: 5_000, minInSync: 2 },
    partitions: [placedOn(0, GROUP_ID_MAX, 65_535, 1)],
    createdAtMs: 2 ** 50,
    revision: 3,
  },
  createdBy: 'r1',
  alteredBy: undefined,
}

test('each kind of row comes back as it was encoded', () => {
  const cluster = { clusterId: 'c', nextGroup: 2 ** 32, nextTopic: 9, nextOperation: 4 }
  assert.deepEqual(decodeRow(clusterRow(cluster)), { kind: 'cluster', cluster })
  const broker = member(65_535, 'draining')
  assert.deepEqual(decodeRow(brokerRow(broker)), { kind: 'broker', broker })
  assert.deepEqual(decodeRow(topicRow('orders', entry)), { kind: 'topic', entry })
  const altered = { ...entry, alteredBy: 'r2' }
  assert.deepEqual(decodeRow(topicRow('orders', altered)), { kind: 'topic', entry: altered })
  const former = { number: 2 ** 40, requestId: 'r', topicId: topicId('t1'), created: true }
  assert.deepEqual(decodeRow(formerRequestRow(2 ** 40, former)), { kind: 'former-request', entry: former })
})

test('keys are those that were written to disk, brokers in the order of their ids', () => {
  const keyOf = (id: number) => Buffer.from(brokerRow(member(id)).key)
  assert.equal(keyOf(258).toString('hex'), '020102')
  assert.ok(Buffer.compare(keyOf(2), keyOf(10)) < 0)
  assert.ok(Buffer.compare(keyOf(255), keyOf(256)) < 0)
  assert.equal(Buffer.from(topicRow('ab', undefined).key).toString('hex'), '036162')
  assert.equal(topicRow('ab', undefined).value, undefined)
  assert.equal(Buffer.from(formerRequestRow(258, undefined).key).toString('hex'), '05000000000102')
})

test('a setting that an older version did not know is filled in', () => {
  const { maxLagSlots: _, ...older } = entry.topic.config
  const row = topicRow('orders', {
    ...entry,
    topic: { ...entry.topic, config: older as typeof entry.topic.config },
  })
  assert.deepEqual(decodeRow(row), { kind: 'topic', entry })
})

test('a row with another tag is a bug', () => {
  assert.throws(() => decodeRow({ key: Buffer.of(9), value: Buffer.from('{}') }), InvariantError)
  assert.throws(() => decodeRow(topicRow('a', undefined)), InvariantError)
})
