import type { Slot } from '../types/ids.ts'
import { asBuffer, groupNumberOf, markKey, readU64, writeU64 } from './keys.ts'
import type { Operation } from './key-value.ts'
import type { OffsetMark } from './log-store.ts'
import { isSealed, seal, SEAL_BYTES } from './seal.ts'

/** Marks in one row of the index: a put costs more than all its bytes, and a read decodes the whole row. */
export const MARKS_PER_ROW = 32
/** Slot, record count, time. */
const MARK_BYTES = 24

/** Rows of marks that follow one another. The offset of the first is in the key; where a batch ends the next begins. */
export function markPuts(group: number, marks: readonly OffsetMark[]): readonly Operation[] {
  const puts: Operation[] = []
  for (let from = 0; from < marks.length;) {
    const row = rowFrom(marks, from)
    const key = markKey(group, row[0]!.baseOffset)
    puts.push({ type: 'put', key, value: encodeMarks(key, row) })
    from += row.length
  }
  return puts
}

function rowFrom(marks: readonly OffsetMark[], from: number): readonly OffsetMark[] {
  let below = from + 1
  for (; below < marks.length && below < from + MARKS_PER_ROW; below++) {
    const { baseOffset, recordCount } = marks[below - 1]!
    if (marks[below]!.baseOffset !== baseOffset + recordCount) break
  }
  return marks.slice(from, below)
}

function encodeMarks(key: Uint8Array, marks: readonly OffsetMark[]): Buffer {
  const value = Buffer.allocUnsafe(SEAL_BYTES + MARK_BYTES * marks.length)
  marks.forEach(({ slot, recordCount, appendedAtMs }, index) => {
    const at = SEAL_BYTES + MARK_BYTES * index
    writeU64(value, slot, at)
    writeU64(value, recordCount, at + 8)
    writeU64(value, appendedAtMs, at + 16)
  })
  return seal(key, value)
}

/** The marks of a row, the first at the offset of its key; undefined when the seal does not hold. */
export function readMarkRow(key: Uint8Array, bytes: Uint8Array): readonly OffsetMark[] | undefined {
  const value = asBuffer(bytes)
  const count = (value.length - SEAL_BYTES) / MARK_BYTES
  if (!Number.isInteger(count) || count < 1 || !isSealed(key, value)) return undefined
  const marks: OffsetMark[] = []
  let baseOffset = groupNumberOf(key)
  for (let at = SEAL_BYTES; at < value.length; at += MARK_BYTES) {
    const recordCount = readU64(value, at + 8)
    marks.push({
      slot: readU64(value, at) as Slot,
      baseOffset,
      recordCount,
      appendedAtMs: readU64(value, at + 16),
    })
    baseOffset += recordCount
  }
  return marks
}

/** Where the records of the last of these marks end. */
export function marksEnd(marks: readonly OffsetMark[]): number {
  const last = marks.at(-1)
  return last === undefined ? 0 : last.baseOffset + last.recordCount
}
