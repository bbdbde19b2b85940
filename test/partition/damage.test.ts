import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { groupRange, INDEX_TAG } from '../../src/storage/keys.ts'
import { flipText, putFlipped } from '../support/flip.ts'
import { highWatermark, withTopic } from './with-topic.ts'

/** Applied state has reached the index, so that a start reads no entry of it. */
const SETTLED_MS = 1_000

/** Three records a slot each on three brokers; the second one is damaged on one of them, which was started anew since. */
async function withDamage(t: TestContext, which: 'leader' | 'follower' = 'follower') {
  const scene = await withTopic(t)
  const { cluster, topic, leader, follower } = scene
  const group = topic.partitions[0]!.group
  const id = which === 'leader' ? leader : follower
  for (const value of ['first', 'second', 'third']) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.pass(SETTLED_MS)
  await cluster.kill(id)
  await flipText(cluster.disk(id).journal, 'second')
  await cluster.open(id)
  const replica = () => {
    const partition = cluster.broker(id).partition(group)
    assert.ok(partition !== undefined, `Broker ${id} has no replica yet.`)
    return partition.replica
  }
  return { ...scene, group, id, replica }
}

test('a page that this broker cannot read comes from another one, and the damage is mended', async (t) => {
  const { cluster, topic, id, replica } = await withDamage(t)
  await cluster.allReady()
  assert.equal(replica().paxos.damagedCount, 0, 'Nobody has read it yet.')
  assert.deepEqual(await cluster.finish(cluster.read(id, topic, { recordsMax: 1 })), ['first'])
  assert.deepEqual(await cluster.finish(cluster.read(id, topic, { fromOffset: 1 })), ['second', 'third'])
  await cluster.until(() => assert.equal(replica().repairedCount, 1))
  const { registry } = cluster.broker(id).engine
  assert.deepEqual([registry.damagedCount, registry.repairedCount], [0, 1])
  cluster.isolate(id)
  assert.deepEqual(await cluster.finish(cluster.read(id, topic)), ['first', 'second', 'third'])
  const [warning] = cluster.broker(id).warnings.filter((sentence) => sentence.includes('does not give back'))
  assert.match(warning ?? '', /1 entries, the first is slot 2 of group \d+/)
})

test('a broker that does not lead is asked by one that holds no replica when the leader cannot read', async (t) => {
  const scene = await withTopic(t, 4)
  const { cluster, topic } = scene
  const group = topic.partitions[0]!.group
  const outside = cluster.ids.find((id) => cluster.broker(id).partition(group) === undefined)!
  for (const value of ['first', 'second']) await cluster.finish(cluster.append(outside, topic, value))
  await cluster.pass(SETTLED_MS)
  const { replicas } = topic.partitions[0]!
  for (const id of replicas) {
    await cluster.kill(id)
    await cluster.open(id)
  }
  await cluster.allReady()
  const leader = await cluster.until(() => cluster.leaderOf(topic))
  await flipText(cluster.disk(leader).journal, 'second')
  assert.deepEqual(await cluster.finish(cluster.read(outside, topic, { fromOffset: 1 })), ['second'])
})

test('with no other broker in reach what cannot be read is refused, and what stands below it is served', async (t) => {
  const { cluster, topic, id } = await withDamage(t)
  await cluster.allReady()
  cluster.isolate(id)
  assert.deepEqual(await cluster.finish(cluster.read(id, topic)), ['first'])
  const error = await cluster.refused(cluster.read(id, topic, { fromOffset: 1 }), 'replica-damaged')
  assert.match(error.message, /The records at offset 1 cannot be read on this broker/)
})

test('the scrub finds what nobody reads, and it is mended', async (t) => {
  const { cluster, id, replica } = await withDamage(t, 'leader')
  await cluster.allReady()
  await cluster.until(() => assert.equal(replica().repairedCount, 1), { withinMs: 120_000 })
  assert.equal(replica().paxos.damagedCount, 0)
  assert.deepEqual(cluster.broker(id).failures, [])
})

test('a page and a time whose index rows are damaged come from another broker; the next start rebuilds the index', async (t) => {
  const scene = await withTopic(t)
  const { cluster, topic, leader, follower: id } = scene
  for (const value of ['first', 'second']) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.pass(SETTLED_MS)
  await cluster.stop(id)
  const { index } = cluster.disk(id)
  const marks = await index.scan({ ...groupRange(INDEX_TAG.MARK, topic.partitions[0]!.group), countMax: 9 })
  assert.ok(marks.length > 0)
  for (const mark of marks) await putFlipped(index, mark, 6)
  await cluster.open(id)
  await cluster.allReady()
  assert.deepEqual(await cluster.finish(cluster.read(id, topic)), ['first', 'second'])
  const { log } = cluster.services(id)
  assert.equal(await cluster.finish(log.resolve(topic, 0, { kind: 'time', timeMs: 1 })), 0)
  assert.match(cluster.broker(id).warnings.join(), /will be rebuilt at the next start/)
  await cluster.stop(id)
  await cluster.open(id)
  await cluster.allReady()
  // What state machines did is lost with an index; the leader says what is chosen.
  await cluster.until(() => assert.equal(highWatermark(cluster, id, topic), 2))
  cluster.isolate(id)
  assert.deepEqual(await cluster.finish(cluster.read(id, topic)), ['first', 'second'])
})

test('a trim whose batch is damaged on the leader is refused as that, and done once it is mended', async (t) => {
  const { cluster, topic, leader: first } = await withTopic(t)
  for (const value of ['first', 'second']) await cluster.finish(cluster.append(first, topic, value))
  await cluster.pass(SETTLED_MS)
  for (const id of cluster.ids) {
    await cluster.kill(id)
    await cluster.open(id)
  }
  await cluster.allReady()
  const leader = await cluster.until(() => cluster.leaderOf(topic))
  await flipText(cluster.disk(leader).journal, 'second')
  const trim = () => cluster.services(leader).log.trim(topic, 0, 1)
  const error = await cluster.refused(trim(), 'replica-damaged')
  assert.match(error.message, /The batch at offset 1 cannot be read on this broker/)
  const { replica } = cluster.broker(leader).partition(topic.partitions[0]!.group)!
  await cluster.until(() => assert.equal(replica.repairedCount, 1))
  assert.equal(await cluster.finish(trim()), 1)
})
