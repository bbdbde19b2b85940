import { crc32 } from 'node:zlib'

import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import { topicId, type TopicId } from '../../types/ids.ts'

/** A reader's place in a topic: what comes next in each partition that it reads. */
export interface Cursor {
  /** A topic that is deleted and made anew has another id, and its offsets mean other records. */
  readonly topicId: TopicId
  /** All partitions are read, so those that were added since belong to the reader too, from their first record. */
  readonly isWholeTopic: boolean
  /** The next offset of each partition. */
  readonly places: ReadonlyMap<number, number>
  /** The partition that a page serves first, so that none starves behind one that never ends. */
  readonly turn: number
}

/** 1,000 partitions fit as long as their ends are within 2^48 records of each other. */
export const CURSOR_TEXT_MAX = 8_192

const VERSION = 1
const WHOLE = 1
const PARTITIONS_MAX = 1_000
const CHECK_BYTES = 4
const BASE64URL = /^[A-Za-z0-9_-]+$/

/**
 * Version, flags, length of the topic's id, the id; u16 count, u16 turn; where single partitions are read a bitmap of them,
 * after its length; the smallest next offset (7 bytes), the width of the others' distances to it, the distances in the order
 * of the partitions; crc32 of all that. In base64url, which stands in an address as it is.
 */
export function encodeCursor({ topicId, isWholeTopic, places, turn }: Cursor): string {
  const partitions = [...places.keys()].sort((left, right) => left - right)
  const last = partitions.at(-1)
  invariant(
    last !== undefined && last < PARTITIONS_MAX,
    'A cursor holds a place, and no more than a topic has.',
  )
  invariant(!isWholeTopic || last === partitions.length - 1, 'A whole topic has a place in every partition.')
  const offsets = partitions.map((partition) => places.get(partition) ?? 0)
  const least = offsets.reduce((one, other) => Math.min(one, other))
  const width = widthOf(offsets.reduce((one, other) => Math.max(one, other)) - least)
  const id = Buffer.from(topicId)
  invariant(id.length <= 0xff, 'The id of a topic is short.')
  const bitmap = isWholeTopic ? Buffer.alloc(0) : bitmapOf(partitions, last)
  const head = Buffer.from([VERSION, isWholeTopic ? WHOLE : 0, id.length])
  const numbers = Buffer.alloc(4 + 1 + bitmap.length + 7 + 1 + width * offsets.length)
  let at = numbers.writeUInt16BE(partitions.length, 0)
  at = numbers.writeUInt16BE(turn, at)
  at = numbers.writeUInt8(bitmap.length, at)
  at += bitmap.copy(numbers, at)
  at = writeNumber(numbers, least, at, 7)
  at = numbers.writeUInt8(width, at)
  for (const offset of offsets) at = writeNumber(numbers, offset - least, at, width)
  invariant(at === numbers.length, 'A cursor is as long as it was measured.')
  const content = Buffer.concat([head, id, numbers])
  const check = Buffer.alloc(CHECK_BYTES)
  check.writeUInt32BE(crc32(content), 0)
  return Buffer.concat([content, check]).toString('base64url')
}

/** Errors: 'invalid-cursor' for whatever `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor {
  const cursor =
    text.length <= CURSOR_TEXT_MAX && BASE64URL.test(text)
      ? decode(Buffer.from(text, 'base64url'))
      : undefined
  // Another spelling of the same bytes would be another entry in a cache.
  if (cursor !== undefined && encodeCursor(cursor) === text) return cursor
  throw invalidCursor(`'${text.length > 80 ? `${text.slice(0, 80)}…` : text}' is no cursor.`)
}

export function invalidCursor(detail: string): SynodError {
  return new SynodError('invalid-cursor', detail, {
    hint: 'Send a cursor as it came, whole and unchanged; or begin with from=earliest.',
  })
}

/** Undefined unless the bytes are whole; `decodeCursor` compares the rest with what it would have made itself. */
function decode(bytes: Buffer): Cursor | undefined {
  const end = bytes.length - CHECK_BYTES
  if (end < 3 || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined
  const content = bytes.subarray(0, end)
  const idEnd = 3 + (content[2] ?? 0)
  if (content[0] !== VERSION || idEnd === 3 || idEnd + 5 > end) return undefined
  const isWholeTopic = content[1] === WHOLE
  const count = content.readUInt16BE(idEnd)
  const turn = content.readUInt16BE(idEnd + 2)
  const bitmapEnd = idEnd + 5 + (content[idEnd + 4] ?? 0)
  if (bitmapEnd + 8 > end) return undefined
  const partitions = isWholeTopic ? firstOf(count) : partitionsOf(content.subarray(idEnd + 5, bitmapEnd))
  const least = content.readUIntBE(bitmapEnd + 1, 6) + (content[bitmapEnd] ?? 0) * 2 ** 48
  const width = content[bitmapEnd + 7] ?? 0
  const isFitting = partitions.length === count && count >= 1 && count <= PARTITIONS_MAX && width <= 7
  if (!isFitting || bitmapEnd + 8 + width * count !== end) return undefined
  const places = new Map<number, number>()
  for (const [index, partition] of partitions.entries()) {
    const offset = least + readNumber(content, bitmapEnd + 8 + width * index, width)
    if (partition >= PARTITIONS_MAX || !Number.isSafeInteger(offset)) return undefined
    places.set(partition, offset)
  }
  return { topicId: topicId(content.toString('utf8', 3, idEnd)), isWholeTopic, places, turn }
}

/** Bytes that the number needs; node's own integers end at six. */
function widthOf(value: number): number {
  let width = 0
  for (let left = value; left >= 1; left /= 256) width++
  return width
}

function writeNumber(bytes: Buffer, value: number, at: number, width: number): number {
  if (width === 0) return at
  if (width <= 6) return bytes.writeUIntBE(value, at, width)
  return bytes.writeUIntBE(value % 2 ** 48, bytes.writeUInt8(Math.floor(value / 2 ** 48), at), 6)
}

function readNumber(bytes: Buffer, at: number, width: number): number {
  if (width === 0) return 0
  if (width <= 6) return bytes.readUIntBE(at, width)
  return bytes.readUInt8(at) * 2 ** 48 + bytes.readUIntBE(at + 1, 6)
}

function firstOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, partition) => partition)
}

function bitmapOf(partitions: readonly number[], last: number): Buffer {
  const bitmap = Buffer.alloc((last >> 3) + 1)
  for (const partition of partitions) bitmap[partition >> 3]! |= 1 << (partition & 7)
  return bitmap
}

function partitionsOf(bitmap: Buffer): readonly number[] {
  return firstOf(bitmap.length * 8).filter(
    (partition) => ((bitmap[partition >> 3] ?? 0) >> (partition & 7)) & 1,
  )
}
