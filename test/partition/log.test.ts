import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Topic } from '../../src/types/topic.ts'
import { readAll, TestCluster } from '../support/cluster.ts'
import { key, producer } from './entries.ts'

/** A cluster with a topic, its leader and its followers. */
async function withTopic(t: Parameters<typeof TestCluster.start>[0], size = 3) {
  const cluster = await TestCluster.start(t, { size })
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const followers = topic.partitions[0]!.replicas.map(Number).filter((id) => id !== leader)
  return { cluster, topic, leader, followers, follower: followers[0]! }
}

function highWatermark(cluster: TestCluster, id: number, topic: Topic): number | undefined {
  return cluster.broker(id).partition(topic.partitions[0]!.group)?.highWatermark
}

/** Slots in the log of a broker's replica, decided or not. */
function slotCount(cluster: TestCluster, id: number, topic: Topic): number {
  return cluster.broker(id).partition(topic.partitions[0]!.group)!.replica.paxos.through
}

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

test('an append that finds the leader dead waits for the next one', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.kill(leader)
  const receipt = await cluster.finish(cluster.append(follower, topic, 'after'))
  assert.equal(receipt.baseOffset, 0)
  assert.notEqual(receipt.leader, leader)
})

test('without a majority an append is refused as such after a while, and what was stored stays readable', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'before'))
  const [stays, goes] = followers as [number, number]
  await cluster.until(() => assert.equal(highWatermark(cluster, stays, topic), 1))
  await cluster.kill(leader)
  await cluster.kill(goes)
  await cluster.pass(2_000)
  const startedMs = cluster.clock.nowMs()
  await cluster.refused(cluster.append(stays, topic, 'now'), 'no-quorum')
  assert.ok(cluster.clock.nowMs() - startedMs >= 1_500)
  assert.deepEqual(await cluster.finish(cluster.read(stays, topic)), ['before'])
})

test('a leader that is cut off after it appended can not know what becomes of the records', async (t) => {
  const { cluster, topic, leader } = await withTopic(t)
  cluster.isolate(leader)
  await cluster.refused(cluster.append(leader, topic, 'lost or not'), 'outcome-unknown')
})

test('records that others displaced are appended anew: of them nothing was stored', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  cluster.isolate(leader)
  const append = cluster.append(leader, topic, 'displaced')
  await cluster.until(() => assert.equal(leadersAmong(cluster, topic, followers), 1))
  await cluster.finish(cluster.append(followers[0]!, topic, 'other'))
  cluster.network.healAll()
  const receipt = await cluster.finish(append)
  assert.equal(receipt.baseOffset, 1)
  await cluster.until(() => assert.equal(highWatermark(cluster, leader, topic), 2))
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), ['other', 'displaced'])
})

test('records whose slot was given to others before anything was decided there are answered at once', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  const { group } = topic.partitions[0]!
  cluster.isolate(leader)
  const refused = cluster.refused(cluster.append(leader, topic, 'first'), 'outcome-unknown', {
    withinMs: 9_000,
  })
  await cluster.until(() => assert.equal(slotCount(cluster, leader, topic), 1))
  await cluster.until(() => assert.equal(leadersAmong(cluster, topic, followers), 1))
  cluster.network.healAll()
  await cluster.until(() => assert.equal(slotCount(cluster, leader, topic), 0))
  // The leader between has appended nothing; the third broker is cut off so that the first one leads again.
  const between = followers.find((id) => isLeader(cluster, id, topic))!
  cluster.isolate(followers.find((id) => id !== between)!)
  cluster.broker(between).partition(group)!.replica.resign()
  await cluster.until(() => assert.ok(isLeader(cluster, leader, topic)))
  await cluster.finish(cluster.append(leader, topic, 'second'))
  await refused
})

function isLeader(cluster: TestCluster, id: number, topic: Topic): boolean {
  const { group } = topic.partitions[0]!
  return cluster.brokers.some((broker) => broker.id === id && broker.partition(group)?.replica.isLeader)
}

function leadersAmong(cluster: TestCluster, topic: Topic, ids: readonly number[]): number {
  return ids.filter((id) => isLeader(cluster, id, topic)).length
}

test('a producer is told that its records may be stored when the leader dies with them', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  const append = cluster.append(follower, topic, 'x')
  await cluster.until(() => assert.equal(slotCount(cluster, leader, topic), 1))
  await cluster.kill(leader)
  await cluster.refused(append, 'outcome-unknown')
})

test('a retry with the same key is stored once, whatever became of the leader in between', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  const idempotency = key('order-1')
  const append = cluster.append(follower, topic, 'x', { idempotency })
  await cluster.until(() => assert.equal(slotCount(cluster, leader, topic), 1))
  await cluster.kill(leader)
  const first = await cluster.finish(append)
  assert.equal(first.baseOffset, 0)
  const again = await cluster.finish(cluster.append(follower, topic, 'x', { idempotency }))
  assert.deepEqual([again.baseOffset, again.duplicate], [0, true])
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic)), ['x'])
  await cluster.refused(
    cluster.append(follower, topic, 'y', { idempotency: key('order-1', 2) }),
    'idempotency-key-reused',
  )
})

test('a retry that finds no leader any more does not say that nothing was stored', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  const [stays, goes] = followers as [number, number]
  const append = cluster.append(stays, topic, 'x', { idempotency: key('order-1') })
  await cluster.until(() => assert.equal(slotCount(cluster, leader, topic), 1))
  await cluster.kill(leader)
  await cluster.kill(goes)
  await cluster.refused(append, 'outcome-unknown')
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

test('a leader that has been cut off does not say that an offset is out of range', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  cluster.isolate(leader)
  const read = cluster.read(leader, topic, { fromOffset: 1 })
  await cluster.until(() => assert.equal(leadersAmong(cluster, topic, cluster.others(leader)), 1))
  await cluster.finish(cluster.append(follower, topic, ['a', 'b']))
  await cluster.refused(read, 'no-quorum')
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

test('a leader whose disk is full takes no records until there is space again', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  cluster.broker(leader).space = { freeBytes: 10, full: true }
  await cluster.until(() => assert.ok(cluster.broker(leader).disk.isFull))
  await cluster.refused(cluster.append(follower, topic, 'a'), 'disk-full')
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), [])
  cluster.broker(leader).space = { freeBytes: 2 ** 40, full: false }
  await cluster.until(() => assert.ok(!cluster.broker(leader).disk.isFull))
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

test('the times of records never fall, though the next leader has a clock that is behind', async (t) => {
  const { cluster, topic, leader, followers } = await withTopic(t)
  for (const id of followers) cluster.wallOffsetMs.set(id, -3_600_000)
  void cluster.append(leader, topic, 'a').catch(() => undefined)
  await cluster.until(() => assert.equal(slotCount(cluster, followers[0]!, topic), 1))
  await cluster.kill(leader)
  const { leader: next } = await cluster.finish(cluster.append(followers[0]!, topic, 'b'))
  const { batches } = await cluster.finish(cluster.services(next).log.read(readAll(topic)))
  const [first, second] = batches.map((batch) => batch.appendedAtMs)
  assert.ok(second! >= first!, `${second} after ${first}`)
})
