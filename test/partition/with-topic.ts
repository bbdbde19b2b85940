import type { TestContext } from 'node:test'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster } from '../support/cluster.ts'

/** A cluster with a topic, its leader and its followers. */
export async function withTopic(t: TestContext, size = 3) {
  const cluster = await TestCluster.start(t, { size })
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const followers = topic.partitions[0]!.replicas.map(Number).filter((id) => id !== leader)
  return { cluster, topic, leader, followers, follower: followers[0]! }
}

export function highWatermark(cluster: TestCluster, id: number, topic: Topic): number | undefined {
  return cluster.broker(id).partition(topic.partitions[0]!.group)?.highWatermark
}

/** Slots in the log of a broker's replica, decided or not. */
export function slotCount(cluster: TestCluster, id: number, topic: Topic): number {
  return cluster.broker(id).partition(topic.partitions[0]!.group)!.replica.paxos.through
}

export function isLeader(cluster: TestCluster, id: number, topic: Topic): boolean {
  const { group } = topic.partitions[0]!
  return cluster.brokers.some((broker) => broker.id === id && broker.partition(group)?.replica.isLeader)
}

export function leadersAmong(cluster: TestCluster, topic: Topic, ids: readonly number[]): number {
  return ids.filter((id) => isLeader(cluster, id, topic)).length
}
