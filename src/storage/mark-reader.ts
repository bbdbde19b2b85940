import type { GroupId } from '../types/ids.ts'
import type { GroupLog } from './group-log.ts'
import { markKey } from './keys.ts'
import type { OffsetMark } from './log-store.ts'
import type { LogIndex } from './log-index.ts'
import { readMark } from './rows.ts'
import { DamagedIndexError } from './storage-errors.ts'

/**
 * The marks of a group as of one moment: rows of the database below `baseBelow`, then those in memory. Marks are never
 * taken back, because only chosen entries are applied; but after a power cut the database may hold marks beyond what is
 * applied now, and those are not shown.
 */
interface Marks {
  readonly index: LogIndex
  readonly group: GroupId
  readonly inMemory: readonly OffsetMark[]
  readonly baseBelow: number
  /** From the first offset to the end each has its mark. */
  readonly firstOffset: number
  readonly endOffset: number
}

function marksOf(index: LogIndex, log: GroupLog): Marks {
  const older = index.flushing?.groups.get(log.group)?.marks ?? []
  const newer = index.pending.groups.get(log.group)?.marks ?? []
  const inMemory = older.length === 0 ? [...newer] : [...older, ...newer]
  const { nextOffset } = log.applied
  return {
    index,
    group: log.group,
    inMemory,
    baseBelow: inMemory[0]?.baseOffset ?? nextOffset,
    firstOffset: log.state?.logStart.offset ?? 0,
    endOffset: nextOffset,
  }
}

/** The mark whose batch holds the offset, or the first one after it. */
export async function findOffset(
  index: LogIndex,
  log: GroupLog,
  offset: number,
): Promise<OffsetMark | undefined> {
  return (await marksFrom(marksOf(index, log), offset, 1))[0]
}

/** Marks from the one that holds the offset on. */
export async function readMarks(
  index: LogIndex,
  log: GroupLog,
  offset: number,
  countMax: number,
): Promise<readonly OffsetMark[]> {
  return await marksFrom(marksOf(index, log), offset, countMax)
}

/** Halves the offsets: the times of marks never fall, so no row by time is needed. */
export async function findTime(
  index: LogIndex,
  log: GroupLog,
  timeMs: number,
): Promise<OffsetMark | undefined> {
  const marks = marksOf(index, log)
  let low = log.state?.logStart.offset ?? 0
  let high = marks.baseBelow
  let found: OffsetMark | undefined
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [mark] = await baseMarks(marks, middle, 1)
    if (mark === undefined) high = middle
    else if (mark.appendedAtMs >= timeMs) {
      found = mark
      high = middle
    } else low = mark.baseOffset + 1
  }
  return found ?? marks.inMemory.find((mark) => mark.appendedAtMs >= timeMs)
}

async function marksFrom(marks: Marks, offset: number, countMax: number): Promise<readonly OffsetMark[]> {
  const found: OffsetMark[] = []
  if (offset < marks.baseBelow) {
    const before = await markAtOrBelow(marks, offset)
    if (before !== undefined && offset < before.baseOffset + before.recordCount) found.push(before)
    if (found.length < countMax) found.push(...(await baseMarks(marks, offset + 1, countMax - found.length)))
  }
  for (const mark of marks.inMemory) {
    if (found.length >= countMax) break
    if (mark.baseOffset + mark.recordCount > offset) found.push(mark)
  }
  checkDense(marks, { offset, countMax }, found)
  return found
}

/** Offsets are dense: where one batch ends the next begins. A mark that is lost would be records that are passed over. */
function checkDense(
  { group, firstOffset, endOffset }: Marks,
  { offset, countMax }: { readonly offset: number; readonly countMax: number },
  found: readonly OffsetMark[],
): void {
  let next = Math.max(offset, firstOffset)
  for (const { baseOffset, recordCount } of found) {
    if (baseOffset > next) break
    next = baseOffset + recordCount
  }
  const last = found.at(-1)
  const end = found.length < countMax || last === undefined ? endOffset : last.baseOffset + last.recordCount
  if (next < end) throw new DamagedIndexError(`Group ${group} has no offset row for offset ${next}.`)
}

async function markAtOrBelow(marks: Marks, offset: number): Promise<OffsetMark | undefined> {
  const below = markKey(marks.group, offset + 1)
  const [pair] = await marks.index.base.scan({
    from: markKey(marks.group, 0),
    below,
    reverse: true,
    countMax: 1,
  })
  return pair === undefined ? undefined : verified(marks.group, pair.key, pair.value)
}

async function baseMarks(marks: Marks, from: number, countMax: number): Promise<readonly OffsetMark[]> {
  if (from >= marks.baseBelow) return []
  const below = markKey(marks.group, marks.baseBelow)
  const pairs = await marks.index.base.scan({ from: markKey(marks.group, from), below, countMax })
  return pairs.map(({ key, value }) => verified(marks.group, key, value))
}

function verified(group: GroupId, key: Uint8Array, value: Uint8Array): OffsetMark {
  const mark = readMark(key, value)
  if (mark === undefined) throw new DamagedIndexError(`An offset row of group ${group} is damaged.`)
  return mark
}
