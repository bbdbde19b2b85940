import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

async function create(cluster: TestCluster, name: string, spec: object = {}) {
  const asked = { partitions: undefined, replicationFactor: undefined, config: {}, ...spec }
  return cluster.services(1).directory.create(name, asked)
}

test('partitions are spread over the brokers, three replicas each if there are as many', async (t) => {
  const cluster = await TestCluster.start(t, { size: 4 })
  const { topic } = await cluster.finish(create(cluster, 'orders', { partitions: 8 }))
  const replicaCounts = new Map<number, number>()
  const preferred = new Map<number, number>()
  for (const { replicas } of topic.partitions) {
    assert.equal(new Set(replicas).size, 3)
    for (const id of replicas) replicaCounts.set(id, (replicaCounts.get(id) ?? 0) + 1)
    preferred.set(replicas[0]!, (preferred.get(replicas[0]!) ?? 0) + 1)
  }
  assert.deepEqual([...replicaCounts.values()], [6, 6, 6, 6])
  assert.deepEqual([...preferred.values()], [2, 2, 2, 2])
})

test('a cluster of one has one replica, unless more are asked for', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const { topic } = await cluster.finish(create(cluster, 'orders'))
  assert.deepEqual(topic.partitions[0]!.replicas, [1])
  await cluster.refused(create(cluster, 'more', { replicationFactor: 2 }), 'not-enough-brokers')
})

test('dead brokers get no replicas while there are enough others', async (t) => {
  const cluster = await TestCluster.start(t, { size: 4 })
  await cluster.kill(4)
  await cluster.pass(2_000)
  const { topic } = await cluster.finish(create(cluster, 'orders', { partitions: 4 }))
  for (const { replicas } of topic.partitions) assert.deepEqual(replicas.toSorted(), [1, 2, 3])
  const four = await cluster.finish(create(cluster, 'all', { replicationFactor: 4 }))
  assert.deepEqual(four.topic.partitions[0]!.replicas.toSorted(), [1, 2, 3, 4])
})

test('what cannot be is refused with a reason', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  await cluster.refused(create(cluster, 'no spaces'), 'invalid-parameter')
  for (const spec of [
    { partitions: 0 },
    { partitions: 1.5 },
    { partitions: 1_001 },
    { replicationFactor: 0 },
    { replicationFactor: 8 },
    { config: { maxLagMs: -1 } },
  ])
    await cluster.refused(create(cluster, 'orders', spec), 'invalid-config')
  const { directory } = cluster.services(1)
  const nothing = { config: {}, partitions: undefined }
  const missing = await cluster.refused(directory.alter('missing', nothing, undefined), 'topic-not-found')
  assert.match(missing.hint ?? '', /Create it/)
  await cluster.finish(create(cluster, 'orders'))
  const near = await cluster.refused(directory.delete('order', undefined), 'topic-not-found')
  assert.match(near.hint ?? '', /orders/)
})

test('who is not the controller says so', async (t) => {
  const cluster = await TestCluster.start(t)
  const follower = cluster.brokers.find((broker) => !broker.control.group.isController)!
  const request = { kind: 'controller', group: 0 as never, body: Buffer.from('{"kind":"position"}') }
  const options = { deadlineMs: 1_000, signal: new AbortController().signal }
  await cluster.refused(follower.control.handle(1 as never, request, options), 'no-leader')
})

test('a new broker may ask anybody: who is not the controller passes it on', async (t) => {
  const cluster = await TestCluster.start(t)
  const follower = cluster.brokers.find((broker) => !broker.control.group.isController)!
  const [{ membership: _, ...known }] = follower.control.group.metadata.brokers() as [Member]
  const stranger = { ...known, id: 9, store: '9'.repeat(32) }
  const body = Buffer.from(JSON.stringify({ kind: 'registerBroker', broker: stranger }))
  const request = { kind: 'introduction', group: 0 as never, body }
  const options = { deadlineMs: 1_000, signal: new AbortController().signal }
  await cluster.finish(follower.control.handle(9 as never, request, options))
  await cluster.until(() => {
    for (const { control } of cluster.brokers)
      assert.equal(control.group.metadata.broker(9 as never)?.store, stranger.store)
  })
})

test('a broker whose store is another one than the registered one is refused', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const [{ membership: _, ...known }] = cluster.broker(1).control.group.metadata.brokers() as [Member]
  const stranger = { ...known, store: 'f'.repeat(32) }
  const error = await cluster.refused(cluster.services(1).directory.register(stranger), 'internal')
  assert.match(error.hint ?? '', /old data folder/)
})

test('a broker that moved is known at its new address', async (t) => {
  const cluster = await TestCluster.start(t)
  const [{ membership: _, ...known }] = cluster.broker(1).control.group.metadata.brokers() as [Member]
  const moved = { ...known, publicUrl: 'http://elsewhere' }
  await cluster.finish(cluster.services(2).directory.register(moved))
  for (const id of cluster.ids)
    await cluster.until(() =>
      assert.equal(cluster.services(id).status.brokers()[0]!.publicUrl, 'http://elsewhere'),
    )
})
