import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

test('all brokers name the same controller and the same members, with what they carry', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic('orders', {}, 6)
  await cluster.until(() => {
    const controllers = new Set(cluster.ids.map((id) => cluster.services(id).status.controller()))
    assert.equal(controllers.size, 1)
    for (const id of cluster.ids) {
      const brokers = cluster.services(id).status.brokers()
      assert.deepEqual(
        brokers.map((broker) => [broker.id, broker.state, broker.replicaCount]),
        [1, 2, 3].map((member) => [member, 'alive', 6]),
      )
      const leaderCount = brokers.reduce((sum, broker) => sum + broker.leaderCount, 0)
      assert.equal(leaderCount, 6)
      const own = brokers.find((broker) => broker.id === id)!
      assert.equal(own.leaderCount, cluster.broker(id).engine.registry.leaderCount)
      assert.equal(own.diskFreeBytes, 2 ** 40)
      assert.equal(brokers.filter((broker) => broker.diskFreeBytes !== undefined).length, 1)
    }
  })
})

test('a broker that dies is shown as dead, one that is about to stop as draining', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.kill(3)
  cluster.broker(2).engine.heartbeats.drain()
  await cluster.until(() =>
    assert.deepEqual(
      cluster
        .services(1)
        .status.brokers()
        .map(({ state }) => state),
      ['alive', 'draining', 'dead'],
    ),
  )
})

test('a leader says how far behind the brokers that follow it are', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [first, second] = cluster.others(leader) as [number, number]
  const lagOf = (answering: number, broker: number) =>
    cluster
      .services(answering)
      .status.brokers()
      .find(({ id }) => id === broker)?.lag
  await cluster.until(() => assert.deepEqual(lagOf(leader, first), { slots: 0, ms: 0 }))
  assert.equal(lagOf(first, second), undefined)
  await cluster.kill(second)
  await cluster.finish(cluster.append(leader, topic, 'while it is away'))
  await cluster.until(() => {
    const behind = lagOf(leader, second)
    assert.ok(behind !== undefined && behind.slots > 0 && behind.ms > 0)
    assert.deepEqual(lagOf(leader, first), { slots: 0, ms: 0 })
  })
})

test('a broker that is asked to stop hands over its partitions at once', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const follower = cluster.others(leader)[0]!
  await cluster.stop(leader)
  const startedMs = cluster.clock.nowMs()
  const receipt = await cluster.finish(cluster.append(follower, topic, 'after'))
  assert.notEqual(Number(receipt.leader), leader)
  assert.ok(cluster.clock.nowMs() - startedMs < 1_000, 'Nobody waits to suspect a broker that said goodbye.')
})
