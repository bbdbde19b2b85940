import type { StateRecord } from '../paxos/state.ts'
import type { GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PersistParts, PersistRecord } from './journal-record.ts'
import type { CheckpointPart, GroupChanges } from './index-layer.ts'
import { repairedKey, runKey } from './keys.ts'
import { encodeRun, type Head, type Run, type RunEntry } from './rows.ts'

export interface AppliedFacts {
  readonly slot: number
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  readonly logBytes: number
}

const NOTHING_APPLIED: AppliedFacts = { slot: 0, nextOffset: 0, lastAppendedAtMs: 0, logBytes: 0 }

/** What the store keeps in memory of a group: a few numbers and a state record that it shares with the core. */
export interface GroupLog {
  readonly group: GroupId
  /** LSN of its first record. */
  readonly born: number
  lastLsn: number
  /** Undefined only while a journal is replayed in part. */
  state: StateRecord | undefined
  stateLsn: number
  stateRunFirst: number
  through: number
  /** LSN of the last record that dropped entries above it: a read that was under way then may miss what it looked for. */
  cutLsn: number
  /** Chain value at `through`; undefined after a cut, until the index was asked. */
  chain: number | undefined
  /** About: what truncations dropped is not subtracted. */
  bytes: number
  applied: AppliedFacts
  /** Where repairs wrote entries anew, by slot; undefined while there were none. */
  repaired: Map<number, Run> | undefined
  /**
   * During a recovery: the index shows this group as of a later record than the one replayed, so `through` is not to be
   * relied on, and every record has to cut.
   */
  isAhead: boolean
}

export function newGroupLog(group: GroupId, born: number): GroupLog {
  return {
    group,
    born,
    lastLsn: 0,
    state: undefined,
    stateLsn: 0,
    stateRunFirst: 0,
    through: 0,
    cutLsn: 0,
    chain: undefined,
    bytes: 0,
    applied: NOTHING_APPLIED,
    repaired: undefined,
    isAhead: false,
  }
}

export function groupLogOf(group: GroupId, head: Head): GroupLog {
  return {
    group,
    born: head.born,
    lastLsn: head.lastLsn,
    state: head.state,
    stateLsn: head.stateLsn,
    stateRunFirst: head.stateRunFirst,
    through: head.through,
    cutLsn: 0,
    chain: head.chain,
    bytes: head.bytes,
    applied: NOTHING_APPLIED,
    repaired: undefined,
    isAhead: false,
  }
}

/** A persist reduced to what the index keeps of it. */
export interface IndexedPersist {
  readonly lsn: number
  readonly isRepair: boolean
  readonly state: StateRecord | undefined
  readonly run: Run | undefined
  /** A part of a checkpoint's rows; then there is nothing else. */
  readonly part: CheckpointPart | undefined
  readonly lastChain: number
  readonly bytes: number
}

/** As `indexedPersist`, for a persist that was just written. */
export function indexedParts(lsn: number, group: GroupId, parts: PersistParts): IndexedPersist {
  const { state, isRepair, rows } = parts
  if (rows !== undefined) return indexedRows(lsn, rows)
  const entries = parts.entries.map(({ slot, origin, chain, body }) => ({
    slot,
    origin,
    chain,
    bodyLength: body.length,
  }))
  return indexedPersist(lsn, group, { state, entries, isRepair })
}

interface PersistFacts {
  readonly state: StateRecord | undefined
  readonly entries: readonly (RunEntry & { readonly slot: number })[]
  readonly isRepair: boolean
}

/** As `indexedPersist`, for a part of a checkpoint. */
export function indexedRows(
  lsn: number,
  { slot, part, bytes }: { readonly slot: number; readonly part: number; readonly bytes: Uint8Array },
): IndexedPersist {
  const found = { slot, part, lsn, byteLength: bytes.length }
  return { lsn, isRepair: false, state: undefined, run: undefined, part: found, lastChain: 0, bytes: 0 }
}

/** Reduces a persist; its entries are contiguous. */
export function indexedPersist(
  lsn: number,
  group: GroupId,
  { state, entries, isRepair }: PersistFacts,
): IndexedPersist {
  const first = entries[0]?.slot
  if (first === undefined)
    return { lsn, isRepair, state, run: undefined, part: undefined, lastChain: 0, bytes: 0 }
  let bytes = 0
  for (const entry of entries) bytes += entry.bodyLength
  const key = isRepair ? repairedKey(group, first) : runKey(group, first)
  const value = encodeRun(key, lsn, entries)
  const run = { first, last: first + entries.length - 1, lsn, value }
  return { lsn, isRepair, state, run, part: undefined, lastChain: entries.at(-1)?.chain ?? 0, bytes }
}

