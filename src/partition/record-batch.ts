import { Buffer, isUtf8 } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { invariant } from '../types/invariant.ts'
import type { CommittedBatch, Idempotency, RecordDraft, StoredRecord } from '../types/record.ts'
import { SynodError } from '../errors.ts'
import { checkRecord, readRecord, recordLength, writeRecord } from './record-codec.ts'
import { asBuffer, readUint53, requireForm, writeInt53 } from './wire.ts'

export { MalformedBatchError } from './wire.ts'

/** Records of one batch, and bytes of one body. */
export const RECORDS_PER_BATCH_MAX = 1_000
export const BATCH_BYTES_MAX = 16 * 1024 * 1024
/** Bytes of UTF-8. */
export const PRODUCER_ID_BYTES_MAX = 64
export const IDEMPOTENCY_KEY_BYTES_MAX = 255
/** A SHA-256. */
const FINGERPRINT_BYTES = 32

/**
 * RecordBatch version 1, big-endian; the body of a DATA entry. No offset inside: offsets are given at apply.
 *
 * | at | bytes      | what                                                                              |
 * |----|------------|-----------------------------------------------------------------------------------|
 * | 0  | 1          | version, 1                                                                         |
 * | 1  | 1          | flags: 1 producer, 2 idempotency key (not both), 4 expected offset                 |
 * | 2  | 8          | appendedAt, epoch milliseconds; written by the leader just before it proposes      |
 * | 10 | 2          | record count, 1..1000                                                              |
 * | 12 | 1 + n, 8, 8| producer: id, epoch, sequence of the first record                                  |
 * |    | 2 + n, 32  | or idempotency key, fingerprint of the request                                     |
 * |    | 8          | expected offset of the first record                                                |
 * |    | 4 each     | record lengths                                                                     |
 * |    |            | records (record-codec.ts)                                                          |
 */
const VERSION = 1
const BY_PRODUCER = 1
const BY_KEY = 2
const EXPECTS_OFFSET = 4
const BOTH = BY_PRODUCER | BY_KEY
const APPENDED_AT = 2
const COUNT_AT = 10
/** The fixed part of the header: all of it where there is neither idempotency nor an expected offset. */
export const BATCH_FIXED_BYTES = 12

/** What the header of a batch says; the records stay encoded. */
export interface BatchHeader {
  readonly appendedAtMs: number
  readonly recordCount: number
  /** The fingerprint is a view into the body. */
  readonly idempotency: Idempotency | undefined
  /** The offset that the first record must get. */
  readonly expectedOffset: number | undefined
  /** Where the record lengths begin. From here on every copy of a batch that is sent again has the same bytes. */
  readonly contentStart: number
}

/** What `encodeBatch` is given; `appendedAtMs` may be 0 until the leader sets it. */
export interface BatchDraft {
  readonly records: readonly RecordDraft[]
  readonly appendedAtMs: number
  readonly idempotency: Idempotency | undefined
  readonly expectedOffset: number | undefined
}

/**
 * One allocation; each value is copied once. Errors: 'invalid-field', 'record-too-large', 'batch-too-large' for what is
 * beyond the bounds of this file and of record-codec.ts.
 */
export function encodeBatch(draft: BatchDraft): Buffer {
  const { records } = draft
  invariant(records.length > 0, 'A batch has at least one record.')
  if (records.length > RECORDS_PER_BATCH_MAX) {
    const hint = `Send at most ${RECORDS_PER_BATCH_MAX} records in one batch.`
    throw new SynodError('batch-too-large', `The batch has ${records.length} records.`, { hint })
  }
  const lengths = records.map(recordLength)
  const contentStart =
    BATCH_FIXED_BYTES + idempotencyLength(draft) + (draft.expectedOffset === undefined ? 0 : 8)
  const total = lengths.reduce((sum, length) => sum + length, contentStart + 4 * lengths.length)
  if (total > BATCH_BYTES_MAX) {
    const hint = `One batch has at most ${BATCH_BYTES_MAX} bytes: send fewer records at once.`
    throw new SynodError('batch-too-large', `The batch has ${total} bytes.`, { hint })
  }
  const body = Buffer.allocUnsafe(total)
  let at = writeHeader(body, draft)
  invariant(at === contentStart, 'A batch header is as long as was measured.')
  for (const length of lengths) at = body.writeUInt32BE(length, at)
  for (const record of records) at = writeRecord(body, record, at)
  invariant(at === total, 'A batch is as long as was measured.')
  return body
}

