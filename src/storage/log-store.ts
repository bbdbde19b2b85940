import type { BrokerId, GroupId, Slot, StoreId } from '../types/ids.ts'
import type { Ballot } from '../paxos/ballot.ts'
import type { Write } from '../paxos/effects.ts'
import type { Entry, StateRecord } from '../paxos/state.ts'
import type { Notes } from './notes.ts'

/** Who a data directory belongs to. `clusterId` is empty until the cluster is formed. */
export interface StoreIdentity {
  readonly storeId: StoreId
  readonly brokerId: BrokerId
  readonly clusterId: string
  readonly format: number
}

/** One persist of one group: durable as a whole or not at all. */
export interface JournalWrite {
  readonly group: GroupId
  readonly writes: readonly Write[]
  /** Called once, after the synced write that made it durable; in the order of the calls of `append`. Must not throw. */
  readonly onDurable: () => void
}

/** A key and value of a group's state machine; `value` undefined deletes. Keys are the machine's own. */
export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Where a batch's records begin: one per applied slot that accepted records. */
export interface OffsetMark {
  readonly slot: Slot
  readonly baseOffset: number
  readonly recordCount: number
  /** Epoch milliseconds; never falls within a group. */
  readonly appendedAtMs: number
}

/** What a state machine did up to `slot`: all of it reaches the index together, or none (consensus 1.3). */
export interface AppliedState {
  readonly group: GroupId
  readonly slot: Slot
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  /** New since the last update of this group. */
  readonly marks: readonly OffsetMark[]
  readonly rows: readonly Row[]
  /** Bytes of all bodies up to `slot`, trimmed ones included. */
  readonly logBytes: number
  /** The machine went on from a checkpoint: these rows replace all there were. */
  readonly isReset?: boolean
}

/** A group as a start finds it. The tail is verified. */
export interface RecoveredGroup {
  readonly group: GroupId
  readonly state: StateRecord
  /** Applied according to the index; never above what the journal holds; `logStart.slot - 1` when nothing is known. */
  readonly applied: {
    readonly slot: Slot
    readonly nextOffset: number
    readonly lastAppendedAtMs: number
    readonly logBytes: number
  }
  readonly chainAtApplied: number
  /** Entries (applied.slot, through]. */
  readonly tail: readonly Entry[]
}

/** Facts of a stored entry without its body. */
export interface EntryLocation {
  readonly slot: Slot
  readonly origin: Ballot
  readonly chain: number
}

export interface StoreUsage {
  /** Bytes appended to the journal since the start, bodies and headers. */
  readonly journalBytes: number
  readonly syncCount: number
  readonly syncedWriteCount: number
  /** Age of the oldest write that waits for its sync, 0 when none does. The detector calls a disk stalled by it. */
  readonly oldestPendingMs: number
  readonly pendingBytes: number
}

/**
 * A broker's durable memory: one synced journal for all groups, and an index that can be rebuilt from it (DESIGN.md).
 * Every read verifies checksums. Any failed write is final: `onFailure` is called once and nothing is confirmed after it.
 */
export interface LogStore {
  readonly identity: StoreIdentity
  /**
   * The `walSeq`: highest durable journal number of a record that says something of a group; starts do not count. Only this
   * one is ever told to others.
   */
  readonly durableLsn: number
  /** The `walSeq` that `recover` found; 0 before it. */
  readonly recoveredLsn: number
  /** The journal ends before the place where it ended when this store was closed: the disk forgot, and the store must not vote. */
  readonly hasForgotten: boolean
  readonly notes: Notes

  /** Writes the cluster's id, once; durable when it returns. */
  adoptCluster(clusterId: string): Promise<void>

  /** Every group found, except deleted ones. Called once, before any append. */
  recover(): Promise<readonly RecoveredGroup[]>
  /**
   * Makes a start durable, once, after `recover` and before the first vote: what a killed process left in the system's cache
   * is durable only with a synced write after it (consensus 1.16).
   */
  begin(): Promise<void>
  /** The rows of a group's state machine as of its `applied.slot`, in key order. */
  recoverRows(group: GroupId): Promise<readonly Row[]>

  /** Queues one persist. All that is queued while a sync runs becomes the next synced batch. */
  append(write: JournalWrite): void
  /** Queues applied state for the index; written lazily, never before the journal writes it reflects are durable. */
  indexApplied(update: AppliedState): void
  /** Stops a group for good and frees its data; durable when it returns. Pending reads of it may fail with 'not-found'. */
  deleteGroup(group: GroupId): Promise<void>
  /**
   * As `deleteGroup`, but the broker may be given a replica of the group again: that one begins anew with a state record whose
   * `minConfiguration` is at least this one (consensus 1.12 step 6), which is at least 1.
   */
  retireGroup(group: GroupId, minConfiguration: number): Promise<void>

  /**
   * Entries from `fromSlot` to at most `toSlot`, in order, as many as `bytesMax` holds but at least one when there is one.
   * Throws `DamagedEntryError` when a checksum or chain does not hold, `TrimmedSlotError` when `fromSlot` is below the log's
   * start, or the log was trimmed while this read was under way. So do the reads of marks in the latter case.
   */
  readEntries(group: GroupId, fromSlot: Slot, toSlot: Slot, bytesMax: number): Promise<readonly Entry[]>
  /** The mark whose batch holds `offset`, or the first one after it; undefined at the end. Applied state only. */
  findOffset(group: GroupId, offset: number): Promise<OffsetMark | undefined>
  /** The first mark appended at or after the time; undefined when there is none. */
  findTime(group: GroupId, timeMs: number): Promise<OffsetMark | undefined>
  /** Marks from the one that holds `offset` on, at most `countMax`. */
  readMarks(group: GroupId, offset: number, countMax: number): Promise<readonly OffsetMark[]>
  /**
   * One part of the rows of the checkpoint at `slot`, as `rows` writes brought it; undefined when it is not held any more.
   * Throws `DamagedEntryError`.
   */
  readPart(group: GroupId, slot: Slot, part: number): Promise<Uint8Array | undefined>
  /** The group was deleted here, perhaps before this start; nothing is ever written of it again. */
  wasDeleted(group: GroupId): boolean
  /** The configuration that the replica retired with, when one has and no other has begun; else 0. */
  retiredAt(group: GroupId): number
  /** Bytes of entries that a group holds, about. */
  groupBytes(group: GroupId): number

  usage(): StoreUsage
  /** Free bytes of the disk, and whether it is too full to take writes (< 5 % or < 512 MiB). */
  space(): Promise<{ readonly freeBytes: number; readonly full: boolean }>
  /** Waits for queued writes, flushes the index, closes, and notes where the journal ended. */
  close(): Promise<void>
}