/**
 * The one rule by which a journal record changes a group, at run time and at replay (J5): an entry drops all at its slot
 * and above; a state record cuts the log to `through`. Afterwards the log ends with the persist's last entry, or, when it
 * has none, where its state record says. A repair changes only where the entry of its slot is.
 */
export function changeGroup(log: GroupLog, changes: GroupChanges, persist: IndexedPersist): void {
  const { lsn, state, run, part } = persist
  log.lastLsn = Math.max(log.lastLsn, lsn)
  changes.isHeadChanged = true
  if (part !== undefined) return changes.addPart(part)
  if (persist.isRepair) return repairSlot(log, changes, persist)
  invariant(state !== undefined || run !== undefined, 'A persist holds a state record or entries.')
  const cutFrom = Math.min(state === undefined ? Infinity : state.through + 1, run?.first ?? Infinity)
  if (log.isAhead || cutFrom <= log.through) {
    changes.cut(cutFrom, lsn)
    log.cutLsn = lsn
  }
  const firstSlot = state?.logStart.slot ?? firstSlotOf(log)
  if (log.isAhead || cutFrom <= log.through || firstSlot !== firstSlotOf(log))
    dropRepairs(log, changes, { cutFrom, firstSlot, lsn })
  if (state !== undefined) {
    if (log.stateLsn !== 0 && log.stateLsn < lsn) changes.supersedeState(log.stateLsn, log.stateRunFirst)
    log.state = state
    log.stateLsn = lsn
    log.stateRunFirst = run?.first ?? 0
  }
  if (run !== undefined) {
    changes.addRun(run)
    log.through = run.last
    log.chain = persist.lastChain
  } else if (state !== undefined && (log.isAhead || state.through !== log.through)) {
    log.through = state.through
    log.chain = undefined
  }
  // A log that begins anew at its own end had another entry there, maybe.
  if (run === undefined && state !== undefined && log.through === emptyThrough(state))
    log.chain = state.logStart.chain
  log.bytes += persist.bytes
}

function repairSlot(log: GroupLog, changes: GroupChanges, { lsn, run, bytes }: IndexedPersist): void {
  invariant(run !== undefined && run.first === run.last, 'A repair holds one entry.')
  const older = log.repaired?.get(run.first)
  // While a journal is replayed the index may know of a newer repair already.
  if (older === undefined || older.lsn < lsn) {
    log.repaired ??= new Map()
    log.repaired.set(run.first, run)
    changes.addRepair(run, older)
  }
  log.bytes += bytes
}

/** Drops the repairs that were written before this record and whose slots it cuts off, above or below. */
function dropRepairs(
  log: GroupLog,
  changes: GroupChanges,
  { cutFrom, firstSlot, lsn }: { readonly cutFrom: number; readonly firstSlot: number; readonly lsn: number },
): void {
  if (log.repaired === undefined) return
  for (const [slot, run] of log.repaired) {
    if ((slot >= firstSlot && slot < cutFrom) || run.lsn > lsn) continue
    log.repaired.delete(slot)
    changes.dropRepair(run)
  }
}

/** First slot that is still held. */
export function firstSlotOf(log: GroupLog): number {
  return log.state?.logStart.slot ?? 1
}

/** Highest slot that the state record alone allows the log to end with. */
export function emptyThrough(state: StateRecord): number {
  return state.logStart.slot - 1
}

/** Whether a record fits right behind the log: no slot between is missing. */
export function followsLog(log: GroupLog, record: PersistRecord): boolean {
  const first = record.entries[0]
  const base = record.state === undefined ? log.through : Math.max(log.through, emptyThrough(record.state))
  if (first !== undefined) return first.slot <= base + 1
  return record.state !== undefined && record.state.through <= base
}

/** Slot of the newest checkpoint that a state record names. */
export function newestCheckpoint({ logStart, checkpoints }: StateRecord): number {
  return checkpoints.at(-1)?.slot ?? logStart.slot
}
