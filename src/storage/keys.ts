import { invariant } from '../types/invariant.ts'
import type { KeyRange } from './key-value.ts'

/**
 * The key space. Tags are stored: keep them stable. All numbers are big-endian, so that the order of keys is the order of
 * what they encode; u64 holds a safe integer. Every value begins with a checksum over key and value (seal.ts).
 *
 * | journal/ tag | after the tag          | value                                                                   |
 * |--------------|------------------------|-------------------------------------------------------------------------|
 * | 1 identity   |                        | StoreIdentity (identity.ts)                                             |
 * | 2 floor      |                        | floor: at or below it LSNs may be missing (rows.ts)                     |
 * | 3 record     | lsn u64                | one persist or deletion of one group (journal-record.ts)                |
 *
 * | index/ tag   | after the tag          | value (rows.ts)                                                         |
 * |--------------|------------------------|-------------------------------------------------------------------------|
 * | 1 batch      | number u64             | LSN range of an index batch; number 0 holds the base that numbers follow |
 * | 2 head       | group u32              | latest state record, end of the log                                     |
 * | 3 applied    | group u32              | how far the state machine came, and the batch that says so              |
 * | 4 deleted    | group u32              | LSN of the deletion                                                     |
 * | 5 garbage    | lsn u64                | bytes of a journal value that later journal records supersede           |
 * | 6 run        | group u32, slot u64    | where the entries from this slot on are: LSN, origins, chains, lengths  |
 * | 8 machine    | group u32, bytes       | a row of the group's state machine                                      |
 * | 9 checkpoint | group u32, slot u64, part u32 | where this part of the rows of the checkpoint at this slot is    |
 * | 10 repaired  | group u32, slot u64    | run of the one entry that a repair wrote in the place of a damaged one  |
 * | 11 marks     | group u32, offset u64  | of some batches from this offset on: slot, record count and time each   |
 *
 * 7 was a mark of one batch each: an index that has any is rebuilt.
 */
export const JOURNAL_TAG = { IDENTITY: 1, FLOOR: 2, RECORD: 3 } as const
export const INDEX_TAG = {
  BATCH: 1,
  HEAD: 2,
  APPLIED: 3,
  DELETED: 4,
  GARBAGE: 5,
  RUN: 6,
  MACHINE: 8,
  CHECKPOINT: 9,
  REPAIRED: 10,
  MARK: 11,
} as const

export const IDENTITY_KEY: Uint8Array = Buffer.from([JOURNAL_TAG.IDENTITY])
export const FLOOR_KEY: Uint8Array = Buffer.from([JOURNAL_TAG.FLOOR])
export const BASE_NUMBER = 0

/** Writes a safe integer as u64. */
export function writeU64(buffer: Buffer, value: number, at: number): void {
  invariant(
    Number.isSafeInteger(value) && value >= 0,
    `A stored number is a whole number from 0, not ${value}.`,
  )
  buffer.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  buffer.writeUInt32BE(value % 2 ** 32, at + 4)
}

export function readU64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4)
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function numberKey(tag: number, value: number): Buffer {
  const key = Buffer.allocUnsafe(9)
  key[0] = tag
  writeU64(key, value, 1)
  return key
}

function groupKey(tag: number, group: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key[0] = tag
  key.writeUInt32BE(group, 1)
  return key
}

function groupNumberKey(tag: number, group: number, value: number): Buffer {
  const key = Buffer.allocUnsafe(13)
  key[0] = tag
  key.writeUInt32BE(group, 1)
  writeU64(key, value, 5)
  return key
}

/** Journal: the record with this LSN. */
export const recordKey = (lsn: number): Buffer => numberKey(JOURNAL_TAG.RECORD, lsn)
export const batchKey = (number: number): Buffer => numberKey(INDEX_TAG.BATCH, number)
export const headKey = (group: number): Buffer => groupKey(INDEX_TAG.HEAD, group)
export const appliedKey = (group: number): Buffer => groupKey(INDEX_TAG.APPLIED, group)
export const deletedKey = (group: number): Buffer => groupKey(INDEX_TAG.DELETED, group)
export const garbageKey = (lsn: number): Buffer => numberKey(INDEX_TAG.GARBAGE, lsn)
export const runKey = (group: number, firstSlot: number): Buffer =>
  groupNumberKey(INDEX_TAG.RUN, group, firstSlot)
export const repairedKey = (group: number, slot: number): Buffer =>
  groupNumberKey(INDEX_TAG.REPAIRED, group, slot)
export const markKey = (group: number, baseOffset: number): Buffer =>
  groupNumberKey(INDEX_TAG.MARK, group, baseOffset)

/** Index: a part of the rows of the checkpoint at this slot. */
export function checkpointKey(group: number, slot: number, part: number): Buffer {
  const key = Buffer.allocUnsafe(17)
  key[0] = INDEX_TAG.CHECKPOINT
  key.writeUInt32BE(group, 1)
  writeU64(key, slot, 5)
  key.writeUInt32BE(part, 13)
  return key
}

/** Index: a row of a state machine; `key` is the machine's own. */
export function machineKey(group: number, key: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(5 + key.length)
  whole[0] = INDEX_TAG.MACHINE
  whole.writeUInt32BE(group, 1)
  whole.set(key, 5)
  return whole
}

/** Tag of a key. */
export const tagOf = (key: Uint8Array): number => key[0] ?? 0
/** LSN or batch number of a key that holds one. */
export const numberOf = (key: Uint8Array): number => readU64(asBuffer(key), 1)
/** Group of a key that holds one. */
export const groupOf = (key: Uint8Array): number => asBuffer(key).readUInt32BE(1)
/** Slot or offset of the key of a run, a mark or a part of a checkpoint. */
export const groupNumberOf = (key: Uint8Array): number => readU64(asBuffer(key), 5)
/** The machine's own part of a row's key. */
export const machinePartOf = (key: Uint8Array): Uint8Array => key.subarray(5)

/** Every key whose tag is at least `first` and below `below`. */
export function tagRange(first: number, below: number): KeyRange {
  return { from: Buffer.from([first]), below: Buffer.from([below]) }
}

/** Every key of this tag and group. */
export function groupRange(tag: number, group: number): KeyRange {
  const below = group === 0xffffffff ? Buffer.from([tag + 1]) : groupKey(tag, group + 1)
  return { from: groupKey(tag, group), below }
}
