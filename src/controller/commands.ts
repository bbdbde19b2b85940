import { Buffer } from 'node:buffer'
import { z } from 'zod'
import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { BrokerInfo, TopicConfig } from '../types/topic.ts'
import { OPERATION_COMMANDS, type OperationCommand } from './operation-schema.ts'
import { isTopicName, type ConfigChange } from './topic-config.ts'

/** Bounds of the metadata. */
export const COMMAND_BYTES_MAX = 256 * 1024
export const PARTITIONS_PER_TOPIC_MAX = 1_000
export const PARTITIONS_PER_CLUSTER_MAX = 20_000
export const REPLICATION_FACTOR_MAX = 7
export const BROKERS_PER_CLUSTER_MAX = 1_000

/** The replicas of each new partition; the first of each is its preferred leader. */
export type Replicas = readonly (readonly BrokerId[])[]

/** Gives the cluster its name; the first command of all. */
interface FormCluster {
  readonly kind: 'formCluster'
  readonly clusterId: string
}

/** Says who a broker is and where it is reached; sent at each start. */
export interface RegisterBroker {
  readonly kind: 'registerBroker'
  readonly broker: BrokerInfo
}

/** A broker's registered store is lost: the wish that another one takes over its votes. */
export interface ReplaceStore {
  readonly kind: 'replaceStore'
  readonly broker: BrokerId
  readonly store: string
}

/** What a request names; what it leaves out does not make an existing topic different. */
export interface AskedTopic {
  readonly partitions?: number | undefined
  readonly replicationFactor?: number | undefined
  readonly config: ConfigChange
}

/**
 * The placement and the whole configuration are in the command, chosen once by the controller that proposed it: replicas
 * that filled in their own defaults could differ. `requestId` makes a command that was proposed twice tell the same.
 */
export interface CreateTopic {
  readonly kind: 'createTopic'
  readonly name: string
  readonly requestId: string
  readonly createdAtMs: number
  readonly partitions: Replicas
  readonly config: TopicConfig
  readonly asked: AskedTopic
}

export interface AlterTopic {
  readonly kind: 'alterTopic'
  readonly name: string
  readonly requestId: string
  /** Only if nothing changed since. */
  readonly ifRevision?: number | undefined
  readonly config?: ConfigChange | undefined
  /** More partitions, if there are `after` of them now. */
  readonly addPartitions?: { readonly after: number; readonly replicas: Replicas } | undefined
}

export interface DeleteTopic {
  readonly kind: 'deleteTopic'
  readonly name: string
  readonly ifRevision?: number | undefined
  /** The topic that was meant: one made anew under the name stays. */
  readonly topicId?: string | undefined
}

export type Command =
  FormCluster | RegisterBroker | ReplaceStore | CreateTopic | AlterTopic | DeleteTopic | OperationCommand

const whole = z.int().min(0)
const brokerNumber = z
  .int()
  .min(1)
  .max(0xffff)
  .transform((value) => value as BrokerId)
const topicName = z.string().refine(isTopicName)
const requestId = z.string().min(1).max(64)
const replicaList = z
  .array(z.array(brokerNumber).min(1).max(REPLICATION_FACTOR_MAX))
  .min(1)
  .max(PARTITIONS_PER_TOPIC_MAX)

/** Types only: bounds and cross checks give a reason, so they are the metadata's own. */
const config = z.strictObject({
  retentionMs: whole.nullable(),
  retentionBytes: whole.nullable(),
  recordBytesMax: whole,
  maxLagMs: whole,
  maxLagSlots: whole,
  minInSync: whole.nullable(),
  dedupWindowMs: whole,
  dedupWindowCount: whole,
  cleanup: z.enum(['delete', 'none']),
  onFull: z.enum(['trim', 'reject']),
  closed: z.boolean(),
})

const store = z.string().regex(/^[0-9a-f]{32}$/)

const broker = z.strictObject({
  id: brokerNumber,
  store,
  publicUrl: z.string().max(2_048),
  internalHost: z.string().min(1).max(255),
  internalPort: z.int().min(1).max(65_535),
  failureDomain: z.string().max(255),
  version: z.string().max(64),
})

const command: z.ZodType<Command> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('formCluster'), clusterId: z.string().min(1).max(64) }),
  z.strictObject({ kind: z.literal('registerBroker'), broker }),
  z.strictObject({ kind: z.literal('replaceStore'), broker: brokerNumber, store }),
  z.strictObject({
    kind: z.literal('createTopic'),
    name: topicName,
    requestId,
    createdAtMs: whole,
    partitions: replicaList,
    config,
    asked: z.strictObject({
      partitions: whole.optional(),
      replicationFactor: whole.optional(),
      config: config.partial(),
    }),
  }),
  z.strictObject({
    kind: z.literal('alterTopic'),
    name: topicName,
    requestId,
    ifRevision: whole.optional(),
    config: config.partial().optional(),
    addPartitions: z.strictObject({ after: whole, replicas: replicaList }).optional(),
  }),
  z.strictObject({
    kind: z.literal('deleteTopic'),
    name: topicName,
    ifRevision: whole.optional(),
    topicId: z.string().min(1).max(32).optional(),
  }),
  ...OPERATION_COMMANDS,
])

/** The body of the DATA entry that holds the command: one JSON object. */
export function encodeCommand(value: Command): Uint8Array {
  const body = Buffer.from(JSON.stringify(value))
  invariant(
    body.length <= COMMAND_BYTES_MAX,
    `A command has at most ${COMMAND_BYTES_MAX} bytes, not ${body.length}.`,
  )
  return body
}

/** The command of a body, or what is wrong with it. Bodies come from the network. */
export function decodeCommand(
  body: Uint8Array,
): { readonly command: Command } | { readonly problem: string } {
  if (body.length > COMMAND_BYTES_MAX) return { problem: `A command of ${body.length} bytes is too long.` }
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return { problem: 'A command is not JSON.' }
  }
  const checked = command.safeParse(parsed)
  if (checked.success) return { command: checked.data }
  const issue = checked.error.issues[0]
  return { problem: `A command does not have its shape at '${issue?.path.join('.') ?? ''}'.` }
}
