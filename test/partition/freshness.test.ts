import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { TestCluster } from '../support/cluster.ts'
import { highWatermark, withTopic } from './with-topic.ts'

/** A follower that was away for more slots than MaxLag allows, and whom nobody can send what it lacks yet. */
async function late(t: TestContext) {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', { maxLagSlots: 5 })
  const leader = cluster.leaderOf(topic)
  const follower = cluster.others(leader)[0]!
  await cluster.finish(cluster.append(leader, topic, '0'))
  await cluster.until(() => assert.equal(highWatermark(cluster, follower, topic), 1))
  cluster.isolate(follower)
  for (let count = 1; count <= 20; count++) await cluster.finish(cluster.append(leader, topic, `${count}`))
  for (const other of cluster.others(follower)) cluster.disk(other).journal.pauseReads()
  cluster.network.healAll()
  return { cluster, topic, leader, follower }
}

const linearizable = { consistency: 'linearizable' } as const

test('who asks the leader, or names a record, sees it on a follower that does not have it yet', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.until(() => assert.equal(highWatermark(cluster, follower, topic), 1))
  cluster.isolate(follower)
  await cluster.finish(cluster.append(leader, topic, 'b'))
  cluster.network.healAll()
  const { log } = cluster.services(follower)
  const latest = { kind: 'latest' } as const
  const asked = [
    cluster.read(follower, topic),
    cluster.read(follower, topic, { freshness: { consistency: 'leader' } }),
    cluster.read(follower, topic, { freshness: linearizable }),
    cluster.read(follower, topic, { freshness: { consistency: 'local', afterOffset: 1 } }),
    cluster.read(follower, topic, { freshness: { consistency: 'local', afterOffset: 0 } }),
  ]
  const ends = [
    log.resolve(topic, 0, latest),
    log.resolve(topic, 0, latest, { consistency: 'leader' }),
    log.resolve(topic, 0, latest, { consistency: 'local', afterOffset: 1 }),
  ]
  assert.equal(highWatermark(cluster, follower, topic), 1)
  assert.deepEqual(await cluster.finish(Promise.all(asked)), [
    ['a'],
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
    ['a'],
  ])
  assert.deepEqual(await cluster.finish(Promise.all(ends)), [1, 2, 2])
})

test('a leader that a majority has left answers what it knows, but nothing that must be sure', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  cluster.isolate(leader)
  await cluster.finish(cluster.append(follower, topic, 'b'), { withinMs: 5_000 })
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), ['a'])
  await cluster.refused(cluster.read(leader, topic, { freshness: linearizable }), 'no-quorum')
  const written = { consistency: 'local', afterOffset: 1 } as const
  await cluster.refused(cluster.read(leader, topic, { freshness: written }), 'replica-behind')
  await cluster.refused(
    cluster.services(leader).log.resolve(topic, 0, { kind: 'latest' }, written),
    'replica-behind',
  )
  cluster.network.healAll()
  for (const freshness of [linearizable, written])
    assert.deepEqual(await cluster.finish(cluster.read(leader, topic, { freshness })), ['a', 'b'])
})

test('a record that nobody wrote is out of range, not late', async (t) => {
  const { cluster, topic, leader, follower } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  for (const id of [leader, follower]) {
    const read = cluster.read(id, topic, { freshness: { consistency: 'local', afterOffset: 1 } })
    assert.deepEqual((await cluster.refused(read, 'offset-out-of-range')).facts, { highWatermark: 1 })
  }
})

test('without a leader a follower shows a record that was named, if it has it', async (t) => {
  const { cluster, topic, leader, follower, followers } = await withTopic(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.until(() => assert.equal(highWatermark(cluster, follower, topic), 1))
  for (const id of [leader, ...followers]) cluster.isolate(id)
  const freshness = { consistency: 'local', afterOffset: 0 } as const
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic, { freshness })), ['a'])
})

test('a follower beyond MaxLag sends its readers to the leader, and shows what it has when nobody can be asked', async (t) => {
  const { cluster, topic, follower } = await late(t)
  const { log } = cluster.services(follower)
  const partition = cluster.broker(follower).partition(topic.partitions[0]!.group)!
  assert.equal(partition.isBeyondMaxLag, false, 'It has not heard of it yet.')
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic)), ['0'])
  await cluster.until(() => assert.ok(partition.isBeyondMaxLag))
  const all = Array.from({ length: 21 }, (_, count) => `${count}`)
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic)), all)
  assert.equal(await cluster.finish(log.resolve(topic, 0, { kind: 'latest' })), 21)
  assert.equal(partition.highWatermark, 1)
  cluster.isolate(follower)
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic), { withinMs: 10_000 }), ['0'])
  cluster.network.healAll()
  for (const other of cluster.others(follower)) cluster.disk(other).journal.resume()
  await cluster.until(() => assert.equal(partition.highWatermark, 21), { withinMs: 10_000 })
  assert.equal(partition.isBeyondMaxLag, false)
})
