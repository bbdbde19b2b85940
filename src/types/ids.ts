import { invariant } from './invariant.ts'

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A broker of the cluster, 1..65535. Its address may change, its id never. */
export type BrokerId = Brand<number, 'BrokerId'>
/** A data directory's identity: 32 hex digits, drawn when the directory was formatted. */
export type StoreId = Brand<string, 'StoreId'>
/** A Paxos group: 0 is the controller's, each partition has one of its own. u32, of which the upper byte stays free. */
export type GroupId = Brand<number, 'GroupId'>
/** Index in a group's Paxos log, from 1. Holds one RecordBatch or one control entry. */
export type Slot = Brand<number, 'Slot'>
/** A topic's identity; a topic that was deleted and made anew has another one. */
export type TopicId = Brand<string, 'TopicId'>

/** The highest id of a group. Ids are never used again, so a cluster can make this many partitions in its life. */
export const GROUP_ID_MAX = 0xffffff

export const CONTROLLER_GROUP = 0 as GroupId
export const NO_SLOT = 0 as Slot

export function brokerId(value: number): BrokerId {
  invariant(
    Number.isInteger(value) && value >= 1 && value <= 0xffff,
    `A broker id is 1..65535, not ${value}.`,
  )
  return value as BrokerId
}

export function storeId(value: string): StoreId {
  invariant(/^[0-9a-f]{32}$/.test(value), `A store id is 32 hex digits, not '${value}'.`)
  return value as StoreId
}

export function groupId(value: number): GroupId {
  invariant(
    Number.isInteger(value) && value >= 0 && value <= 0xffffffff,
    `A group id is a u32, not ${value}.`,
  )
  return value as GroupId
}

/** Slot 0 stands before the first entry. */
export function slot(value: number): Slot {
  invariant(Number.isSafeInteger(value) && value >= 0, `A slot is a whole number from 0, not ${value}.`)
  return value as Slot
}

export function topicId(value: string): TopicId {
  invariant(value.length > 0, 'A topic id is not empty.')
  return value as TopicId
}

/** One copy of a group: a broker together with the store it had when it was made a member. */
export interface Replica {
  readonly broker: BrokerId
  readonly store: StoreId
}

export function sameReplica(a: Replica, b: Replica): boolean {
  return a.broker === b.broker && a.store === b.store
}
