import { Buffer } from 'node:buffer'
import { brokerId, groupId, storeId, topicId } from '../types/ids.ts'
import type { Replica } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import {
  DEFAULT_TOPIC_CONFIG,
  type BrokerInfo,
  type Member,
  type PartitionPlacement,
  type Topic,
} from '../types/topic.ts'
import type { Row } from '../partition/state-machine.ts'
import type { FormerRequest } from './former-requests.ts'
import { operationNumber, readOperation, type OperationEntry } from './operation-table.ts'
import { mergeConfig } from './topic-config.ts'

/** A topic with what makes a command that comes twice recognisable. */
export interface TopicEntry {
  readonly topic: Topic
  /** The request that created it, and the one that changed it last. */
  readonly createdBy: string
  readonly alteredBy: string | undefined
}

/** What the metadata counts up, and the cluster's name ('' before it is formed). */
export interface ClusterEntry {
  readonly clusterId: string
  readonly nextGroup: number
  readonly nextTopic: number
  readonly nextOperation: number
}

/**
 * Rows of the metadata's index; values are JSON. First byte of a key (stored: keep it stable), then:
 *
 * | tag | rest of the key      | value          |
 * |-----|----------------------|----------------|
 * | 1   |                      | ClusterEntry   |
 * | 2   | u16 broker id        | Member         |
 * | 3   | topic name           | TopicEntry     |
 * | 4   | u32 operation number | OperationEntry |
 * | 5   | u48 number           | FormerRequest  |
 *
 * What a version added later is filled in when a row of before is read.
 */
const CLUSTER = 1
const BROKER = 2
const TOPIC = 3
const OPERATION = 4
const FORMER_REQUEST = 5

export type StoredEntry =
  | { readonly kind: 'cluster'; readonly cluster: ClusterEntry }
  | { readonly kind: 'broker'; readonly broker: Member }
  | { readonly kind: 'topic'; readonly entry: TopicEntry }
  | { readonly kind: 'operation'; readonly entry: OperationEntry }
  | { readonly kind: 'former-request'; readonly entry: FormerRequest }

function encodeValue(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

export function clusterRow(cluster: ClusterEntry): Row {
  return { key: Buffer.of(CLUSTER), value: encodeValue(cluster) }
}

export function brokerRow(broker: Member): Row {
  return { key: Buffer.of(BROKER, broker.id >> 8, broker.id & 0xff), value: encodeValue(broker) }
}

/** Undefined: the topic is gone. */
export function topicRow(name: string, entry: TopicEntry | undefined): Row {
  const key = Buffer.concat([Buffer.of(TOPIC), Buffer.from(name)])
  return { key, value: entry === undefined ? undefined : encodeValue(entry) }
}

/** Undefined: the operation is forgotten. */
export function operationRow(id: string, entry: OperationEntry | undefined): Row {
  const key = Buffer.alloc(5, OPERATION)
  key.writeUInt32BE(operationNumber(id), 1)
  return { key, value: entry === undefined ? undefined : encodeValue(entry) }
}

/** Undefined: the request is forgotten. */
export function formerRequestRow(number: number, entry: FormerRequest | undefined): Row {
  const key = Buffer.alloc(7, FORMER_REQUEST)
  key.writeUIntBE(number, 1, 6)
  return { key, value: entry === undefined ? undefined : encodeValue(entry) }
}

/** Rows are this broker's own, so one that does not fit is an invariant broken. */
export function decodeRow(row: Row): StoredEntry {
  invariant(row.value !== undefined, 'A stored row has a value.')
  const value: unknown = JSON.parse(Buffer.from(row.value).toString('utf8'))
  switch (row.key[0]) {
    case CLUSTER:
      return { kind: 'cluster', cluster: readCluster(value as Partial<ClusterEntry>) }
    case BROKER: {
      const broker = value as BrokerInfo & Partial<Member>
      const { membership = 'active' } = broker
      return { kind: 'broker', broker: { ...broker, id: brokerId(broker.id), membership } }
    }
    case OPERATION:
      return { kind: 'operation', entry: readOperation(value as OperationEntry) }
    case FORMER_REQUEST: {
      const entry = value as FormerRequest
      return { kind: 'former-request', entry: { ...entry, topicId: topicId(entry.topicId) } }
    }
    default:
      invariant(row.key[0] === TOPIC, `Rows of the metadata have a known tag, not ${row.key[0]}.`)
      return { kind: 'topic', entry: readTopic(value as TopicEntry) }
  }
}

function readCluster(stored: Partial<ClusterEntry>): ClusterEntry {
  const { clusterId = '', nextGroup = 1, nextTopic = 1, nextOperation = 1 } = stored
  return { clusterId, nextGroup, nextTopic, nextOperation }
}

function readTopic({ topic, createdBy, alteredBy }: TopicEntry): TopicEntry {
  const partitions = topic.partitions.map(readPlacement)
  const config = mergeConfig(DEFAULT_TOPIC_CONFIG, topic.config)
  return { topic: { ...topic, id: topicId(topic.id), config, partitions }, createdBy, alteredBy }
}

function readPlacement(stored: Partial<PartitionPlacement> & PartitionPlacementOfBefore): PartitionPlacement {
  const { partition, group, replicas, configuration = 1, learners = [], change, voters } = stored
  return {
    partition,
    group: groupId(group),
    replicas: replicas.map(brokerId),
    configuration,
    learners: learners.map(brokerId),
    change: change === undefined ? undefined : { ...change, target: change.target.map(brokerId) },
    ...(voters === undefined ? {} : { voters: voters.map(readVoter) }),
  }
}

function readVoter({ broker, store }: Replica): Replica {
  return { broker: brokerId(broker), store: storeId(store) }
}

type PartitionPlacementOfBefore = Pick<PartitionPlacement, 'partition' | 'group' | 'replicas'>
