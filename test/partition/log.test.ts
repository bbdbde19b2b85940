import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'
import { key, producer } from './entries.ts'
import { highWatermark, withTopic } from './with-topic.ts'

test('a record that is appended through any broker is read on every broker, under one offset', async (t) => {
  const { cluster, topic, leader } = await withTopic(t)
  const values = []
  for (const id of cluster.ids) {
    const receipt = await cluster.finish(cluster.append(id, topic, `through ${id}`))
    assert.equal(receipt.leader, leader)
    assert.equal(receipt.baseOffset, values.push(`through ${id}`) - 1)
  }
  for (const id of cluster.ids) await cluster.until(() => assert.equal(highWatermark(cluster, id, topic), 3))
  for (const id of cluster.ids) assert.deepEqual(await cluster.finish(cluster.read(id, topic)), values)
})

test('a broker that holds no replica appends, reads and finds offsets at the leader', async (t) => {
  const { cluster, topic } = await withTopic(t, 4)
  const outside = cluster.ids.find((id) => !topic.partitions[0]!.replicas.map(Number).includes(id))!
  const receipt = await cluster.finish(cluster.append(outside, topic, ['a', 'b']))
  assert.equal(receipt.baseOffset, 0)
  assert.deepEqual(await cluster.finish(cluster.read(outside, topic, { fromOffset: 1 })), ['b'])
  const resolve = cluster.services(outside).log.resolve(topic, 0, { kind: 'latest' })
  assert.equal(await cluster.finish(resolve), 2)
  const waiting = cluster.read(outside, topic, { fromOffset: 2, waitMs: 5_000 })
  await cluster.finish(cluster.append(outside, topic, 'c'))
  assert.deepEqual(await cluster.finish(waiting), ['c'])
})

test('a retry that comes while the first try is undecided waits for it and is a duplicate', async (t) => {
  const { cluster, topic, leader } = await withTopic(t)
  const idempotency = key('order-1')
  const both = [0, 1].map(() => cluster.append(leader, topic, 'x', { idempotency }))
  const receipts = await cluster.finish(Promise.all(both))
  assert.deepEqual(
    receipts.map(({ baseOffset, duplicate }) => [baseOffset, duplicate]),
    [
      [0, false],
      [0, true],
    ],
  )
})

test('a producer is told of a gap in its sequences, and of one that took over', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, ['a', 'b'], { idempotency: producer('p', 1, 0) }))
  const gap = cluster.append(follower, topic, 'x', { idempotency: producer('p', 1, 4) })
  assert.deepEqual((await cluster.refused(gap, 'sequence-gap')).facts, { expectedSeq: 2 })
  const old = cluster.append(follower, topic, 'x', { idempotency: producer('p', 0, 0) })
  await cluster.refused(old, 'producer-fenced')
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), ['a', 'b'])
})

test('an expected offset that is not the next one stores nothing and tells the next one', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a', { expectedOffset: 0 }))
  const late = cluster.append(follower, topic, 'b', { expectedOffset: 0 })
  assert.deepEqual((await cluster.refused(late, 'offset-mismatch')).facts, { highWatermark: 1 })
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), ['a'])
})

test('a read at the end waits for the next record, at most as long as it says', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  const waiting = cluster.read(follower, topic, { waitMs: 5_000 })
  await cluster.pass(1_000)
  await cluster.finish(cluster.append(leader, topic, 'at last'))
  assert.deepEqual(await cluster.finish(waiting, { withinMs: 200 }), ['at last'])
  const startedMs = cluster.clock.nowMs()
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic, { fromOffset: 1, waitMs: 3_000 })), [])
  assert.ok(cluster.clock.nowMs() - startedMs >= 3_000)
})

test('a reader that goes away stops waiting at once', async (t) => {
  const { cluster, topic, follower } = await withTopic(t)
  const leaving = new AbortController()
  const waiting = cluster.read(follower, topic, { waitMs: 60_000, signal: leaving.signal })
  leaving.abort()
  assert.deepEqual(await cluster.finish(waiting, { withinMs: 10 }), [])
  assert.deepEqual(
    await cluster.finish(cluster.read(follower, topic, { waitMs: 60_000, signal: leaving.signal })),
    [],
  )
})

