import { crc32 } from 'node:zlib'
import { chainOf, type ChainedFacts } from '../paxos/entry.ts'
import type { Entry, EntryKind, StateRecord } from '../paxos/state.ts'
import type { RowsWrite, Write } from '../paxos/effects.ts'
import type { GroupId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { asBuffer, readU64, writeU64 } from './keys.ts'
import type { EntryLocation } from './log-store.ts'
import { isSealed, seal } from './seal.ts'
import { BALLOT_BYTES, readBallot, readState, stateBytes, writeBallot, writeState } from './state-codec.ts'

/*
 * Journal value, big-endian. The seal covers the head; each body has its own checksum in the head, so nothing is summed twice.
 *
 *   seal u32 · head length u32 · version u8 · kind u8 · group u32 · born u64 · state length u16 · entry count u32 · first slot u64
 *   state record (state length bytes)
 *   per entry: kind u8 · origin 10 · record count u32 · body crc u32 · chain u32 · body length u32
 *   -- end of the head --
 *   bodies, in order
 *
 * A part of a checkpoint's rows has its number instead of the entry count and the checkpoint's slot instead of the first slot;
 * its bytes belong to the head.
 */
const VERSION = 2
const RECORD_KIND = { PERSIST: 1, DELETION: 2, ROWS: 3, START: 4 } as const
const FIXED_BYTES = 36
const ENTRY_BYTES = 17 + BALLOT_BYTES

/** An entry as a journal value holds it: its facts, and where its body lies. */
export interface StoredEntry extends EntryLocation {
  readonly kind: EntryKind
  readonly recordCount: number
  readonly crc: number
  readonly bodyAt: number
  readonly bodyLength: number
}

export interface PersistRecord {
  readonly kind: 'persist'
  readonly group: GroupId
  /** LSN of the group's first record: how a recovery knows which groups it must find. */
  readonly born: number
  readonly state: StateRecord | undefined
  /** Contiguous slots. */
  readonly entries: readonly StoredEntry[]
  readonly value: Buffer
}

/** One part of the rows of the checkpoint at `slot`. */
export interface RowsRecord {
  readonly kind: 'rows'
  readonly group: GroupId
  readonly born: number
  readonly slot: Slot
  readonly part: number
  readonly bytes: Uint8Array
}

export interface DeletionRecord {
  readonly kind: 'deletion'
  readonly group: GroupId
  /** 0 when nothing was ever written of the group. */
  readonly born: number
  /** 0: for good; else the replica may come back, and votes above this configuration only. */
  readonly minConfiguration: number
}

/** The store was opened: what that found is durable from here on (consensus 1.16). Of no group. */
export interface StartRecord {
  readonly kind: 'start'
}

export type JournalRecord = PersistRecord | RowsRecord | DeletionRecord | StartRecord

/** A persist's parts. The state record comes first, the slots of the entries are contiguous: this form keeps both. */
export interface PersistParts {
  readonly state: StateRecord | undefined
  readonly entries: readonly Entry[]
  /** Then there is nothing else. */
  readonly rows: RowsWrite | undefined
}

export function partsOf(writes: readonly Write[]): PersistParts {
  invariant(writes.length >= 1, 'A persist has at least one write.')
  const first = writes[0]
  if (first?.kind === 'rows') {
    invariant(writes.length === 1, 'A part of a checkpoint is alone in its persist.')
    return { state: undefined, entries: [], rows: first }
  }
  const state = first?.kind === 'state' ? first.state : undefined
  const entries: Entry[] = []
  for (let index = state === undefined ? 0 : 1; index < writes.length; index++) {
    const write = writes[index]
    invariant(write?.kind === 'entry', 'The state record of a persist comes first, and there is one at most.')
    const { entry } = write
    const before = entries.at(-1)
    invariant(
      before === undefined || entry.slot === before.slot + 1,
      'The entries of a persist are contiguous.',
    )
    invariant(entry.slot >= 1, 'Slots begin at 1.')
    entries.push(entry)
  }
  return { state, entries, rows: undefined }
}

/** One allocation, one copy of each body. */
export function encodePersist(key: Uint8Array, group: GroupId, born: number, parts: PersistParts): Buffer {
  const { state, entries, rows } = parts
  if (rows !== undefined) return encodeRows(key, group, born, rows)
  const stateLength = state === undefined ? 0 : stateBytes(state)
  invariant(stateLength <= 0xffff, 'A state record fits 64 KiB.')
  const headLength = FIXED_BYTES + stateLength + ENTRY_BYTES * entries.length
  let length = headLength
  for (const entry of entries) length += entry.body.length
  const value = Buffer.allocUnsafe(length)
  writeFixed(value, { headLength, kind: RECORD_KIND.PERSIST, group, born })
  value.writeUInt16BE(stateLength, 22)
  value.writeUInt32BE(entries.length, 24)
  writeU64(value, entries[0]?.slot ?? 0, 28)
  let at = state === undefined ? FIXED_BYTES : writeState(value, state, FIXED_BYTES)
  let bodyAt = headLength
  for (const entry of entries) {
    value[at] = entry.kind
    writeBallot(value, entry.origin, at + 1)
    value.writeUInt32BE(entry.recordCount, at + 11)
    value.writeUInt32BE(entry.crc, at + 15)
    value.writeUInt32BE(entry.chain, at + 19)
    value.writeUInt32BE(entry.body.length, at + 23)
    value.set(entry.body, bodyAt)
    at += ENTRY_BYTES
    bodyAt += entry.body.length
  }
  return seal(key, value, headLength)
}

function encodeRows(key: Uint8Array, group: GroupId, born: number, rows: RowsWrite): Buffer {
  const length = FIXED_BYTES + rows.bytes.length
  const value = Buffer.allocUnsafe(length)
  writeFixed(value, { headLength: length, kind: RECORD_KIND.ROWS, group, born })
  value.writeUInt16BE(0, 22)
  value.writeUInt32BE(rows.part, 24)
  writeU64(value, rows.slot, 28)
  value.set(rows.bytes, FIXED_BYTES)
  return seal(key, value)
}

/** Its configuration stands where a persist has its first slot; a version before this one wrote 0 there. */
export function encodeDeletion(
  key: Uint8Array,
  group: GroupId,
  born: number,
  minConfiguration: number,
): Buffer {
  const value = Buffer.alloc(FIXED_BYTES)
  writeFixed(value, { headLength: FIXED_BYTES, kind: RECORD_KIND.DELETION, group, born })
  writeU64(value, minConfiguration, 28)
  return seal(key, value)
}

export function encodeStart(key: Uint8Array): Buffer {
  const value = Buffer.alloc(FIXED_BYTES)
  writeFixed(value, { headLength: FIXED_BYTES, kind: RECORD_KIND.START, group: 0, born: 0 })
  return seal(key, value)
}

/** Undefined when the head is damaged. Bodies are not looked at: see `verifyBodies` and `entryOf`. */
export function decodeRecord(key: Uint8Array, bytes: Uint8Array): JournalRecord | undefined {
  const value = asBuffer(bytes)
  if (value.length < FIXED_BYTES) return undefined
  const headLength = value.readUInt32BE(4)
  if (headLength < FIXED_BYTES || !isSealed(key, value, headLength)) return undefined
  invariant(
    value[8] === VERSION,
    `The journal has a record of version ${value[8]}, which this Synod does not know.`,
  )
  const group = value.readUInt32BE(10) as GroupId
  const born = readU64(value, 14)
  if (value[9] === RECORD_KIND.START) return { kind: 'start' }
  if (value[9] === RECORD_KIND.DELETION)
    return { kind: 'deletion', group, born, minConfiguration: readU64(value, 28) }
  const stateLength = value.readUInt16BE(22)
  const count = value.readUInt32BE(24)
  const firstSlot = readU64(value, 28)
  if (value[9] === RECORD_KIND.ROWS) {
    if (headLength !== value.length) return undefined
    const bytes = value.subarray(FIXED_BYTES)
    return { kind: 'rows', group, born, slot: firstSlot as Slot, part: count, bytes }
  }
  const state = stateLength === 0 ? undefined : readState(value, FIXED_BYTES)
  const entries: StoredEntry[] = []
  let at = FIXED_BYTES + stateLength
  let bodyAt = headLength
  for (let index = 0; index < count; index++) {
    const bodyLength = value.readUInt32BE(at + 23)
    entries.push({
      slot: (firstSlot + index) as Slot,
      kind: value[at] as EntryKind,
      origin: readBallot(value, at + 1),
      recordCount: value.readUInt32BE(at + 11),
      crc: value.readUInt32BE(at + 15),
      chain: value.readUInt32BE(at + 19),
      bodyAt,
      bodyLength,
    })
    at += ENTRY_BYTES
    bodyAt += bodyLength
  }
  return bodyAt === value.length ? { kind: 'persist', group, born, state, entries, value } : undefined
}

/** The entry with its body as a view of the journal value; undefined when the body's checksum does not hold. */
export function entryOf(record: PersistRecord, stored: StoredEntry): Entry | undefined {
  const body = record.value.subarray(stored.bodyAt, stored.bodyAt + stored.bodyLength)
  if (crc32(body) !== stored.crc) return undefined
  const { slot, kind, origin, recordCount, crc, chain } = stored
  return { slot, kind, origin, recordCount, crc, chain, body }
}

/** Whether this entry follows a log that ends with this chain value. */
export function linksTo(chainBefore: number, stored: ChainedFacts & { readonly chain: number }): boolean {
  return chainOf(chainBefore, stored, crc32) === stored.chain
}

/** Whether every body and every link inside the record holds. */
export function verifyBodies(record: PersistRecord): boolean {
  let before: StoredEntry | undefined
  for (const stored of record.entries) {
    if (before !== undefined && !linksTo(before.chain, stored)) return false
    if (crc32(record.value.subarray(stored.bodyAt, stored.bodyAt + stored.bodyLength)) !== stored.crc)
      return false
    before = stored
  }
  return true
}

function writeFixed(
  value: Buffer,
  head: { readonly headLength: number; readonly kind: number; readonly group: number; readonly born: number },
): void {
  value.writeUInt32BE(head.headLength, 4)
  value[8] = VERSION
  value[9] = head.kind
  value.writeUInt32BE(head.group, 10)
  writeU64(value, head.born, 14)
}