function idempotencyLength({ idempotency, records }: BatchDraft): number {
  if (idempotency === undefined) return 0
  if (idempotency.kind === 'key') {
    invariant(idempotency.fingerprint.length === FINGERPRINT_BYTES, 'A fingerprint is a SHA-256.')
    return 2 + boundedName(idempotency.key, 'Idempotency-Key', IDEMPOTENCY_KEY_BYTES_MAX) + FINGERPRINT_BYTES
  }
  requireCounter(idempotency.epoch, 'Producer-Epoch')
  requireCounter(idempotency.seq, 'Producer-Seq')
  // Near 2^53 a sum would be rounded back into the range.
  if (idempotency.seq > Number.MAX_SAFE_INTEGER - (records.length - 1)) {
    const hint = 'Go on with a higher Producer-Epoch, from Producer-Seq 0.'
    throw new SynodError(
      'invalid-field',
      `The Producer-Seq ${idempotency.seq} leaves no room for its records.`,
      { hint },
    )
  }
  return 1 + boundedName(idempotency.id, 'Producer-Id', PRODUCER_ID_BYTES_MAX) + 16
}

function boundedName(name: string, what: string, bytesMax: number): number {
  const length = Buffer.byteLength(name)
  if (length === 0 || length > bytesMax) {
    const hint = `It has 1 to ${bytesMax} bytes of UTF-8.`
    throw new SynodError('invalid-field', `The ${what} has ${length} bytes.`, { hint })
  }
  return length
}

function requireCounter(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    const hint = 'It is a whole number from 0 to 2^53-1.'
    throw new SynodError('invalid-field', `The ${what} is ${value}.`, { hint })
  }
}

function writeHeader(
  body: Buffer,
  { idempotency, expectedOffset, appendedAtMs, records }: BatchDraft,
): number {
  body[0] = VERSION
  body[1] =
    (idempotency === undefined ? 0 : idempotency.kind === 'producer' ? BY_PRODUCER : BY_KEY) |
    (expectedOffset === undefined ? 0 : EXPECTS_OFFSET)
  setAppendedAt(body, appendedAtMs)
  let at = body.writeUInt16BE(records.length, COUNT_AT)
  if (idempotency?.kind === 'producer') {
    const length = body.write(idempotency.id, at + 1)
    body[at] = length
    at = writeInt53(body, idempotency.seq, writeInt53(body, idempotency.epoch, at + 1 + length))
  } else if (idempotency?.kind === 'key') {
    const length = body.write(idempotency.key, at + 2)
    body.writeUInt16BE(length, at)
    body.set(idempotency.fingerprint, at + 2 + length)
    at += 2 + length + FINGERPRINT_BYTES
  }
  if (expectedOffset === undefined) return at
  requireCounter(expectedOffset, 'Expected-Offset')
  return writeInt53(body, expectedOffset, at)
}

/** Whether an encoded batch has neither idempotency nor an expected offset, so that only its records count. */
export function isPlainBatch(body: Uint8Array): boolean {
  return body[0] === VERSION && body[1] === 0
}

