import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTROLLER_GROUP } from '../../src/types/ids.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import { TestCluster } from '../support/cluster.ts'
import { copyOf } from '../support/test-broker.ts'

test('empty brokers form a cluster when all of them are there, whatever the order of their starts', async (t) => {
  const cluster = new TestCluster(t)
  for (const id of [3, 2]) await cluster.open(id)
  await cluster.pass(5_000)
  for (const broker of cluster.brokers) assert.equal(broker.store.identity.clusterId, '')
  await cluster.open(1)
  await cluster.allReady()
  const clusterIds = new Set(cluster.brokers.map((broker) => broker.store.identity.clusterId))
  assert.equal(clusterIds.size, 1)
  for (const broker of cluster.brokers) {
    const { voters } = broker.control.group.replica.paxos.configuration
    assert.deepEqual(
      voters,
      cluster.brokers
        .map((each) => ({ broker: each.id, store: each.store.identity.storeId }))
        .toSorted((a, b) => a.broker - b.broker),
    )
  }
})

test('a broker that is killed while the cluster is formed takes it up again', async (t) => {
  // Whatever step of the formation the kill comes after: before it, between its two writes, and after them.
  for (let stepCount = 1; stepCount <= 8; stepCount++) {
    const cluster = new TestCluster(t)
    for (const id of cluster.ids) await cluster.open(id)
    await cluster.pass(stepCount * 5)
    await cluster.kill(1)
    await cluster.pass(1_000)
    await cluster.open(1)
    await cluster.allReady()
    const clusterIds = new Set(cluster.brokers.map((broker) => broker.store.identity.clusterId))
    assert.equal(clusterIds.size, 1)
  }
})

test('a founder that was away is told of its cluster by any other one, also when the disk of who formed it is lost', async (t) => {
  const cluster = new TestCluster(t)
  await cluster.open(3)
  await cluster.pass(1_000)
  await cluster.kill(3)
  const beforeItWasTold = { ...copyOf(cluster.disk(3)), identity: new MemoryIdentityFile() }
  await beforeItWasTold.identity.write((await cluster.disk(3).identity.read())!)
  for (const id of cluster.ids) await cluster.open(id)
  await cluster.allReady()
  for (const id of cluster.ids) await cluster.kill(id)
  cluster.wipe(1)
  cluster.putBack(3, beforeItWasTold)
  for (const id of [2, 3]) await cluster.open(id)
  assert.equal(cluster.broker(3).store.identity.clusterId, '')
  await cluster.pass(15_000)
  assert.equal(cluster.broker(3).store.identity.clusterId, cluster.broker(2).store.identity.clusterId)
})

test('a broker that comes back is in its cluster without asking the seeds', async (t) => {
  const cluster = await TestCluster.start(t)
  const { clusterId } = cluster.broker(1).store.identity
  for (const id of cluster.ids) await cluster.kill(id)
  for (const id of [1, 2]) await cluster.open(id)
  await cluster.allReady()
  assert.equal(cluster.broker(1).store.identity.clusterId, clusterId)
})

test('wiped brokers form no new cluster beside one that holds data, and do not vote in it', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  await cluster.finish(cluster.append(1, topic, 'precious'))
  for (const id of cluster.ids) await cluster.kill(id)
  cluster.wipe(1)
  cluster.wipe(2)
  for (const id of cluster.ids) await cluster.open(id)
  await cluster.pass(15_000)
  for (const id of [1, 2]) {
    const broker = cluster.broker(id)
    assert.equal(broker.store.identity.clusterId, cluster.broker(3).store.identity.clusterId)
    const { isVoter, commit } = broker.engine.registry.replica(CONTROLLER_GROUP)!.paxos
    assert.equal(isVoter, false)
    assert.ok(commit <= cluster.broker(3).control.group.replica.paxos.commit)
    assert.equal(broker.composition.ports.cluster.health().ready, false)
  }
  assert.equal(cluster.broker(3).isReady, false)
})

test('one wiped broker stays outside while the others have no majority without it', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  await cluster.finish(cluster.append(2, topic, 'a'))
  await cluster.kill(1)
  cluster.wipe(1)
  await cluster.finish(cluster.append(2, topic, 'b'))
  const stays = cluster.leaderOf(topic)
  await cluster.kill(cluster.others(stays)[0]!)
  const wiped = await cluster.open(1)
  await cluster.pass(15_000)
  assert.equal(wiped.control.group.replica.paxos.isVoter, false)
  assert.equal(wiped.composition.ports.cluster.health().ready, false)
  assert.deepEqual(await cluster.finish(cluster.read(stays, topic)), ['a', 'b'])
})

test('a broker of one cluster takes no other', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const { membership, store } = cluster.broker(1)
  const voters = [{ broker: cluster.broker(1).id, store: store.identity.storeId }]
  await membership.accept({ clusterId: store.identity.clusterId, voters })
  await assert.rejects(membership.accept({ clusterId: 'another', voters }), /takes no other/)
})

test('a broker is reached where the seeds say, else where it listens', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  assert.deepEqual(cluster.broker(1).membership.ownAddress(7), { host: 'memory', port: 1_001 })
  const alone = await TestCluster.start(t, { size: 1, config: { seeds: [] } })
  assert.deepEqual(alone.broker(1).membership.ownAddress(7), { host: '127.0.0.1', port: 7 })
})

test('a broker that nobody knew joins a cluster that exists, learns its metadata, and votes on it as the third one', async (t) => {
  const cluster = await TestCluster.start(t, { size: 2 })
  const topic = await cluster.topic('orders')
  const joined = await cluster.open(3)
  await cluster.allReady()
  assert.deepEqual(joined.control.group.metadata.topic('orders'), topic)
  const voters = () =>
    cluster.brokers.map((broker) =>
      broker.control.group.replica.paxos.configuration.voters.map((voter) => Number(voter.broker)),
    )
  await cluster.until(() =>
    assert.deepEqual(voters(), [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]),
  )
  await cluster.kill(1)
  const spec = { partitions: undefined, replicationFactor: 2, config: {} }
  const made = await cluster.finish(cluster.services(3).directory.create('later', spec))
  assert.equal(made.created, true)
  await cluster.kill(3)
  await cluster.open(1)
  await cluster.open(3)
  await cluster.allReady()
})

test('a fourth broker knows all topics without a vote, and its restart changes nothing', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.open(4)
  await cluster.allReady()
  const topic = await cluster.topic('orders', {}, 4)
  await cluster.kill(4)
  await cluster.open(4)
  await cluster.allReady()
  const { metadata, replica } = cluster.broker(4).control.group
  assert.deepEqual(metadata.topic('orders'), topic)
  assert.deepEqual(
    replica.paxos.configuration.voters.map((voter) => Number(voter.broker)),
    [1, 2, 3],
  )
  assert.deepEqual(
    metadata.brokers().map(({ id }) => Number(id)),
    [1, 2, 3, 4],
  )
})
