import type { Replica, Slot } from '../types/ids.ts'
import { NO_BALLOT, type Ballot } from './ballot.ts'

/** What an entry is to the protocol. The body of DATA is opaque to the core. Numbers are stored: keep them stable. */
export const ENTRY_KIND = { DATA: 1, NOOP: 2, TRIM: 3, EXPIRE_PRODUCERS: 4, STOPSIGN: 5 } as const
export type EntryKind = (typeof ENTRY_KIND)[keyof typeof ENTRY_KIND]

/** One slot of the log (consensus 1.2). Never changed after it was made. */
export interface Entry {
  readonly slot: Slot
  readonly kind: EntryKind
  /** The ballot that first proposed it. */
  readonly origin: Ballot
  /** How many records the body offers; 0 for control entries. The state machine may accept fewer (duplicates). */
  readonly recordCount: number
  readonly body: Uint8Array
  /** crc32 of `body`. */
  readonly crc: number
  /** crc32 over (chain of slot-1, slot, origin, kind, recordCount, crc): equal chains mean equal logs up to here. */
  readonly chain: number
}

/** A configuration has one to so many voters. */
export const VOTERS_MAX = 7

/**
 * Who votes. `number` counts up from 1; `fromSlot` is the slot of the stop-sign that made it (0 for the first).
 * Number 0 is that of a replica that was made to learn: nobody votes in it, its voters are those that it asks at first.
 * That a replica is in a configuration says that it knows the slots up to `fromSlot` to be chosen.
 */
export interface Configuration {
  readonly number: number
  readonly voters: readonly Replica[]
  readonly learners: readonly Replica[]
  readonly fromSlot: Slot
}

/** What the state machine says of itself beside its rows; the core keeps it and does not look at it. */
export interface MachineFacts {
  /** Offset of the next record. */
  readonly offset: number
  /** Epoch milliseconds of the newest batch. */
  readonly lastAppendedAtMs: number
  /** Bytes of all bodies of the log so far, those that are trimmed included. */
  readonly logBytes: number
}

/**
 * All that is known of the slots below `slot`, so that they may go (consensus 1.14). Made by applying a mark, a TRIM entry,
 * at slot-1. The rows of the state machine as of then are kept beside it, opaque, in `partCount` parts.
 */
export interface Checkpoint extends MachineFacts {
  readonly slot: Slot
  /** Chain value at slot-1. */
  readonly chain: number
  /** In force at slot-1. */
  readonly configuration: Configuration
  readonly partCount: number
}

/**
 * All of a replica's durable state but its entries; written whole at every change (consensus 1.3).
 * At replay it cuts the log to [logStart.slot, through].
 */
export interface StateRecord {
  readonly promised: Ballot
  /** The ballot whose log this replica holds; never above `promised`. */
  readonly acceptedBallot: Ballot
  readonly configuration: Configuration
  /** Below its slot nothing is held. */
  readonly logStart: Checkpoint
  /** Of marks above logStart, ascending: where the log may begin next. At most CHECKPOINTS_MAX. */
  readonly checkpoints: readonly Checkpoint[]
  /** Votes only in configurations above this number (tombstone of a deleted replica); 0 is none. */
  readonly minConfiguration: number
  readonly through: Slot
}

/** What the core needs to start: the latest state record, and the entries above what is known to be chosen. */
export interface RecoveredState {
  readonly state: StateRecord
  /** Highest slot known to be chosen and applied; its chain value; entries (commit, through] follow it. */
  readonly commit: Slot
  readonly chainAtCommit: number
  readonly tail: readonly Entry[]
}

export type Role = 'follower' | 'candidate' | 'leader' | 'retired'
export type ReplicaStatus = 'ok' | 'syncing' | 'repairing' | 'abstaining'

/** checksum(data, seed): zlib's crc32. An argument, so that the core stays free of Node. */
export type Checksum = (data: Uint8Array, seed: number) => number

/**
 * The state a replica is created with: nothing promised, an empty log. `minConfiguration` is that of the replica that was
 * deleted here before, 0 when there was none.
 */
export function initialState(configuration: Configuration, minConfiguration = 0): StateRecord {
  return {
    promised: NO_BALLOT,
    acceptedBallot: NO_BALLOT,
    configuration,
    logStart: firstCheckpoint(configuration),
    checkpoints: [],
    minConfiguration,
    through: 0 as Slot,
  }
}

/** The checkpoint of an empty log. */
function firstCheckpoint(configuration: Configuration): Checkpoint {
  return {
    slot: 1 as Slot,
    chain: 0,
    configuration,
    partCount: 0,
    offset: 0,
    lastAppendedAtMs: 0,
    logBytes: 0,
  }
}