/** One plain batch of the records of all of them, in this order; each is a plain batch, within the bounds together. */
export function joinBatches(bodies: readonly Uint8Array[]): Buffer {
  const sources = bodies.map(asBuffer)
  const recordCount = sources.reduce((sum, source) => sum + source.readUInt16BE(COUNT_AT), 0)
  const total = sources.reduce((sum, source) => sum + source.length - BATCH_FIXED_BYTES, BATCH_FIXED_BYTES)
  invariant(
    recordCount <= RECORDS_PER_BATCH_MAX && total <= BATCH_BYTES_MAX,
    'A joined batch is within the bounds.',
  )
  const body = Buffer.allocUnsafe(total)
  body[0] = VERSION
  body[1] = 0
  setAppendedAt(body, 0)
  let lengthsAt = body.writeUInt16BE(recordCount, COUNT_AT)
  let at = lengthsAt + 4 * recordCount
  for (const source of sources) {
    invariant(isPlainBatch(source), 'Only plain batches are joined.')
    const recordsAt = BATCH_FIXED_BYTES + 4 * source.readUInt16BE(COUNT_AT)
    lengthsAt += source.copy(body, lengthsAt, BATCH_FIXED_BYTES, recordsAt)
    at += source.copy(body, at, recordsAt)
  }
  return body
}

/** Writes the leader's time into an encoded batch, in place. The body's checksum is taken after it. */
export function setAppendedAt(body: Uint8Array, appendedAtMs: number): void {
  invariant(body.length >= BATCH_FIXED_BYTES && body[0] === VERSION, 'Only an encoded batch gets a time.')
  invariant(
    Number.isSafeInteger(appendedAtMs) && appendedAtMs >= 0,
    `A time is epoch milliseconds, not ${appendedAtMs}.`,
  )
  writeInt53(asBuffer(body), appendedAtMs, APPENDED_AT)
}

/** The facts of the header; the record lengths are known to fill the body exactly. Throws `MalformedBatchError`. */
export function peekBatch(body: Uint8Array): BatchHeader {
  const bytes = asBuffer(body)
  requireForm(
    bytes.length >= BATCH_FIXED_BYTES && bytes.length <= BATCH_BYTES_MAX,
    'A batch has an impossible length.',
  )
  requireForm(bytes[0] === VERSION, `A batch has version ${bytes[0]}.`)
  const flags = bytes[1]!
  requireForm(flags < 8 && (flags & BOTH) !== BOTH, 'A batch has impossible flags.')
  const appendedAtMs = readUint53(bytes, APPENDED_AT)
  const recordCount = bytes.readUInt16BE(COUNT_AT)
  requireForm(recordCount >= 1 && recordCount <= RECORDS_PER_BATCH_MAX, `A batch has ${recordCount} records.`)
  let at = BATCH_FIXED_BYTES
  let idempotency: Idempotency | undefined
  if (flags & BY_PRODUCER) {
    const length = bytes[at]!
    const id = readName(bytes, at + 1, length, PRODUCER_ID_BYTES_MAX)
    const epoch = readUint53(bytes, at + 1 + length)
    const seq = readUint53(bytes, at + 9 + length)
    requireForm(seq <= Number.MAX_SAFE_INTEGER - (recordCount - 1), 'A sequence passes 2^53-1.')
    idempotency = { kind: 'producer', id, epoch, seq }
    at += 17 + length
  } else if (flags & BY_KEY) {
    requireForm(at + 2 <= bytes.length, 'A batch ends in its key.')
    const length = bytes.readUInt16BE(at)
    const key = readName(bytes, at + 2, length, IDEMPOTENCY_KEY_BYTES_MAX)
    at += 2 + length + FINGERPRINT_BYTES
    requireForm(at <= bytes.length, 'A batch ends in its fingerprint.')
    idempotency = { kind: 'key', key, fingerprint: bytes.subarray(at - FINGERPRINT_BYTES, at) }
  }
  let expectedOffset: number | undefined
  if (flags & EXPECTS_OFFSET) {
    expectedOffset = readUint53(bytes, at)
    at += 8
  }
  checkLengths(bytes, at, recordCount)
  return { appendedAtMs, recordCount, idempotency, expectedOffset, contentStart: at }
}

/** Names are compared as strings, so bytes that decode alike without being equal must not pass. */
function readName(bytes: Buffer, at: number, length: number, bytesMax: number): string {
  requireForm(
    length >= 1 && length <= bytesMax && at + length <= bytes.length,
    'A name has an impossible length.',
  )
  requireForm(isUtf8(bytes.subarray(at, at + length)), 'A name is not UTF-8.')
  return bytes.toString('utf8', at, at + length)
}

