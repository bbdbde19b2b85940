import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerId } from '../../src/types/ids.ts'
import type { Operation } from '../../src/types/operation.ts'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

const ids = (...numbers: number[]) => numbers.map(brokerId)

/** A cluster of three that brokers 4 and 5 have joined. */
async function grown(t: Parameters<typeof TestCluster.start>[0]): Promise<TestCluster> {
  const cluster = await TestCluster.start(t)
  for (const id of [4, 5]) await cluster.open(id)
  await cluster.allReady()
  return cluster
}

/** Appends through all brokers of `at` in turn until it is stopped; no request may fail. */
function produce(cluster: TestCluster, topic: Topic, at: readonly number[], partition = 0) {
  const stored: string[] = []
  let isOver = false
  const run = async () => {
    for (let count = 0; !isOver; count++) {
      const value = `${partition}-${count}`
      await cluster.append(at[count % at.length]!, topic, value, { partition })
      stored.push(value)
    }
  }
  const running = run()
  running.catch(() => {})
  return {
    async stop(): Promise<readonly string[]> {
      isOver = true
      await cluster.finish(running)
      return stored
    },
  }
}

async function ended(cluster: TestCluster, at: number, operation: Operation): Promise<Operation> {
  return cluster.until(
    () => {
      const now = cluster.broker(at).control.group.metadata.operation(operation.id)!
      assert.notEqual(now.state, 'running', JSON.stringify(now))
      return now
    },
    { withinMs: 60_000 },
  )
}

function placementOf(cluster: TestCluster, at: number, topic: Topic, partition = 0) {
  return cluster.broker(at).control.group.metadata.topic(topic.name)!.partitions[partition]!
}

/** Each broker holds exactly what is placed on it. */
async function holdsWhatIsPlaced(cluster: TestCluster, topic: Topic): Promise<void> {
  await cluster.until(() => {
    for (const { partition, group } of topic.partitions) {
      for (const broker of cluster.brokers) {
        const { replicas } = placementOf(cluster, Number(broker.id), topic, partition)
        assert.equal(broker.partition(group) !== undefined, replicas.includes(broker.id))
      }
    }
  })
}

test('a partition moves to other brokers under load, nothing fails and nothing is lost', async (t) => {
  const cluster = await grown(t)
  const topic = await cluster.topic()
  const producer = produce(cluster, topic, [1, 2, 3, 4, 5])
  await cluster.pass(500)
  const operation = await cluster.finish(cluster.services(5).operations.moveReplicas(topic, 0, ids(4, 5, 1)))
  assert.equal((await ended(cluster, 2, operation)).state, 'done')
  await cluster.pass(500)
  const stored = await producer.stop()
  const { replicas, configuration } = placementOf(cluster, 1, topic)
  assert.deepEqual([replicas, configuration], [ids(4, 5, 1), 2])
  await holdsWhatIsPlaced(cluster, topic)
  const moved = { ...topic, partitions: [placementOf(cluster, 1, topic)] }
  await cluster.pass(200)
  for (const at of [1, 4, 5]) assert.deepEqual(await cluster.finish(cluster.read(at, moved)), stored)
  // There and back: a store that has retired takes part again.
  const back = await cluster.finish(cluster.services(1).operations.moveReplicas(topic, 0, ids(2, 3, 1)))
  assert.equal((await ended(cluster, 1, back)).state, 'done')
  await holdsWhatIsPlaced(cluster, topic)
  const home = { ...topic, partitions: [placementOf(cluster, 1, topic)] }
  await cluster.pass(500)
  for (const at of [1, 2, 3]) assert.deepEqual(await cluster.finish(cluster.read(at, home)), stored)
})

test('a broker is drained, removed, and the others go on', async (t) => {
  const cluster = await grown(t)
  const topic = await cluster.topic('orders', {}, 6)
  const producers = topic.partitions.map(({ partition }) => produce(cluster, topic, [1, 3], partition))
  const drained = await cluster.finish(cluster.services(1).operations.drain(brokerId(2)))
  assert.equal((await ended(cluster, 1, drained)).state, 'done')
  await holdsWhatIsPlaced(cluster, topic)
  assert.equal(cluster.broker(2).engine.registry.replicaCount, 0)
  const removed = await cluster.finish(cluster.services(1).operations.remove(brokerId(2), false))
  assert.equal((await ended(cluster, 1, removed)).state, 'done')
  await cluster.until(() => assert.equal(cluster.broker(2).isRemoved, true))
  await cluster.kill(2)
  await cluster.pass(1_000)
  for (const [partition, producer] of producers.entries()) {
    const stored = await producer.stop()
    const now = {
      ...topic,
      partitions: topic.partitions.with(partition, placementOf(cluster, 1, topic, partition)),
    }
    const at = Number(now.partitions[partition]!.replicas[0])
    await cluster.pass(100)
    assert.deepEqual(await cluster.finish(cluster.read(at, now, { partition })), stored)
  }
  const { voters } = cluster.broker(1).control.group.replica.paxos.configuration
  assert.deepEqual(voters.map(({ broker }) => Number(broker)).toSorted(), [1, 3, 4])
})

