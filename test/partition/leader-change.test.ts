import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAll } from '../support/cluster.ts'
import { key } from './entries.ts'
import { highWatermark, isLeader, leadersAmong, slotCount, withTopic } from './with-topic.ts'

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

test('a leader that has been cut off does not say that an offset is out of range', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  cluster.isolate(leader)
  const read = cluster.read(leader, topic, { fromOffset: 1 })
  await cluster.until(() => assert.equal(leadersAmong(cluster, topic, cluster.others(leader)), 1))
  await cluster.finish(cluster.append(follower, topic, ['a', 'b']))
  await cluster.refused(read, 'no-quorum')
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
