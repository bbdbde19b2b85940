import type { GroupId } from '../types/ids.ts'
import type { GroupLog } from './group-log.ts'
import { scanPages, type Pair } from './key-value.ts'
import { groupRange, INDEX_TAG, markKey } from './keys.ts'
import type { OffsetMark } from './log-store.ts'
import type { LogIndex } from './log-index.ts'
import { marksEnd, MARKS_PER_ROW, readMarkRow } from './mark-rows.ts'
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
      high = Math.min(middle, mark.baseOffset)
    } else low = mark.baseOffset + mark.recordCount
  }
  return found ?? marks.inMemory.find((mark) => mark.appendedAtMs >= timeMs)
}

async function marksFrom(marks: Marks, from: number, countMax: number): Promise<readonly OffsetMark[]> {
  const offset = Math.max(from, marks.firstOffset)
  const found = await baseMarks(marks, offset, countMax)
  for (const mark of marks.inMemory) {
    if (found.length >= countMax) break
    if (mark.baseOffset + mark.recordCount > offset) found.push(mark)
  }
  checkDense(marks, { offset, countMax }, found)
  return found
}

/** Offsets are dense: where one batch ends the next begins. A mark that is lost would be records that are passed over. */
function checkDense(
  { group, endOffset }: Marks,
  { offset, countMax }: { readonly offset: number; readonly countMax: number },
  found: readonly OffsetMark[],
): void {
  let next = offset
  for (const { baseOffset, recordCount } of found) {
    if (baseOffset > next) break
    next = baseOffset + recordCount
  }
  const last = found.at(-1)
  const end = found.length < countMax || last === undefined ? endOffset : last.baseOffset + last.recordCount
  if (next < end) throw new DamagedIndexError(`Group ${group} has no offset row for offset ${next}.`)
}

/**
 * Marks of the database from the one that holds the offset on. A start that applies again what it had applied before may make
 * rows that overlap older ones; both tell the same, and each mark is given once.
 */
async function baseMarks(marks: Marks, offset: number, countMax: number): Promise<OffsetMark[]> {
  const found: OffsetMark[] = []
  if (offset >= marks.baseBelow) return found
  for await (const row of rowsFrom(marks, offset, countMax)) {
    for (const mark of verified(marks.group, row)) {
      if (mark.baseOffset >= marks.baseBelow) return found
      if (mark.baseOffset + mark.recordCount <= Math.max(offset, marksEnd(found))) continue
      found.push(mark)
      if (found.length === countMax) return found
    }
  }
  return found
}

/** The row that holds the offset, and those after it. */
async function* rowsFrom(
  { index, group, baseBelow }: Marks,
  offset: number,
  countMax: number,
): AsyncGenerator<Pair> {
  const { base } = index
  const { from } = groupRange(INDEX_TAG.MARK, group)
  yield* await base.scan({ from, below: markKey(group, offset + 1), reverse: true, countMax: 1 })
  const rows = { from: markKey(group, offset + 1), below: markKey(group, baseBelow) }
  for await (const page of scanPages(base, { ...rows, countMax: Math.ceil(countMax / MARKS_PER_ROW) }))
    yield* page
}

function verified(group: GroupId, { key, value }: Pair): readonly OffsetMark[] {
  const marks = readMarkRow(key, value)
  if (marks === undefined) throw new DamagedIndexError(`A row of offsets of group ${group} is damaged.`)
  return marks
}
