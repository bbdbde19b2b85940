import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'
import type { Topic } from '../../src/types/topic.ts'

const ON = { config: { leaderBalance: 'on' } } as const

function preferredCount(cluster: TestCluster, topic: Topic): number {
  return topic.partitions.filter(
    ({ partition, replicas }) => cluster.leaderOf(topic, partition) === replicas[0],
  ).length
}

test('a broker that returned leads its partitions again after a minute, and no request fails', async (t) => {
  const cluster = await TestCluster.start(t, ON)
  const topic = await cluster.topic('orders', {}, 12)
  await cluster.kill(3)
  await cluster.until(() => assert.ok(preferredCount(cluster, topic) < 12))
  await cluster.pass(3_000)
  await cluster.open(3)
  await cluster.allReady()
  await cluster.pass(45_000)
  const own = topic.partitions.filter(({ replicas }) => replicas[0] === 3)
  for (const { partition } of own) assert.notEqual(cluster.leaderOf(topic, partition), 3)
  const partition = own[0]!.partition
  await cluster.until(() => assert.equal(preferredCount(cluster, topic), 12), { withinMs: 40_000 })
  const receipt = await cluster.finish(cluster.append(1, topic, 'after', { partition }))
  assert.equal(Number(receipt.leader), 3)
})

test('another controller goes on where one died', async (t) => {
  const cluster = await TestCluster.start(t, { ...ON, size: 5 })
  const topic = await cluster.topic('orders', {}, 10)
  const controller = cluster.services(1).status.controller()!
  const away = cluster.others(controller)[0]!
  await cluster.kill(away)
  await cluster.pass(3_000)
  await cluster.open(away)
  await cluster.allReady()
  await cluster.kill(controller)
  await cluster.until(
    () => {
      for (const { partition, replicas } of topic.partitions)
        if (replicas[0] === away) assert.equal(cluster.leaderOf(topic, partition), away)
    },
    { withinMs: 100_000 },
  )
})

test('where the balance is off leaders stay where they are', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic('orders', {}, 6)
  await cluster.kill(3)
  await cluster.pass(3_000)
  await cluster.open(3)
  await cluster.allReady()
  await cluster.pass(90_000)
  assert.equal(cluster.broker(3).engine.registry.leaderCount, 0)
})