function checkLengths(bytes: Buffer, contentStart: number, recordCount: number): void {
  let end = contentStart + 4 * recordCount
  requireForm(end <= bytes.length, 'A batch ends in its record lengths.')
  for (let at = contentStart, last = end; at < last; at += 4) end += bytes.readUInt32BE(at)
  requireForm(end === bytes.length, 'The record lengths do not fill the batch.')
}

/** Calls `visit` with the bounds of each record. `header` comes from `peekBatch` of the same body. */
function eachRecord(
  bytes: Buffer,
  header: BatchHeader,
  visit: (start: number, end: number, index: number) => void,
): void {
  let start = header.contentStart + 4 * header.recordCount
  for (let index = 0; index < header.recordCount; index++) {
    const end = start + bytes.readUInt32BE(header.contentStart + 4 * index)
    visit(start, end, index)
    start = end
  }
}

/** As `peekBatch`, and every record is known to decode: what passes here is readable for ever. */
export function checkBatch(body: Uint8Array): BatchHeader {
  const bytes = asBuffer(body)
  const header = peekBatch(bytes)
  eachRecord(bytes, header, (start, end) => checkRecord(bytes, start, end))
  return header
}

/** crc32 of the record lengths and records: equal for every copy of a batch that is sent again (consensus 1.15). */
export function contentChecksum(body: Uint8Array, header: BatchHeader): number {
  return crc32(body.subarray(header.contentStart))
}

/** All records, values as views into `body`. Throws `MalformedBatchError`. */
export function decodeRecords(body: Uint8Array, baseOffset: number): StoredRecord[] {
  const bytes = asBuffer(body)
  const header = peekBatch(bytes)
  const records: StoredRecord[] = []
  const { appendedAtMs } = header
  eachRecord(bytes, header, (start, end, index) => {
    records.push(readRecord(bytes, { start, end, offset: baseOffset + index, appendedAtMs }))
  })
  return records
}

class StoredBatch implements CommittedBatch {
  /** Not part of what readers see. */
  readonly body: Buffer
  readonly baseOffset: number
  readonly recordCount: number
  readonly appendedAtMs: number
  readonly byteLength: number
  #records: WeakRef<readonly StoredRecord[]> | undefined

  constructor(body: Buffer, baseOffset: number) {
    this.body = body
    this.baseOffset = baseOffset
    this.byteLength = body.length
    this.appendedAtMs = readUint53(body, APPENDED_AT)
    this.recordCount = body.readUInt16BE(COUNT_AT)
  }

  get idempotency(): Idempotency | undefined {
    return peekBatch(this.body).idempotency
  }

  get records(): readonly StoredRecord[] {
    const known = this.#records?.deref()
    if (known !== undefined) return known
    const records = decodeRecords(this.body, this.baseOffset)
    this.#records = new WeakRef(records)
    return records
  }
}

/**
 * A batch that was applied at `baseOffset`. Only the fixed part is read here; `records` decodes on first use and keeps the
 * result while memory allows: small records are many times as large as objects, and no cache counts those. Throws `MalformedBatchError` when the fixed part is not one of a batch.
 */
export function committedBatch(body: Uint8Array, baseOffset: number): CommittedBatch {
  invariant(
    Number.isSafeInteger(baseOffset) && baseOffset >= 0,
    `An offset is a whole number from 0, not ${baseOffset}.`,
  )
  requireForm(
    body.length >= BATCH_FIXED_BYTES && body[0] === VERSION,
    'A stored batch does not begin as one.',
  )
  return new StoredBatch(asBuffer(body), baseOffset)
}

/** The bytes that `committedBatch` was given, to be sent on or stored; not to be changed. */
export function batchBody(batch: CommittedBatch): Uint8Array {
  invariant(batch instanceof StoredBatch, 'Only a batch that came from a log has a body.')
  return batch.body
}
