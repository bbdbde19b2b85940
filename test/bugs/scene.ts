import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

/** A cluster with one topic of one partition, and who leads it. */
export interface Scene {
  readonly cluster: TestCluster
  readonly topic: Topic
  readonly leader: number
  readonly followers: readonly [number, number]
}

export async function openScene(t: TestContext): Promise<Scene> {
  const cluster = await TestCluster.start(t, { size: 3 })
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [one, two] = cluster.others(leader)
  assert.ok(one !== undefined && two !== undefined)
  return { cluster, topic, leader, followers: [one, two] }
}

/** The core of a broker's replica of the topic's partition. */
export function paxosOf({ cluster, topic }: Scene, id: number) {
  const partition = cluster.broker(id).partition(topic.partitions[0]!.group)
  assert.ok(partition !== undefined, `Broker ${id} holds no replica.`)
  return partition.replica.paxos
}

/** Waits until one of these brokers leads, and returns it. */
export function electedAmong(scene: Scene, ids: readonly number[], withinMs: number): Promise<number> {
  return scene.cluster.until(
    () => {
      const leading = ids.filter((id) => paxosOf(scene, id).role === 'leader')
      assert.equal(leading.length, 1, `Led by ${leading.length} of ${ids.join(', ')}.`)
      return leading[0]!
    },
    { withinMs },
  )
}

/** Kills all brokers at one moment, as a power cut does, and starts them again. */
export async function cutPower({ cluster }: Scene): Promise<void> {
  await Promise.all(cluster.brokers.map(({ id }) => cluster.kill(id)))
  for (const id of cluster.ids) await cluster.open(id)
  await cluster.allReady()
}

/** Waits until each broker serves exactly these values. */
export async function assertStored({ cluster, topic }: Scene, values: readonly string[]): Promise<void> {
  for (const { id } of cluster.brokers) {
    await cluster.until(() => {
      const held = cluster.broker(id).partition(topic.partitions[0]!.group)?.highWatermark
      assert.equal(held, values.length, `Broker ${id} knows ${held} records.`)
    })
    assert.deepEqual(await cluster.finish(cluster.read(id, topic)), values, `Broker ${id}.`)
  }
}
