import { emptyThrough, firstSlotOf, type GroupLog } from './group-log.ts'
import { groupNumberOf, runKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import { runAtOrBelow } from './index-resolve.ts'
import { readRun, runEntry, type Run } from './rows.ts'
import type { Slot } from '../types/ids.ts'
import { DamagedEntryError } from './storage-errors.ts'

const PAGE = 64

/** Slots `first` to `last` of a run, all live when it was looked up. */
export interface RunSlice {
  readonly run: Run
  readonly first: number
  readonly last: number
}

export interface SlotRange {
  readonly from: number
  readonly to: number
  readonly bytesMax: number
}

/**
 * Finds where live entries are, in slot order, until `bytesMax` is reached (but one entry at least).
 *
 * Live runs tile [first slot, through] once the newest run wins: whatever was written after a cut at slot c holds every
 * live slot from c on, so a dead row of an older layer can only stand at c or above, where it is never asked for. That is
 * why a lookup need not know which rows of the database are already dead.
 */
export async function locate(index: LogIndex, log: GroupLog, range: SlotRange): Promise<readonly RunSlice[]> {
  const from = Math.max(range.from, firstSlotOf(log))
  const to = Math.min(range.to, log.through)
  if (from > to) return []
  const inMemory = memoryRuns(index, log)
  const memoryFrom = inMemory[0]?.first ?? Infinity
  const found: Found = { slices: [], slot: from, to, bytesLeft: range.bytesMax, isFull: false }
  let run = from < memoryFrom ? await runAtOrBelow(index.base, log.group, from) : undefined
  let rest: Run[] = []
  while (!found.isFull && found.slot <= to && found.slot < memoryFrom) {
    if (rest.length === 0)
      rest = await nextRuns(index, log, (run?.first ?? 0) + 1, Math.min(memoryFrom, to + 1))
    const next: Run | undefined = rest.shift()
    takeSlice(log, found, run, Math.min(memoryFrom, next?.first ?? Infinity) - 1)
    run = next
  }
  inMemory.forEach((candidate, at) => {
    const end = (inMemory[at + 1]?.first ?? Infinity) - 1
    if (!found.isFull && found.slot <= Math.min(to, end)) takeSlice(log, found, candidate, end)
  })
  return withRepairs(log, found.slices)
}

/** Single slots may have been written anew elsewhere. */
function withRepairs({ repaired }: GroupLog, slices: readonly RunSlice[]): readonly RunSlice[] {
  if (repaired === undefined || repaired.size === 0) return slices
  return slices.flatMap(({ run, first, last }) => {
    const parts: RunSlice[] = []
    let next = first
    for (let slot = first; slot <= last; slot++) {
      const repair = repaired.get(slot)
      if (repair === undefined) continue
      if (slot > next) parts.push({ run, first: next, last: slot - 1 })
      parts.push({ run: repair, first: slot, last: slot })
      next = slot + 1
    }
    if (next <= last) parts.push({ run, first: next, last })
    return parts
  })
}

/** The chain value at a slot that the log holds, or just before its first one. */
export async function chainAt(index: LogIndex, log: GroupLog, slot: number): Promise<number> {
  const { state } = log
  if (state !== undefined && slot === emptyThrough(state)) return state.logStart.chain
  const [slice] = await locate(index, log, { from: slot, to: slot, bytesMax: 1 })
  if (slice === undefined)
    throw new DamagedEntryError(log.group, slot as Slot, 'the log does not reach it', true)
  return runEntry(slice.run, slot).chain
}

interface Found {
  readonly slices: RunSlice[]
  /** The next slot to find. */
  slot: number
  readonly to: number
  bytesLeft: number
  isFull: boolean
}

/** Takes what the run holds up to `end`, where a newer run begins. */
function takeSlice(log: GroupLog, found: Found, run: Run | undefined, end: number): void {
  const first = found.slot
  if (run === undefined || run.first > first || run.last < first) {
    throw new DamagedEntryError(log.group, first as Slot, 'the index does not know where it is', true)
  }
  const limit = Math.min(run.last, end, found.to)
  while (found.slot <= limit) {
    const { bodyLength } = runEntry(run, found.slot)
    const isFirst = found.slices.length === 0 && found.slot === first
    if (bodyLength > found.bytesLeft && !isFirst) {
      found.isFull = true
      break
    }
    found.bytesLeft -= bodyLength
    found.slot++
  }
  if (found.slot > first) found.slices.push({ run, first, last: found.slot - 1 })
}

/** Runs of the layers in memory, ascending; the older layer only below what the newer one cut. */
function memoryRuns(index: LogIndex, log: GroupLog): readonly Run[] {
  const older = index.flushing?.groups.get(log.group)
  const newer = index.pending.groups.get(log.group)
  if (older === undefined) return newer === undefined ? [] : [...newer.runs]
  if (newer === undefined) return older.runs
  return [...older.runs.filter((run) => run.first < newer.cutFrom), ...newer.runs]
}

async function nextRuns(index: LogIndex, log: GroupLog, from: number, below: number): Promise<Run[]> {
  if (from >= below) return []
  const top = Math.min(below, log.through + 1)
  const pairs = await index.base.scan({
    from: runKey(log.group, from),
    below: runKey(log.group, top),
    countMax: PAGE,
  })
  return pairs.map(({ key, value }) => {
    const run = readRun(key, groupNumberOf(key), value)
    if (run === undefined)
      throw new DamagedEntryError(log.group, groupNumberOf(key) as Slot, 'its index row does not hold', true)
    return run
  })
}