test('a follower that is behind has the leader answer, and only the leader says that an offset is out of range', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  const [behind] = followers as [number, number]
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.until(() => assert.equal(highWatermark(cluster, behind, topic), 1))
  cluster.isolate(behind)
  await cluster.finish(cluster.append(leader, topic, ['b', 'c']))
  cluster.network.healAll()
  const read = cluster.read(behind, topic, { fromOffset: 2 })
  const beyond = cluster.read(behind, topic, { fromOffset: 4 })
  assert.equal(highWatermark(cluster, behind, topic), 1)
  assert.deepEqual(await cluster.finish(read), ['c'])
  assert.deepEqual((await cluster.refused(beyond, 'offset-out-of-range')).facts, { highWatermark: 3 })
})

test('a read at a replica that is cut off says that no leader is heard of, and at the others it does not', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  const [cutOff, other] = followers as [number, number]
  await cluster.until(() => assert.equal(highWatermark(cluster, cutOff, topic), 1))
  const isLeaderless = async (id: number) => {
    const at = {
      topic,
      partition: 0,
      fromOffset: 1,
      recordsMax: 1,
      bytesMax: 1,
      waitMs: 0,
      signal: undefined,
    }
    return (await cluster.finish(cluster.services(id).log.read(at))).isLeaderless === true
  }
  assert.equal(await isLeaderless(cutOff), false)
  cluster.isolate(cutOff)
  await cluster.pass(10_000)
  assert.equal(await isLeaderless(cutOff), true)
  assert.equal(await isLeaderless(other), false)
  cluster.network.healAll()
  await cluster.pass(5_000)
  assert.equal(await isLeaderless(cutOff), false)
})

test('the end that is asked for linearizably is never older than what somebody was told, wherever it is asked', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  const end = (id: number, linearizable: boolean) =>
    cluster
      .services(id)
      .log.resolve(topic, 0, { kind: 'latest' }, { consistency: linearizable ? 'linearizable' : 'local' })
  cluster.isolate(leader)
  await cluster.finish(cluster.append(follower, topic, 'b'), { withinMs: 5_000 })
  assert.equal(await end(leader, false), 1, 'the one that led before does not know of it')
  await cluster.refused(end(leader, true), 'no-quorum')
  cluster.network.healAll()
  const asked = cluster.ids.map((id) => end(id, true))
  assert.deepEqual(await cluster.finish(Promise.all(asked)), [2, 2, 2])
})

test('start positions are found: ends, the last records, and the first appended at a time', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, ['a', 'b', 'c']))
  await cluster.pass(1_000)
  const later = cluster.broker(leader).engine.wallMs()
  await cluster.finish(cluster.append(leader, topic, 'd'))
  await cluster.until(() => assert.equal(highWatermark(cluster, follower, topic), 4))
  const resolve = (position: Parameters<ReturnType<typeof cluster.services>['log']['resolve']>[2]) =>
    cluster.finish(cluster.services(follower).log.resolve(topic, 0, position))
  assert.equal(await resolve({ kind: 'earliest' }), 0)
  assert.equal(await resolve({ kind: 'latest' }), 4)
  assert.equal(await resolve({ kind: 'offset', offset: 17 }), 17)
  assert.equal(await resolve({ kind: 'last', count: 2 }), 2)
  assert.equal(await resolve({ kind: 'last', count: 99 }), 0)
  assert.equal(await resolve({ kind: 'time', timeMs: later }), 3)
  assert.equal(await resolve({ kind: 'time', timeMs: 0 }), 0)
  assert.equal(await resolve({ kind: 'time', timeMs: later + 60_000 }), 4)
})