test('an operation ends although its controller dies in the middle', async (t) => {
  const cluster = await grown(t)
  const topic = await cluster.topic('orders', {}, 6)
  for (const { partition } of topic.partitions)
    await cluster.finish(cluster.append(1, topic, `before ${partition}`, { partition }))
  const controller = Number(cluster.services(1).status.controller()!)
  const leaving = [1, 2, 3].find((id) => id !== controller)!
  const at = [1, 2, 3].find((id) => id !== controller && id !== leaving)!
  const operation = await cluster.finish(cluster.services(at).operations.drain(brokerId(leaving)))
  await cluster.until(() =>
    assert.ok(
      cluster
        .broker(at)
        .control.group.metadata.changing()
        .some(({ change }) => change !== undefined),
    ),
  )
  await cluster.kill(controller)
  assert.equal((await ended(cluster, at, operation)).state, 'done')
  await cluster.open(controller)
  await cluster.allReady()
  await holdsWhatIsPlaced(cluster, topic)
  for (const { partition } of topic.partitions) {
    const now = placementOf(cluster, at, topic, partition)
    const there = { ...topic, partitions: topic.partitions.with(partition, now) }
    const read = await cluster.finish(cluster.read(at, there, { partition }))
    assert.deepEqual(read, [`before ${partition}`])
  }
})

test('a broker that is gone for good is removed by force, and its replicas are rebuilt', async (t) => {
  const cluster = await grown(t)
  const topic = await cluster.topic('orders', {}, 4)
  await cluster.finish(cluster.append(1, topic, 'kept'))
  await cluster.kill(3)
  await cluster.pass(2_000)
  await cluster.refused(cluster.services(1).operations.remove(brokerId(3), false), 'would-lose-quorum')
  const operation = await cluster.finish(cluster.services(1).operations.remove(brokerId(3), true))
  assert.equal((await ended(cluster, 1, operation)).state, 'done')
  for (const { partition } of topic.partitions) {
    const { replicas } = placementOf(cluster, 1, topic, partition)
    assert.equal(replicas.length, 3)
    assert.ok(!replicas.includes(brokerId(3)))
  }
  // It comes back with its old store: nobody takes it in, and it is told to stop as one that ran when it was removed.
  const old = await cluster.open(3)
  await cluster.until(() => assert.ok(old.isRemoved))
  await cluster.pass(500)
  assert.equal(old.isReady, false)
  assert.deepEqual(old.failures, [])
})

test('a broker that was removed by force while it was cut off is told so when it reaches anybody, however late', async (t) => {
  const cluster = await grown(t)
  await cluster.topic('orders', {}, 4)
  cluster.isolate(4)
  await cluster.pass(2_000)
  const operation = await cluster.finish(cluster.services(1).operations.remove(brokerId(4), true))
  assert.equal((await ended(cluster, 1, operation)).state, 'done')
  // For so long the others try to tell it.
  await cluster.pass(40_000)
  assert.equal(cluster.broker(4).isRemoved, false)
  for (const id of cluster.ids) cluster.network.heal(brokerId(id), brokerId(4))
  await cluster.until(() => assert.ok(cluster.broker(4).isRemoved), { withinMs: 60_000 })
})

test('brokers that were started since tell one that was removed while it was away, or let it join as a new one', async (t) => {
  const cluster = await grown(t)
  for (const away of [3, 5]) {
    await cluster.kill(away)
    await cluster.pass(2_000)
    const operation = await cluster.finish(cluster.services(1).operations.remove(brokerId(away), true))
    assert.equal((await ended(cluster, 1, operation)).state, 'done')
  }
  // Who was there when they were removed would still answer their first heartbeat.
  for (const id of cluster.others()) {
    await cluster.stop(id)
    await cluster.open(id)
    await cluster.allReady()
  }
  // One voted on the metadata and is a seed of the others, one did neither.
  for (const away of [3, 5]) {
    const old = await cluster.open(away)
    await cluster.until(() => assert.ok(old.isRemoved, `Broker ${away} waits for ever.`))
    await cluster.kill(away)
    cluster.wipe(away)
    await cluster.open(away)
    await cluster.allReady()
  }
})

test('a broker that is alive needs no force, and one that others could not replace stays', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic()
  const { operations } = cluster.services(1)
  await cluster.refused(operations.remove(brokerId(2), true), 'invalid-parameter')
  await cluster.refused(operations.remove(brokerId(2), false), 'not-enough-brokers')
  await cluster.refused(operations.drain(brokerId(2)), 'not-enough-brokers')
  await cluster.refused(operations.drain(brokerId(9)), 'not-found')
})

test('a broker that was removed by force joins as a new one by itself when it comes back with another disk', async (t) => {
  const cluster = await grown(t)
  const topic = await cluster.topic('orders', {}, 4)
  await cluster.finish(cluster.append(1, topic, 'kept'))
  await cluster.kill(3)
  cluster.wipe(3)
  await cluster.pass(5_000)
  const operation = await cluster.finish(cluster.services(1).operations.remove(brokerId(3), true))
  assert.equal((await ended(cluster, 1, operation)).state, 'done')
  const wiped = await cluster.open(3)
  await cluster.until(
    () => {
      const known = cluster.broker(1).control.group.metadata.broker(brokerId(3))!
      assert.deepEqual([known.membership, known.store], ['active', String(wiped.store.identity.storeId)])
    },
    { withinMs: 60_000 },
  )
  assert.equal(wiped.isRemoved, false)
  const back = await cluster.finish(cluster.services(1).operations.moveReplicas(topic, 0, ids(3, 1, 2)))
  assert.equal((await ended(cluster, 1, back)).state, 'done')
  const moved = { ...topic, partitions: topic.partitions.with(0, placementOf(cluster, 1, topic)) }
  await cluster.pass(500)
  assert.deepEqual(await cluster.finish(cluster.read(3, moved)), ['kept'])
})
