import { invariant } from '../types/invariant.ts'
import { asBuffer } from './keys.ts'
import type { Row } from './log-store.ts'

/** One part of a checkpoint holds rows of so many bytes, or one larger row. */
const PART_BYTES_MAX = 1024 * 1024

const VERSION = 1
const ROW_HEAD_BYTES = 6

/**
 * Rows of a state machine as parts that are stored and sent one by one. Each part begins with version u8; then each row:
 * key length u16, value length u32, key, value. No rows: no parts.
 */
export function encodeRows(rows: readonly Row[], partBytesMax = PART_BYTES_MAX): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  let from = 0
  let bytes = 1
  rows.forEach((row, place) => {
    const size = rowBytes(row)
    if (place > from && bytes + size > partBytesMax) {
      parts.push(encodePart(rows, { from, to: place, bytes }))
      from = place
      bytes = 1
    }
    bytes += size
  })
  if (from < rows.length) parts.push(encodePart(rows, { from, to: rows.length, bytes }))
  return parts
}

function rowBytes({ key, value }: Row): number {
  invariant(value !== undefined, 'A checkpoint holds rows, not their deletion.')
  invariant(key.length <= 0xffff, 'The key of a row has at most 65535 bytes.')
  return ROW_HEAD_BYTES + key.length + value.length
}

function encodePart(
  rows: readonly Row[],
  { from, to, bytes }: { readonly from: number; readonly to: number; readonly bytes: number },
): Uint8Array {
  const part = Buffer.allocUnsafe(bytes)
  let at = part.writeUInt8(VERSION, 0)
  for (let place = from; place < to; place++) {
    const { key, value = new Uint8Array(0) } = rows[place] as Row
    at = part.writeUInt32BE(value.length, part.writeUInt16BE(key.length, at))
    part.set(key, at)
    part.set(value, at + key.length)
    at += key.length + value.length
  }
  return part
}

/** The rows of all parts, in order. The parts were verified: what does not decode was never written. */
export function decodeRows(parts: readonly Uint8Array[]): readonly Row[] {
  const rows: Row[] = []
  for (const bytes of parts) {
    const part = asBuffer(bytes)
    invariant(part[0] === VERSION, 'A part of a checkpoint has a version that this Synod knows.')
    for (let at = 1; at < part.length;) {
      const valueAt = at + ROW_HEAD_BYTES + part.readUInt16BE(at)
      const end = valueAt + part.readUInt32BE(at + 2)
      invariant(end <= part.length, 'A row of a checkpoint ends inside its part.')
      rows.push({ key: part.subarray(at + ROW_HEAD_BYTES, valueAt), value: part.subarray(valueAt, end) })
      at = end
    }
  }
  return rows
}
