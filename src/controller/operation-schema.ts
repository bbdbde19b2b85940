import { z } from 'zod'
import type { BrokerId, GroupId, StoreId } from '../types/ids.ts'
import { groupId, storeId } from '../types/ids.ts'

/** What an operation is to do, as a request asks for it. */
export type OperationWish =
  | {
      readonly kind: 'move-replicas'
      readonly topic: string
      /** The topic that was meant: one made anew under the name stays as it is. */
      readonly topicId: string
      readonly partition: number
      readonly target: readonly BrokerId[]
    }
  | { readonly kind: 'drain-broker'; readonly broker: BrokerId }
  | { readonly kind: 'remove-broker'; readonly broker: BrokerId; readonly isForced: boolean }
  | { readonly kind: 'repair-broker'; readonly broker: BrokerId }
  | { readonly kind: 'replace-store'; readonly broker: BrokerId; readonly store: StoreId }

/** `requestId` makes a command that comes twice tell the same. */
export interface StartOperation {
  readonly kind: 'startOperation'
  readonly requestId: string
  readonly startedAtMs: number
  readonly wish: OperationWish
}

/** For an operation on a broker: one of its partitions begins to move, if it is still in this configuration. */
export interface ChangeReplicas {
  readonly kind: 'changeReplicas'
  readonly operation: string
  readonly group: GroupId
  readonly configuration: number
  readonly target: readonly BrokerId[]
}

/** A new replica's broker is gone: the partition begins anew with another one. */
export interface AbandonChange {
  readonly kind: 'abandonChange'
  readonly operation: string
  readonly group: GroupId
}

/** The new replicas have caught up: from here on the leader may be told to change the configuration. */
export interface SwitchReplicas {
  readonly kind: 'switchReplicas'
  readonly operation: string
  readonly group: GroupId
}

/** A leader of this configuration was elected, with these voters. */
export interface RecordConfiguration {
  readonly kind: 'recordConfiguration'
  readonly group: GroupId
  readonly number: number
  readonly replicas: readonly BrokerId[]
  /** Those of the replicas, in their order. Undefined in commands of before: the registered ones. */
  readonly stores?: readonly StoreId[] | undefined
  readonly atMs: number
}

export interface CancelOperation {
  readonly kind: 'cancelOperation'
  readonly operation: string
  readonly atMs: number
}

export interface EndOperation {
  readonly kind: 'endOperation'
  readonly operation: string
  readonly state: 'done' | 'failed'
  readonly problem?: string | undefined
  readonly atMs: number
}

/** A drained broker may get replicas again. */
export interface ActivateBroker {
  readonly kind: 'activateBroker'
  readonly broker: BrokerId
}

/**
 * Groups that a broker goes on with alone, since an operator gave the others up (offline). `note` says who did it and what may be
 * lost. Several commands with one `requestId` are one recovery: a command has a bounded size.
 */
export interface RecoverUnsafely {
  readonly kind: 'recoverUnsafely'
  readonly requestId: string
  readonly broker: BrokerId
  readonly store: StoreId
  readonly groups: readonly { readonly group: GroupId; readonly configuration: number }[]
  readonly groupCount: number
  readonly note: string
  readonly isLast: boolean
  readonly atMs: number
}

/** Groups that one command names. */
export const RECOVERED_GROUPS_MAX = 1_000

export type OperationCommand =
  | RecoverUnsafely
  | StartOperation
  | ChangeReplicas
  | AbandonChange
  | SwitchReplicas
  | RecordConfiguration
  | CancelOperation
  | EndOperation
  | ActivateBroker

const REPLICAS_MAX = 7

const whole = z.int().min(0)
const text = z.string().min(1).max(64)
const broker = z
  .int()
  .min(1)
  .max(0xffff)
  .transform((value) => value as BrokerId)
const group = z.int().min(1).max(0xffffffff).transform(groupId)
const replicas = z.array(broker).min(1).max(REPLICAS_MAX)
const store = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .transform(storeId)
const operation = z.string().regex(/^op\d{1,10}$/)

const wish = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('move-replicas'),
    topic: z.string().max(249),
    topicId: z.string().min(1).max(32),
    partition: whole,
    target: replicas,
  }),
  z.strictObject({ kind: z.literal('drain-broker'), broker }),
  z.strictObject({ kind: z.literal('remove-broker'), broker, isForced: z.boolean() }),
  z.strictObject({ kind: z.literal('repair-broker'), broker }),
  z.strictObject({ kind: z.literal('replace-store'), broker, store }),
])

/** Shapes of the commands that are about operations; `commands.ts` joins them to the others. */
export const OPERATION_COMMANDS = [
  z.strictObject({ kind: z.literal('startOperation'), requestId: text, startedAtMs: whole, wish }),
  z.strictObject({
    kind: z.literal('changeReplicas'),
    operation,
    group,
    configuration: whole,
    target: replicas,
  }),
  z.strictObject({ kind: z.literal('abandonChange'), operation, group }),
  z.strictObject({ kind: z.literal('switchReplicas'), operation, group }),
  z.strictObject({
    kind: z.literal('recordConfiguration'),
    group,
    number: whole,
    replicas,
    stores: z.array(store).max(REPLICAS_MAX).optional(),
    atMs: whole,
  }),
  z.strictObject({ kind: z.literal('cancelOperation'), operation, atMs: whole }),
  z.strictObject({
    kind: z.literal('endOperation'),
    operation,
    state: z.enum(['done', 'failed']),
    problem: z.string().max(1_000).optional(),
    atMs: whole,
  }),
  z.strictObject({ kind: z.literal('activateBroker'), broker }),
  z.strictObject({
    kind: z.literal('recoverUnsafely'),
    requestId: text,
    broker,
    store,
    groups: z.array(z.strictObject({ group, configuration: whole })).max(RECOVERED_GROUPS_MAX),
    groupCount: whole,
    note: z.string().max(1_000),
    isLast: z.boolean(),
    atMs: whole,
  }),
] as const
