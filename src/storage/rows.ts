import type { Ballot } from '../paxos/ballot.ts'
import type { StateRecord } from '../paxos/state.ts'
import { asBuffer, readU64, writeU64 } from './keys.ts'
import { isSealed, seal, SEAL_BYTES } from './seal.ts'
import { BALLOT_BYTES, readBallot, readState, stateBytes, writeBallot, writeState } from './state-codec.ts'

/* Values of the index and of the journal's floor. Each `read…` gives undefined when the seal does not hold. */

/** In the base row's `fromLsn`: damage was met while the index was in use, and a start has to rebuild it. */
export const DISTRUSTED = 1

/** Index batch: it reflects the journal's records (fromLsn, toLsn]. As base: numbers up to `number` are settled. */
export interface BatchRow {
  readonly number: number
  readonly fromLsn: number
  readonly toLsn: number
}

/** At or below `lsn` journal keys may be missing. `groupCount` groups existed when the journal ended at `atLsn`. */
export interface Floor {
  readonly lsn: number
  readonly groupCount: number
  readonly atLsn: number
}

/** A group as of its record `lastLsn`. */
export interface Head {
  readonly born: number
  readonly lastLsn: number
  readonly stateLsn: number
  /** First slot of the run that shares the journal value with the state record; 0 for none. */
  readonly stateRunFirst: number
  readonly through: number
  readonly chain: number
  readonly bytes: number
  readonly state: StateRecord
}

export interface AppliedRow {
  /** The index batch that wrote it: one that recovery does not trust makes the row worthless. */
  readonly number: number
  readonly slot: number
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  readonly logBytes: number
}

/** Where a part of a checkpoint's rows is. */
export interface PartRow {
  readonly lsn: number
  readonly byteLength: number
}

export interface DeletedRow {
  readonly lsn: number
  readonly born: number
  /** Nothing else of the group is left in the index. */
  readonly isFreed: boolean
  /** As in the deletion's journal record. */
  readonly minConfiguration: number
}

/** What a run tells of one entry. */
export interface RunEntry {
  readonly origin: Ballot
  readonly chain: number
  readonly bodyLength: number
}

function encodeNumbers(key: Uint8Array, numbers: readonly number[]): Buffer {
  const value = Buffer.allocUnsafe(SEAL_BYTES + 8 * numbers.length)
  numbers.forEach((number, index) => writeU64(value, number, SEAL_BYTES + 8 * index))
  return seal(key, value)
}

/** Exactly `count` numbers, or undefined. */
function readNumbers(key: Uint8Array, bytes: Uint8Array, count: number): readonly number[] | undefined {
  const value = asBuffer(bytes)
  if (value.length !== SEAL_BYTES + 8 * count || !isSealed(key, value)) return undefined
  return Array.from({ length: count }, (_, index) => readU64(value, SEAL_BYTES + 8 * index))
}

export const encodeBatch = (key: Uint8Array, row: BatchRow): Buffer =>
  encodeNumbers(key, [row.number, row.fromLsn, row.toLsn])

export function readBatch(key: Uint8Array, bytes: Uint8Array): BatchRow | undefined {
  const [number = 0, fromLsn = 0, toLsn = 0] = readNumbers(key, bytes, 3) ?? []
  // A base with number 0 says only that the index is not to be trusted.
  return number === 0 && fromLsn !== DISTRUSTED ? undefined : { number, fromLsn, toLsn }
}

export const encodeFloor = (key: Uint8Array, floor: Floor): Buffer =>
  encodeNumbers(key, [floor.lsn, floor.groupCount, floor.atLsn])

export function readFloor(key: Uint8Array, bytes: Uint8Array): Floor | undefined {
  const numbers = readNumbers(key, bytes, 3)
  if (numbers === undefined) return undefined
  const [lsn = 0, groupCount = 0, atLsn = 0] = numbers
  return { lsn, groupCount, atLsn }
}

export const encodeApplied = (key: Uint8Array, row: AppliedRow): Buffer =>
  encodeNumbers(key, [row.number, row.slot, row.nextOffset, row.lastAppendedAtMs, row.logBytes])

export function readApplied(key: Uint8Array, bytes: Uint8Array): AppliedRow | undefined {
  const numbers = readNumbers(key, bytes, 5)
  if (numbers === undefined) return undefined
  const [number = 0, slot = 0, nextOffset = 0, lastAppendedAtMs = 0, logBytes = 0] = numbers
  return { number, slot, nextOffset, lastAppendedAtMs, logBytes }
}

export const encodePart = (key: Uint8Array, row: PartRow): Buffer =>
  encodeNumbers(key, [row.lsn, row.byteLength])

export function readPart(key: Uint8Array, bytes: Uint8Array): PartRow | undefined {
  const numbers = readNumbers(key, bytes, 2)
  if (numbers === undefined) return undefined
  const [lsn = 0, byteLength = 0] = numbers
  return { lsn, byteLength }
}

