import type { z } from '@hono/zod-openapi'

import type { Topic, TopicConfig } from '../../types/topic.ts'
import type { BrokerState, PartitionState, PaxosState } from '../ports.ts'
import type { brokerSchema, paxosSchema } from './cluster-schemas.ts'
import type { partitionSchema, topicChangeSchema, topicSchema, topicSummarySchema } from './schemas.ts'

/** Answers as the document has them: brokers' ids are texts, and what is not known is left out. */

export function etagOf(topic: Topic): string {
  return `"${topic.revision}"`
}

export function topicJson(topic: Topic, partitions: readonly PartitionState[]): z.infer<typeof topicSchema> {
  return {
    name: topic.name,
    id: topic.id,
    partitions: partitions.map(partitionJson),
    config: configJson(topic.config),
    createdAt: new Date(topic.createdAtMs).toISOString(),
  }
}

export function topicSummaryJson(topic: Topic): z.infer<typeof topicSummarySchema> {
  return {
    name: topic.name,
    id: topic.id,
    partitionCount: topic.partitions.length,
    replicationFactor: Math.max(1, ...topic.partitions.map(({ replicas }) => replicas.length)),
    config: configJson(topic.config),
    createdAt: new Date(topic.createdAtMs).toISOString(),
  }
}

function configJson(config: TopicConfig): z.infer<typeof topicSchema>['config'] {
  const { retentionMs, retentionBytes, recordBytesMax, maxLagMs, maxLagSlots, minInSync } = config
  const { dedupWindowMs, dedupWindowCount, cleanup, onFull, closed } = config
  return {
    retentionMs,
    retentionBytes,
    cleanup,
    onFull,
    recordBytesMax,
    maxLagMs,
    maxLagSlots,
    minInSync,
    dedupWindowMs,
    dedupWindowCount,
    closed,
  }
}

/** The settings that a body names: those that it leaves out are no members at all. */
export function configChange(config: z.infer<typeof topicChangeSchema>['config']): Partial<TopicConfig> {
  return Object.fromEntries(Object.entries(config ?? {}).filter(([, value]) => value !== undefined))
}

function partitionJson(state: PartitionState): z.infer<typeof partitionSchema> {
  return {
    partition: state.partition,
    ...(state.leader === undefined ? {} : { leader: String(state.leader) }),
    replicas: state.replicas.map(String),
    ...(state.inSync === undefined ? {} : { inSync: state.inSync.map(String) }),
    ...known('logStart', state.logStart),
    ...known('highWatermark', state.highWatermark),
    ...known('sizeBytes', state.sizeBytes),
  }
}

export function paxosJson(topic: Topic, partition: number, state: PaxosState): z.infer<typeof paxosSchema> {
  return {
    topic: topic.name,
    partition,
    answeredBy: String(state.answeredBy),
    ballot: state.ballot,
    ...(state.leader === undefined ? {} : { leader: String(state.leader) }),
    role: state.role,
    promised: state.promised,
    accepted: state.accepted,
    acceptedSlot: state.acceptedSlot,
    chosen: state.chosen,
    highWatermark: state.highWatermark,
    replicas: state.replicas.map((replica) => ({ ...replica, broker: String(replica.broker) })),
  }
}

export function brokerJson(broker: BrokerState): z.infer<typeof brokerSchema> {
  return {
    id: String(broker.id),
    url: broker.publicUrl,
    state: broker.state,
    membership: broker.membership === 'active' ? 'active' : 'draining',
    version: broker.version,
    failureDomain: broker.failureDomain,
    leaderCount: broker.leaderCount,
    replicaCount: broker.replicaCount,
    ...known('diskFreeBytes', broker.diskFreeBytes),
    ...known('lag', broker.lag),
    ...known('reason', broker.reason),
    ...known('pendingStore', broker.pendingStore),
  }
}

function known<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: Value })
}
