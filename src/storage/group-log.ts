import type { StateRecord } from '../paxos/state.ts'
import type { GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PersistParts, PersistRecord } from './journal-record.ts'
import type { GroupChanges } from './index-layer.ts'
import { repairedKey, runKey } from './keys.ts'
import { encodeRun, type Head, type Run, type RunEntry } from './rows.ts'

export interface AppliedFacts {
  readonly slot: number
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
}

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
    chain: undefined,
    bytes: 0,
    applied: { slot: 0, nextOffset: 0, lastAppendedAtMs: 0 },
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
    chain: head.chain,
    bytes: head.bytes,
    applied: { slot: 0, nextOffset: 0, lastAppendedAtMs: 0 },
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
  readonly lastChain: number
  readonly bytes: number
}

/** As `indexedPersist`, for a persist that was just written. */
export function indexedParts(lsn: number, group: GroupId, parts: PersistParts): IndexedPersist {
  const { state, isRepair } = parts
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

/** Reduces a persist; its entries are contiguous. */
export function indexedPersist(
  lsn: number,
  group: GroupId,
  { state, entries, isRepair }: PersistFacts,
): IndexedPersist {
  const first = entries[0]?.slot
  if (first === undefined) return { lsn, isRepair, state, run: undefined, lastChain: 0, bytes: 0 }
  let bytes = 0
  for (const entry of entries) bytes += entry.bodyLength
  const key = isRepair ? repairedKey(group, first) : runKey(group, first)
  const value = encodeRun(key, lsn, entries)
  const run = { first, last: first + entries.length - 1, lsn, value }
  return { lsn, isRepair, state, run, lastChain: entries.at(-1)?.chain ?? 0, bytes }
}

/**
 * The one rule by which a journal record changes a group, at run time and at replay (J5): an entry drops all at its slot
 * and above; a state record cuts the log to `through`. Afterwards the log ends with the persist's last entry, or, when it
 * has none, where its state record says. A repair changes only where the entry of its slot is.
 */
export function changeGroup(log: GroupLog, changes: GroupChanges, persist: IndexedPersist): void {
  const { lsn, state, run } = persist
  if (persist.isRepair) return repairSlot(log, changes, persist)
  invariant(state !== undefined || run !== undefined, 'A persist holds a state record or entries.')
  const cutFrom = Math.min(state === undefined ? Infinity : state.through + 1, run?.first ?? Infinity)
  if (log.isAhead || cutFrom <= log.through) {
    changes.cut(cutFrom, lsn)
    dropRepairs(log, changes, cutFrom, lsn)
  }
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
  log.bytes += persist.bytes
  log.lastLsn = Math.max(log.lastLsn, lsn)
  changes.isHeadChanged = true
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
  log.lastLsn = Math.max(log.lastLsn, lsn)
  changes.isHeadChanged = true
}

/** A cut drops the repairs that were written before it. */
function dropRepairs(log: GroupLog, changes: GroupChanges, cutFrom: number, cutLsn: number): void {
  if (log.repaired === undefined) return
  for (const [slot, run] of log.repaired) {
    if (slot < cutFrom || run.lsn > cutLsn) continue
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