export const encodeDeleted = (key: Uint8Array, row: DeletedRow): Buffer =>
  encodeNumbers(key, [row.lsn, row.born, row.isFreed ? 1 : 0, row.minConfiguration])

/** A version before this one wrote three numbers: all deletions were for good. */
export function readDeleted(key: Uint8Array, bytes: Uint8Array): DeletedRow | undefined {
  const numbers = readNumbers(key, bytes, 4) ?? readNumbers(key, bytes, 3)
  if (numbers === undefined) return undefined
  const [lsn = 0, born = 0, freed = 0, minConfiguration = 0] = numbers
  return { lsn, born, isFreed: freed === 1, minConfiguration }
}

/** A journal key that later records supersede, with about what its value weighs. */
export const encodeGarbage = (key: Uint8Array, valueBytes: number): Buffer => encodeNumbers(key, [valueBytes])

/** About what the journal value weighs. */
export function readGarbage(key: Uint8Array, bytes: Uint8Array): number | undefined {
  return readNumbers(key, bytes, 1)?.[0]
}

const HEAD_BYTES = SEAL_BYTES + 6 * 8 + 4

export function encodeHead(key: Uint8Array, head: Head): Buffer {
  const value = Buffer.allocUnsafe(HEAD_BYTES + stateBytes(head.state))
  const numbers = [head.born, head.lastLsn, head.stateLsn, head.stateRunFirst, head.through, head.bytes]
  numbers.forEach((number, index) => writeU64(value, number, SEAL_BYTES + 8 * index))
  value.writeUInt32BE(head.chain, HEAD_BYTES - 4)
  writeState(value, head.state, HEAD_BYTES)
  return seal(key, value)
}

export function readHead(key: Uint8Array, bytes: Uint8Array): Head | undefined {
  const value = asBuffer(bytes)
  if (value.length < HEAD_BYTES || !isSealed(key, value)) return undefined
  return {
    born: readU64(value, 4),
    lastLsn: readU64(value, 12),
    stateLsn: readU64(value, 20),
    stateRunFirst: readU64(value, 28),
    through: readU64(value, 36),
    bytes: readU64(value, 44),
    chain: value.readUInt32BE(HEAD_BYTES - 4),
    state: readState(value, HEAD_BYTES),
  }
}

const RUN_HEAD_BYTES = SEAL_BYTES + 8
const RUN_ENTRY_BYTES = BALLOT_BYTES + 8

export function encodeRun(key: Uint8Array, lsn: number, entries: readonly RunEntry[]): Buffer {
  const value = Buffer.allocUnsafe(RUN_HEAD_BYTES + RUN_ENTRY_BYTES * entries.length)
  writeU64(value, lsn, SEAL_BYTES)
  let at = RUN_HEAD_BYTES
  for (const entry of entries) {
    writeBallot(value, entry.origin, at)
    value.writeUInt32BE(entry.chain, at + BALLOT_BYTES)
    value.writeUInt32BE(entry.bodyLength, at + BALLOT_BYTES + 4)
    at += RUN_ENTRY_BYTES
  }
  return seal(key, value)
}

/** A run as found: entries `first` to `last`, of which a newer run may shadow the upper ones. */
export interface Run {
  readonly first: number
  readonly last: number
  readonly lsn: number
  readonly value: Buffer
}

export function readRun(key: Uint8Array, first: number, bytes: Uint8Array): Run | undefined {
  const value = asBuffer(bytes)
  const count = (value.length - RUN_HEAD_BYTES) / RUN_ENTRY_BYTES
  if (!Number.isInteger(count) || count < 1 || !isSealed(key, value)) return undefined
  return { first, last: first + count - 1, lsn: readU64(value, SEAL_BYTES), value }
}

/** Bytes of all bodies of the run. */
export function runBytes(run: Run): number {
  let bytes = 0
  for (let slot = run.first; slot <= run.last; slot++) bytes += runEntry(run, slot).bodyLength
  return bytes
}

/** The facts of a slot that the run covers. */
export function runEntry(run: Run, slot: number): RunEntry {
  const at = RUN_HEAD_BYTES + RUN_ENTRY_BYTES * (slot - run.first)
  return {
    origin: readBallot(run.value, at),
    chain: run.value.readUInt32BE(at + BALLOT_BYTES),
    bodyLength: run.value.readUInt32BE(at + BALLOT_BYTES + 4),
  }
}

/** A value of a state machine behind its seal. */
export function encodeMachineValue(key: Uint8Array, machineValue: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(SEAL_BYTES + machineValue.length)
  value.set(machineValue, SEAL_BYTES)
  return seal(key, value)
}

export function readMachineValue(key: Uint8Array, bytes: Uint8Array): Uint8Array | undefined {
  const value = asBuffer(bytes)
  return isSealed(key, value) ? value.subarray(SEAL_BYTES) : undefined
}
