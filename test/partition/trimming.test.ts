import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Partition } from '../../src/partition/partition.ts'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

const MEBIBYTE = 1024 * 1024
const CHUNK = 'x'.repeat(64 * 1024)
const TUNING = { sweepBytesMin: 1, sweepCountMin: 1 }

function partitionOn(cluster: TestCluster, id: number, topic: Topic): Partition {
  return cluster.broker(id).partition(topic.partitions[0]!.group)!
}

async function appendChunks(cluster: TestCluster, topic: Topic, count: number): Promise<void> {
  for (let done = 0; done < count; done++)
    await cluster.finish(cluster.append(cluster.brokers[0]!.id, topic, CHUNK))
}

function assertSameStart(cluster: TestCluster, topic: Topic): void {
  const starts = cluster.brokers.map(({ id }) => partitionOn(cluster, id, topic).logStart)
  assert.equal(new Set(starts).size, 1, `Logs begin at ${starts.join(', ')}.`)
}

test('the oldest records go when a partition holds more than it is to keep, on all replicas', async (t) => {
  const cluster = await TestCluster.start(t, { tuning: TUNING })
  const topic = await cluster.topic('orders', { retentionBytes: MEBIBYTE })
  await appendChunks(cluster, topic, 80)
  await cluster.until(() => {
    for (const { id } of cluster.brokers) {
      const partition = partitionOn(cluster, id, topic)
      assert.ok(partition.logStart >= 32, `Broker ${id} begins at ${partition.logStart}.`)
      const kept = (partition.highWatermark - partition.logStart) * CHUNK.length
      assert.ok(kept >= MEBIBYTE, 'What is to be kept is kept.')
      assert.ok(cluster.broker(id).store.groupBytes(partition.group) < 4 * MEBIBYTE)
    }
    assertSameStart(cluster, topic)
  })
  const { logStart } = partitionOn(cluster, 1, topic)
  const error = await cluster.refused(cluster.read(1, topic, { fromOffset: logStart - 1 }), 'offset-trimmed')
  assert.equal(error.facts['logStart'], logStart)
  assert.equal(await cluster.services(2).log.resolve(topic, 0, { kind: 'earliest' }), logStart)
  assert.equal(await cluster.services(2).log.resolve(topic, 0, { kind: 'time', timeMs: 0 }), logStart)
  assert.equal(
    (await cluster.finish(cluster.read(3, topic, { fromOffset: logStart, recordsMax: 1 })))[0],
    CHUNK,
  )
})

test('records go when they are old, and a log without records costs nothing', async (t) => {
  const cluster = await TestCluster.start(t, { tuning: TUNING })
  const topic = await cluster.topic('orders', { retentionMs: 3_000 })
  for (const value of ['a', 'b', 'c']) await cluster.finish(cluster.append(1, topic, value))
  assert.equal(partitionOn(cluster, 1, topic).logStart, 0)
  await cluster.until(() => {
    for (const { id } of cluster.brokers) assert.equal(partitionOn(cluster, id, topic).logStart, 3)
  })
  await cluster.pass(2_000)
  const { through } = partitionOn(cluster, 1, topic).replica.paxos
  await cluster.pass(20_000)
  assert.equal(partitionOn(cluster, 1, topic).replica.paxos.through, through, 'Nothing is marked any more.')
})

test('an operator trims to a batch, and no replica shows a record below it', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  for (const values of [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ])
    await cluster.finish(cluster.append(1, topic, values))
  const leader = cluster.leaderOf(topic)
  const [other = 0] = cluster.others(leader)
  const trim = (before: number) => cluster.finish(cluster.services(other).log.trim(topic, 0, before))
  assert.equal(await trim(3), 2, 'Offset 3 stands in the middle of a batch.')
  assert.equal(await trim(1), 2, 'It was trimmed already.')
  await cluster.until(() => {
    for (const { id } of cluster.brokers) assert.equal(partitionOn(cluster, id, topic).logStart, 2)
  })
  for (const { id } of cluster.brokers) {
    await cluster.refused(cluster.read(id, topic, { fromOffset: 1 }), 'offset-trimmed')
    assert.deepEqual(await cluster.finish(cluster.read(id, topic, { fromOffset: 2 })), ['c', 'd', 'e', 'f'])
  }
  const beyond = cluster.services(leader).log.trim(topic, 0, 7)
  assert.equal((await cluster.refused(beyond, 'offset-out-of-range')).facts['highWatermark'], 6)
  assert.equal(await trim(6), 6)
  // Now a mark stands where the log is shown from: it frees all below.
  await cluster.until(() => {
    for (const { id } of cluster.brokers)
      assert.equal(partitionOn(cluster, id, topic).replica.paxos.logStart.offset, 6)
  })
  assert.equal((await cluster.finish(cluster.append(1, topic, 'g'))).baseOffset, 6)
})

