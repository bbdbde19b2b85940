import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { flipText } from '../support/flip.ts'
import { withTopic } from './with-topic.ts'

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
  assert.match(error.message, /The records at offset 1 cannot be read/)
})

test('the scrub finds what nobody reads, and it is mended', async (t) => {
  const { cluster, id, replica } = await withDamage(t, 'leader')
  await cluster.allReady()
  await cluster.until(() => assert.equal(replica().repairedCount, 1), { withinMs: 120_000 })
  assert.equal(replica().paxos.damagedCount, 0)
  assert.deepEqual(cluster.broker(id).failures, [])
})
