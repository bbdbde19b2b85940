import { GROUP_ID_MAX, type BrokerId } from '../types/ids.ts'
import type { BrokerInfo, Topic } from '../types/topic.ts'
import {
  PARTITIONS_PER_CLUSTER_MAX,
  PARTITIONS_PER_TOPIC_MAX,
  type AskedTopic,
  type Replicas,
} from './commands.ts'
import type { Refused } from './outcomes.ts'
import { configDifferences, type Difference } from './topic-config.ts'

type Problem = Omit<Refused, 'kind'>

/** What is wrong with the replicas of new partitions; undefined when nothing is. */
export function placementProblem(
  partitions: Replicas,
  replicationFactor: number,
  brokers: { present(broker: BrokerId): BrokerInfo | undefined },
): Problem | undefined {
  for (const replicas of partitions) {
    if (replicas.length !== replicationFactor) {
      const detail = `A partition has ${replicas.length} replicas, the others have ${replicationFactor}.`
      return { code: 'invalid-config', detail, hint: 'All partitions of a topic have as many replicas.' }
    }
    if (new Set(replicas).size < replicas.length) {
      const hint = 'The replicas of a partition are on different brokers.'
      return {
        code: 'not-enough-brokers',
        detail: 'A broker would hold two replicas of one partition.',
        hint,
      }
    }
    const unknown = replicas.find((broker) => brokers.present(broker) === undefined)
    if (unknown !== undefined) {
      return unknownBroker(unknown)
    }
  }
  return undefined
}

export function unknownBroker(broker: BrokerId): Problem {
  const hint = 'GET /v1/brokers tells which brokers there are.'
  return { code: 'not-enough-brokers', detail: `Broker ${broker} is not registered.`, hint }
}

/** Whether so many more partitions are within the bounds of a topic and of the cluster. */
export function groupCountProblem(count: {
  readonly before: number
  readonly added: number
  readonly inCluster: number
  /** Ids of groups are counted up and never used again. */
  readonly nextGroup: number
}): Problem | undefined {
  if (count.before + count.added > PARTITIONS_PER_TOPIC_MAX) {
    const detail = `The topic would have ${count.before + count.added} partitions.`
    return {
      code: 'invalid-config',
      detail,
      hint: `A topic has at most ${PARTITIONS_PER_TOPIC_MAX} partitions.`,
    }
  }
  if (count.inCluster + count.added > PARTITIONS_PER_CLUSTER_MAX) {
    const detail = `The cluster would have ${count.inCluster + count.added} partitions.`
    return {
      code: 'invalid-config',
      detail,
      hint: `A cluster has at most ${PARTITIONS_PER_CLUSTER_MAX} partitions.`,
    }
  }
  if (count.nextGroup + count.added > GROUP_ID_MAX + 1) {
    return {
      code: 'invalid-config',
      detail: `The cluster has made ${count.nextGroup} partitions in its life.`,
      hint: `A cluster makes at most ${GROUP_ID_MAX} partitions, those that were deleted included.`,
    }
  }
  return undefined
}

/** Where an existing topic is not what is asked for; what the request leaves out is no difference. */
export function topicDifferences(topic: Topic, asked: AskedTopic): Difference[] {
  const shape = [
    { field: 'partitions', asked: asked.partitions, actual: topic.partitions.length },
    {
      field: 'replicationFactor',
      asked: asked.replicationFactor,
      actual: topic.partitions[0]!.replicas.length,
    },
  ]
  const differing = shape.filter((part) => part.asked !== undefined && part.asked !== part.actual)
  return [...differing, ...configDifferences(asked.config, topic.config)]
}

/** Whether nothing that may change has changed; the store is compared by itself. */
export function sameBroker(a: BrokerInfo, b: BrokerInfo): boolean {
  return (
    a.publicUrl === b.publicUrl &&
    a.internalHost === b.internalHost &&
    a.internalPort === b.internalPort &&
    a.failureDomain === b.failureDomain &&
    a.version === b.version &&
    a.pendingStore === b.pendingStore
  )
}
