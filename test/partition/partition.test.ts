import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MEMORY_BYTES_MIN, memoryShares } from '../../src/config/memory.ts'
import type { Partition } from '../../src/partition/partition.ts'
import { readAll, TestCluster } from '../support/cluster.ts'
import type { Topic } from '../../src/types/topic.ts'

const MEMORY = memoryShares(MEMORY_BYTES_MIN)

function partitionOf(cluster: TestCluster, id: number, topic: Topic): Partition {
  return cluster.broker(id).partition(topic.partitions[0]!.group)!
}

test('what the cache has dropped is read from the disk, from the middle of a batch too', async (t) => {
  const cluster = await TestCluster.start(t, {
    size: 1,
    config: { memory: { ...MEMORY, tailCacheBytes: 200, appendQueueBytesMax: 1_000_000 } },
  })
  const topic = await cluster.topic()
  const values = Array.from({ length: 30 }, (_, index) => `value ${index}`)
  for (let from = 0; from < 30; from += 3)
    await cluster.finish(cluster.append(1, topic, values.slice(from, from + 3)))
  assert.deepEqual(await cluster.finish(cluster.read(1, topic)), values)
  assert.deepEqual(await cluster.finish(cluster.read(1, topic, { fromOffset: 7 })), values.slice(7))
  assert.deepEqual(await cluster.finish(cluster.read(1, topic, { fromOffset: 29 })), ['value 29'])
})

test('a read from the disk stops at its bounds and gives one batch at least', async (t) => {
  const cluster = await TestCluster.start(t, {
    size: 1,
    config: { memory: { ...MEMORY, tailCacheBytes: 0, appendQueueBytesMax: 1_000_000 } },
  })
  const topic = await cluster.topic()
  for (const value of ['a', 'b', 'c', 'd']) await cluster.finish(cluster.append(1, topic, [value, value]))
  const read = (bounds: object) => cluster.finish(cluster.read(1, topic, bounds))
  assert.deepEqual(await read({ recordsMax: 1 }), ['a', 'a'])
  assert.deepEqual(await read({ recordsMax: 3 }), ['a', 'a', 'b', 'b'])
  assert.deepEqual(await read({ bytesMax: 1 }), ['a', 'a'])
  assert.deepEqual(await read({ fromOffset: 3, recordsMax: 2 }), ['b', 'c', 'c'])
})

test('slots that added no records are passed over by readers', async (t) => {
  const cluster = await TestCluster.start(t, {
    size: 1,
    config: { memory: { ...MEMORY, tailCacheBytes: 0, appendQueueBytesMax: 1_000_000 } },
  })
  const topic = await cluster.topic()
  await cluster.finish(cluster.append(1, topic, 'a'))
  for (let count = 0; count < 5; count++)
    await cluster.refused(cluster.append(1, topic, 'x', { expectedOffset: 9 }), 'offset-mismatch')
  await cluster.finish(cluster.append(1, topic, 'b'))
  assert.deepEqual(await cluster.finish(cluster.read(1, topic)), ['a', 'b'])
  assert.deepEqual(await cluster.finish(cluster.read(1, topic, { fromOffset: 1 })), ['b'])
})

test('readers at the tail of one broker share the same batch', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const topic = await cluster.topic()
  const readers = [0, 1].map(() => cluster.services(1).log.read({ ...readAll(topic), waitMs: 5_000 }))
  await cluster.finish(cluster.append(1, topic, 'a'))
  const [first, second] = await cluster.finish(Promise.all(readers))
  assert.equal(first!.batches.length, 1)
  assert.equal(first!.batches[0], second!.batches[0])
})