test('a topic that is deleted ends waiting readers and refuses records', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  const waiting = [leader, follower].map((id) => cluster.read(id, topic, { fromOffset: 1, waitMs: 60_000 }))
  const refused = waiting.map((read) => cluster.refused(read, 'topic-deleted', { withinMs: 3_000 }))
  await cluster.finish(cluster.services(follower).directory.delete('orders', undefined))
  await Promise.all(refused)
  for (const id of cluster.ids) {
    await cluster.until(() =>
      assert.equal(cluster.broker(id).partition(topic.partitions[0]!.group), undefined),
    )
    await cluster.refused(cluster.read(id, topic), 'topic-deleted')
    await cluster.refused(cluster.append(id, topic, 'b'), 'topic-deleted')
  }
})

test('a closed topic takes no records and is still read', async (t) => {
  const { cluster, topic, leader } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  const closed = { ...topic, config: { ...topic.config, closed: true } }
  await cluster.refused(cluster.append(leader, closed, 'b'), 'topic-closed')
  assert.deepEqual(await cluster.finish(cluster.read(leader, closed)), ['a'])
})

test('a partition takes no records while the disks of all its replicas are full, and is read all the same', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  for (const broker of cluster.brokers) broker.space = { freeBytes: 10, full: true }
  await cluster.until(() => {
    for (const { disk } of cluster.brokers) assert.ok(disk.isFull)
  })
  await cluster.pass(3_000)
  await cluster.refused(cluster.append(follower, topic, 'a'), 'disk-full')
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), [])
  for (const broker of cluster.brokers) broker.space = { freeBytes: 2 ** 40, full: false }
  await cluster.until(() => assert.ok(!cluster.broker(cluster.leaderOf(topic)).disk.isFull))
  await cluster.finish(cluster.append(follower, topic, 'a'))
})

test('acks=all waits for a follower that is in sync and slow, while a majority is enough for the others', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a', { acks: 'all' }))
  cluster.disk(follower).journal.pause()
  let isAnswered = false
  const all = cluster.append(leader, topic, 'b', { acks: 'all' })
  void all.then(() => (isAnswered = true))
  await cluster.finish(cluster.append(leader, topic, 'c'))
  assert.equal(isAnswered, false)
  cluster.disk(follower).journal.resume()
  assert.equal((await cluster.finish(all)).baseOffset, 1)
})

test('acks=all does not wait for a follower that is dead', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  cluster.disk(follower).journal.pause()
  const all = cluster.append(leader, topic, 'a', { acks: 'all' })
  await cluster.until(() => assert.equal(highWatermark(cluster, leader, topic), 1))
  await cluster.kill(follower)
  assert.equal((await cluster.finish(all)).baseOffset, 0)
})

test('acks=all is told in time that not everybody has answered, and that the records may be stored', async (t) => {
  const cluster = await TestCluster.start(t, { config: { produceTimeoutMs: 1_000 } })
  const topic = await cluster.topic('orders', { maxLagMs: 60_000 })
  const leader = cluster.leaderOf(topic)
  cluster.disk(cluster.others(leader)[0]!).journal.pause()
  await cluster.refused(cluster.append(leader, topic, 'a', { acks: 'all' }), 'outcome-unknown', {
    withinMs: 2_000,
  })
})

test('acks=all is told at once when the leader can not tell any more', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  cluster.disk(follower).journal.pause()
  const all = cluster.append(leader, topic, 'a', { acks: 'all' })
  await cluster.until(() => assert.equal(highWatermark(cluster, leader, topic), 1))
  cluster.broker(leader).partition(topic.partitions[0]!.group)!.replica.resign()
  await cluster.refused(all, 'outcome-unknown', { withinMs: 1_000 })
})

test('a topic is appended to as soon as it is created', async (t) => {
  const cluster = await TestCluster.start(t)
  for (const id of cluster.ids) {
    const spec = { partitions: undefined, replicationFactor: undefined, config: {} }
    const { topic } = await cluster.finish(cluster.services(id).directory.create(`topic-${id}`, spec))
    assert.equal((await cluster.finish(cluster.append(id, topic, 'at once'))).baseOffset, 0)
  }
})
