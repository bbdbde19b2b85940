import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerId, storeId, type Replica } from '../../src/types/ids.ts'
import type { PartitionPlacement, Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

/** What the control plane would put on record, told to every broker that runs. */
function record(cluster: TestCluster, topic: Topic, change: Partial<PartitionPlacement>): Topic {
  const altered = { ...topic, partitions: topic.partitions.map((one) => ({ ...one, ...change })) }
  for (const broker of cluster.brokers) broker.engine.hosting.altered(altered)
  return altered
}

function replicasOf(cluster: TestCluster, ids: readonly number[]): Replica[] {
  return ids.map((id) => {
    const info = cluster.brokers[0]!.control.group.metadata.broker(brokerId(id))
    assert.ok(info !== undefined)
    return { broker: brokerId(id), store: storeId(info.store) }
  })
}

/** Makes learners, waits until they are near, changes the voters, and puts on record what is in force. */
async function change(cluster: TestCluster, topic: Topic, voters: readonly number[]): Promise<Topic> {
  const { group, replicas, configuration } = topic.partitions[0]!
  const learners = voters.map(brokerId).filter((id) => !replicas.includes(id))
  const learning = record(cluster, topic, { learners })
  const leader = () => cluster.broker(cluster.leaderOf(topic)).partition(group)!.replica
  await cluster.until(() => {
    const progress = leader().paxos.progress(cluster.clock.moment())
    for (const id of learners) {
      const row = progress.find((one) => one.broker === id && one.state === 'learner')
      assert.ok(row?.inSync, `Learner ${id} is not near.`)
    }
  })
  const { number } = await cluster.finish(leader().reconfigure(replicasOf(cluster, voters), 5_000))
  assert.equal(number, configuration + 1)
  await cluster.until(() => assert.equal(leader().paxos.ballot.config, number))
  return record(cluster, learning, { replicas: voters.map(brokerId), configuration: number, learners: [] })
}

test('a partition moves from broker to broker, leader included, and no request fails meanwhile', async (t) => {
  const cluster = await TestCluster.start(t, { size: 4 })
  let topic = await cluster.topic('orders')
  const { group } = topic.partitions[0]!
  let isOver = false
  const stored: string[] = []
  const produce = async (at: number) => {
    for (let count = 0; !isOver; count++) {
      await cluster.append(at, topic, `${at}-${count}`)
      stored.push(`${at}-${count}`)
    }
  }
  const producers = Promise.all(cluster.ids.map(produce))
  producers.catch(() => {})
  for (let round = 0; round < 6; round++) {
    const [inside, outside] = [topic.partitions[0]!.replicas.map(Number), cluster.leaderOf(topic)]
    const added = cluster.ids.find((id) => !inside.includes(id))!
    const voters = [...inside.filter((id) => id !== outside), added]
    topic = await change(cluster, topic, voters)
    assert.equal(cluster.broker(outside).partition(group), undefined)
    assert.ok(cluster.broker(outside).store.retiredAt(group) >= round + 2)
    await cluster.pass(50)
  }
  isOver = true
  await cluster.finish(producers)
  await cluster.pass(500)
  for (const id of topic.partitions[0]!.replicas) {
    const { replica } = cluster.broker(id).partition(group)!
    assert.equal(replica.paxos.configuration.number, 7)
    const read = await cluster.read(id, topic)
    assert.deepEqual(read.toSorted().slice(0, 1_000), stored.toSorted().slice(0, read.length), `Broker ${id}`)
  }
})