test('what an operator trimmed stays so after a restart', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  for (const value of ['a', 'b', 'c']) await cluster.finish(cluster.append(1, topic, value))
  await cluster.finish(cluster.services(1).log.trim(topic, 0, 2))
  for (const id of cluster.ids) await cluster.kill(id)
  for (const id of cluster.ids) await cluster.open(id)
  await cluster.allReady()
  await cluster.until(() => {
    for (const id of cluster.ids) assert.equal(partitionOn(cluster, id, topic).logStart, 2)
  })
})

test('a broker that was away for longer than records are kept goes on from a checkpoint', async (t) => {
  const cluster = await TestCluster.start(t, { tuning: TUNING })
  const topic = await cluster.topic('orders', { retentionBytes: MEBIBYTE })
  const idempotency = { kind: 'producer', id: 'p', epoch: 1, seq: 0 } as const
  const leader = cluster.leaderOf(topic)
  const [away = 0] = cluster.others(leader)
  await cluster.finish(cluster.append(leader, topic, 'first', { idempotency }))
  await cluster.kill(away)
  for (let count = 0; count < 100; count++) await cluster.finish(cluster.append(leader, topic, CHUNK))
  const stored = partitionOn(cluster, leader, topic)
  await cluster.until(() => assert.ok(stored.logStart > 40))
  await cluster.open(away)
  const back = await cluster.until(() => {
    const partition = partitionOn(cluster, away, topic)
    assert.equal(partition.highWatermark, stored.highWatermark)
    assert.ok(partition.logStart > 0)
    return partition
  })
  for (let from = back.logStart; from < back.highWatermark; from += 8)
    assert.deepEqual(
      await cluster.finish(cluster.read(away, topic, { fromOffset: from, recordsMax: 8 })),
      await cluster.finish(cluster.read(leader, topic, { fromOffset: from, recordsMax: 8 })),
    )
  // What it never saw in its log it knows by the checkpoint, also as the leader.
  await cluster.finish(cluster.services(leader).moves.move(topic, 0, cluster.broker(away).id))
  await cluster.until(() => assert.equal(cluster.leaderOf(topic), away))
  const again = await cluster.finish(cluster.append(away, topic, 'first', { idempotency }))
  assert.deepEqual([again.duplicate, again.baseOffset], [true, 0])
})

test('a reader that waits where the log was trimmed is told so, never moved', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  await cluster.finish(cluster.append(1, topic, ['a', 'b']))
  const leader = cluster.leaderOf(topic)
  const [away = 0] = cluster.others(leader)
  await cluster.until(() => assert.equal(partitionOn(cluster, away, topic).highWatermark, 2))
  cluster.isolate(away)
  const waiting = cluster.read(away, topic, { fromOffset: 2, waitMs: 15_000 })
  for (const value of ['c', 'd', 'e']) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.finish(cluster.services(leader).log.trim(topic, 0, 5))
  await cluster.until(() =>
    assert.equal(partitionOn(cluster, leader, topic).replica.paxos.logStart.offset, 5),
  )
  cluster.network.healAll()
  assert.equal((await cluster.refused(waiting, 'offset-trimmed')).facts['logStart'], 5)
})

test('a topic that refuses when it is full takes records again once it was trimmed', async (t) => {
  const cluster = await TestCluster.start(t, { tuning: TUNING })
  const topic = await cluster.topic('orders', { retentionBytes: MEBIBYTE, onFull: 'reject' })
  await appendChunks(cluster, topic, 16)
  await cluster.refused(cluster.append(1, topic, 'more'), 'topic-full')
  await cluster.finish(cluster.services(1).log.trim(topic, 0, 16))
  await cluster.until(() => assert.equal(partitionOn(cluster, 1, topic).replica.paxos.logStart.offset, 16))
  assert.equal((await cluster.finish(cluster.append(1, topic, 'more'))).baseOffset, 16)
})
