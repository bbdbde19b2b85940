import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError, type ErrorCode } from '../../src/errors.ts'
import {
  decodeJson,
  decodeOutcome,
  decodeReadAnswer,
  encodeAppend,
  encodeJson,
} from '../../src/partition/forward.ts'
import { brokerId } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'
import { batch } from './entries.ts'

async function withTopic(t: Parameters<typeof TestCluster.start>[0]) {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const follower = cluster.others(leader)[0]!
  const { group } = topic.partitions[0]!
  const ask = (at: number, kind: string, body: Uint8Array) =>
    cluster.broker(at).control.handle(brokerId(follower), { kind, group, body }, options)
  const options = { deadlineMs: 5_000, signal: new AbortController().signal }
  return { cluster, topic, leader, follower, group, ask }
}

const hasCode = (code: ErrorCode) => (error: unknown) => error instanceof SynodError && error.code === code

test('a leader appends, reads, finds offsets and tells its state for others', async (t) => {
  const { cluster, leader, group, ask } = await withTopic(t)
  const body = encodeAppend(batch({ values: ['a', 'b'] }), { acks: 'all', timeoutMs: 1_000 })
  const outcome = decodeOutcome(await cluster.finish(ask(leader, 'append', body)))
  assert.deepEqual([outcome.baseOffset, outcome.recordCount, outcome.duplicate], [0, 2, false])
  const wanted = encodeJson({ fromOffset: 1, recordsMax: 10, bytesMax: 1_000, waitMs: 0 })
  const read = decodeReadAnswer(await cluster.finish(ask(leader, 'read', wanted)))
  assert.deepEqual([read.highWatermark, read.batches[0]!.records.length], [2, 2])
  const end = encodeJson({ position: { kind: 'latest' }, linearizable: false })
  assert.deepEqual(decodeJson(await cluster.finish(ask(leader, 'resolve', end))), { offset: 2 })
  const [state] = decodeJson(await cluster.finish(ask(leader, 'state', encodeJson({ groups: [group] })))) as [
    { role: string },
  ]
  assert.equal(state.role, 'leader')
})

test('who does not lead names the leader', async (t) => {
  const { cluster, leader, follower, ask } = await withTopic(t)
  const append = encodeAppend(batch(), { acks: 'majority', timeoutMs: 1_000 })
  const read = encodeJson({ fromOffset: 0, recordsMax: 10, bytesMax: 1_000, waitMs: 0 })
  for (const [kind, body] of [
    ['append', append],
    ['read', read],
  ] as const) {
    const error = await cluster.refused(ask(follower, kind, body), 'no-leader')
    assert.deepEqual(error.facts, { leader })
  }
})

test('a request that nobody knows is refused, and so is a batch that cannot be read', async (t) => {
  const { leader, ask } = await withTopic(t)
  await assert.rejects(ask(leader, 'dance', Buffer.from('{}')), hasCode('malformed-request'))
  await assert.rejects(ask(leader, 'append', Buffer.of(0)), hasCode('malformed-request'))
  const nonsense = encodeAppend(Buffer.from('nonsense'), { acks: 'majority', timeoutMs: 1_000 })
  await assert.rejects(ask(leader, 'append', nonsense), hasCode('malformed-request'))
})

test('a batch whose records cannot be read adds none, wherever it is applied', async (t) => {
  const { cluster, leader, topic, ask } = await withTopic(t)
  const broken = batch({ values: ['abc'] })
  // The form of the first record, behind the header and its length.
  broken[16] = 255
  const body = encodeAppend(broken, { acks: 'majority', timeoutMs: 1_000 })
  await cluster.refused(ask(leader, 'append', body), 'internal')
  assert.equal((await cluster.finish(cluster.append(leader, topic, 'a'))).baseOffset, 0)
  for (const id of cluster.ids)
    await cluster.until(() =>
      assert.equal(cluster.broker(id).partition(topic.partitions[0]!.group)!.highWatermark, 1),
    )
})