test('a read that was on its way when the topic was deleted is told that it was', async (t) => {
  const cluster = await TestCluster.start(t, {
    size: 1,
    config: { memory: { ...MEMORY, tailCacheBytes: 0, appendQueueBytesMax: 1_000_000 } },
  })
  const topic = await cluster.topic()
  await cluster.finish(cluster.append(1, topic, 'a'))
  await cluster.pass(1_000)
  // The read learns where the records stand, and finds them gone when it fetches them.
  const { index } = cluster.disk(1)
  index.pauseReads()
  const read = cluster.read(1, topic)
  await cluster.finish(cluster.services(1).directory.delete('orders', undefined))
  await cluster.until(() => assert.ok(cluster.broker(1).store.wasDeleted(topic.partitions[0]!.group)))
  index.resume()
  await cluster.refused(read, 'topic-deleted')
  await cluster.refused(cluster.read(1, topic), 'topic-deleted')
})

test('a follower that was cut off catches up with everything it missed', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', { maxLagSlots: 20, maxLagMs: 1_000 })
  const leader = cluster.leaderOf(topic)
  const behind = cluster.others(leader)[0]!
  cluster.isolate(behind)
  // More than MaxLag: it has to pull, and to be brought back into the log.
  for (let count = 0; count < 50; count++)
    await cluster.finish(cluster.append(leader, topic, `value ${count}`))
  cluster.network.healAll()
  await cluster.until(() => assert.equal(partitionOf(cluster, behind, topic).highWatermark, 50))
  const values = await cluster.finish(cluster.read(behind, topic))
  assert.deepEqual([values[0], values.length, values[49]], ['value 0', 50, 'value 49'])
  await cluster.until(() => assert.equal(partitionOf(cluster, leader, topic).replica.paxos.inSyncCount, 3))
})

test('a topic that demands more replicas in sync than there are refuses records', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', { minInSync: 3 })
  const leader = cluster.leaderOf(topic)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.kill(cluster.others(leader)[0]!)
  await cluster.until(() => assert.equal(partitionOf(cluster, leader, topic).replica.paxos.inSyncCount, 2))
  await cluster.refused(cluster.append(leader, topic, 'b'), 'not-enough-in-sync')
  const directory = cluster.services(leader).directory
  await cluster.finish(
    directory.alter('orders', { config: { minInSync: 2 }, partitions: undefined }, undefined),
  )
  assert.equal((await cluster.finish(cluster.append(leader, topic, 'b'))).baseOffset, 1)
})

test('records of many producers at once are each stored once, in one order on all brokers', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const appends = Array.from({ length: 300 }, (_, index) =>
    cluster.append(cluster.ids[index % 3]!, topic, `value ${index}`),
  )
  const receipts = await cluster.finish(Promise.all(appends))
  const expected: string[] = []
  receipts.forEach(({ baseOffset }, index) => (expected[baseOffset!] = `value ${index}`))
  assert.equal(expected.filter((value) => value !== undefined).length, 300)
  for (const id of cluster.ids) {
    await cluster.until(() => assert.equal(partitionOf(cluster, id, topic).highWatermark, 300))
    assert.deepEqual(await cluster.finish(cluster.read(id, topic)), expected)
  }
})

test('a full append queue refuses records that wait for a slow disk, and only those', async (t) => {
  const cluster = await TestCluster.start(t, {
    size: 1,
    config: { memory: { ...MEMORY, tailCacheBytes: 1_000, appendQueueBytesMax: 5_000 } },
  })
  const topic = await cluster.topic()
  cluster.disk(1).journal.pause()
  const appends = Array.from({ length: 10 }, () => cluster.append(1, topic, 'x'.repeat(1_000)))
  const outcomes = Promise.allSettled(appends)
  await cluster.pass(20)
  cluster.disk(1).journal.resume()
  const settled = await cluster.finish(outcomes)
  const refused = settled.flatMap((each) =>
    each.status === 'rejected' ? [each.reason as { code: string }] : [],
  )
  assert.ok(refused.length > 0 && refused.length < 10)
  assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['overloaded']))
  assert.equal((await cluster.finish(cluster.read(1, topic))).length, 10 - refused.length)
})
