import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from '../../src/types/operation.ts'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

const PARTITIONS = 5

function metadataAt(cluster: TestCluster, at: number) {
  return cluster.broker(at).control.group.metadata
}

function controllerOf(cluster: TestCluster): number {
  const [controller] = cluster.brokers.filter((broker) => broker.control.group.isController)
  assert.ok(controller !== undefined, 'Somebody is the controller.')
  return controller.id
}

function replacements(cluster: TestCluster, at: number): readonly Operation[] {
  return metadataAt(cluster, at)
    .operations()
    .filter(({ subject }) => subject.kind === 'replace-store')
}

/** The store of a broker votes in every group, as each other broker's own replicas say, and is the registered one. */
async function votesEverywhere(cluster: TestCluster, topic: Topic, id: number): Promise<void> {
  const { storeId } = cluster.broker(id).store.identity
  await cluster.until(
    () => {
      for (const broker of cluster.brokers) {
        const groups = topic.partitions.map(({ group }) => broker.partition(group)!.replica)
        for (const replica of [broker.control.group.replica, ...groups]) {
          const vote = replica.paxos.configuration.voters.find((voter) => voter.broker === id)
          assert.equal(vote?.store, storeId, `broker ${broker.id}, group ${replica.group}`)
        }
        const member = broker.control.group.metadata.broker(cluster.broker(id).id)
        assert.deepEqual([member?.store, member?.pendingStore], [storeId, undefined])
      }
      assert.equal(cluster.broker(id).engine.vouching.reason, undefined)
    },
    { withinMs: 60_000 },
  )
}

async function filled(cluster: TestCluster, topic: Topic): Promise<void> {
  for (const { partition } of topic.partitions)
    for (const value of ['a', 'b'])
      await cluster.finish(cluster.append(1, topic, `${partition}${value}`, { partition }))
}

async function holdsAll(cluster: TestCluster, topic: Topic, at: number, values: string): Promise<void> {
  for (const { partition, group } of topic.partitions) {
    await cluster.until(() => assert.equal(cluster.broker(at).partition(group)?.highWatermark, values.length))
    const read = await cluster.finish(cluster.read(at, topic, { partition }))
    assert.deepEqual(
      read,
      values.split('').map((value) => `${partition}${value}`),
    )
  }
}

async function wiped(cluster: TestCluster, id: number): Promise<void> {
  await cluster.kill(id)
  cluster.wipe(id)
  await cluster.open(id)
}

test('a broker that lost its disk votes in all its groups again, and then another one may die', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const lost = cluster.others(controllerOf(cluster))[0]!
  await wiped(cluster, lost)
  await votesEverywhere(cluster, topic, lost)
  const [operation] = replacements(cluster, lost)
  assert.deepEqual(
    [operation?.state, operation?.stepsDone, operation?.stepsTotal],
    ['done', PARTITIONS + 1, PARTITIONS + 1],
  )
  const [other] = cluster.others(lost, controllerOf(cluster))
  await cluster.kill(other!)
  for (const { partition } of topic.partitions)
    await cluster.finish(cluster.append(lost, topic, `${partition}c`, { partition }), { withinMs: 20_000 })
  await holdsAll(cluster, topic, lost, 'abc')
})

test('the controller itself comes back with an empty disk', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const lost = controllerOf(cluster)
  await wiped(cluster, lost)
  await votesEverywhere(cluster, topic, lost)
  await holdsAll(cluster, topic, lost, 'ab')
})

test('all disks can be replaced one after the other', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  for (const id of [1, 2, 3]) {
    await wiped(cluster, id)
    await votesEverywhere(cluster, topic, id)
  }
  for (const id of [1, 2, 3]) await holdsAll(cluster, topic, id, 'ab')
})

test('another controller goes on with a replacement where one died', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const controller = controllerOf(cluster)
  const [lost, other] = cluster.others(controller)
  await wiped(cluster, lost!)
  await cluster.until(() => assert.ok((replacements(cluster, other!)[0]?.stepsDone ?? 0) > 0), {
    withinMs: 60_000,
  })
  await cluster.kill(controller)
  await cluster.pass(3_000)
  await cluster.open(controller)
  await votesEverywhere(cluster, topic, lost!)
  await holdsAll(cluster, topic, lost!, 'ab')
})

test('a second disk lost in the middle of the replacement of the first is replaced instead', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const [lost, other] = cluster.others(controllerOf(cluster))
  await wiped(cluster, lost!)
  await cluster.until(() => assert.ok((replacements(cluster, other!)[0]?.stepsDone ?? 0) > 0), {
    withinMs: 60_000,
  })
  await wiped(cluster, lost!)
  await votesEverywhere(cluster, topic, lost!)
  await holdsAll(cluster, topic, lost!, 'ab')
})

test('the lost disk that turns up again gets the votes back that went to the new one', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const [lost, other] = cluster.others(controllerOf(cluster))
  await cluster.kill(lost!)
  const disk = cluster.disk(lost!)
  cluster.wipe(lost!)
  await cluster.open(lost!)
  await cluster.until(() => assert.ok((replacements(cluster, other!)[0]?.stepsDone ?? 0) > 0), {
    withinMs: 60_000,
  })
  await cluster.kill(lost!)
  cluster.putBack(lost!, disk)
  await cluster.open(lost!)
  await votesEverywhere(cluster, topic, lost!)
  await holdsAll(cluster, topic, lost!, 'ab')
})

test('a store waits for its votes while the others have no majority, and gets them when they have', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, PARTITIONS)
  await filled(cluster, topic)
  const controller = controllerOf(cluster)
  const [lost, other] = cluster.others(controller)
  await cluster.kill(other!)
  await wiped(cluster, lost!)
  await cluster.pass(10_000)
  await cluster.refused(cluster.append(controller, topic, '0c'), 'no-quorum', { withinMs: 15_000 })
  await cluster.open(other!)
  await votesEverywhere(cluster, topic, lost!)
  await holdsAll(cluster, topic, lost!, 'ab')
})
