import { Buffer } from 'node:buffer'
import type { RecordDraft, RecordForm, StoredRecord } from '../types/record.ts'
import { SynodError } from '../errors.ts'
import { readInt53, requireForm, writeInt53 } from './wire.ts'

/** Bounds of one record in a stored batch, in bytes of UTF-8. What a topic allows may be less, never more. */
export const VALUE_BYTES_MAX = 8 * 1024 * 1024
export const KEY_BYTES_MAX = 64 * 1024
export const CONTENT_TYPE_BYTES_MAX = 1024
export const HEADERS_PER_RECORD_MAX = 128
export const HEADER_NAME_BYTES_MAX = 256
export const HEADER_VALUE_BYTES_MAX = 32 * 1024

/**
 * One record of RecordBatch version 1, big-endian; its length stands in the batch's header.
 *
 * | bytes     | what                                                                                  |
 * |-----------|---------------------------------------------------------------------------------------|
 * | 1         | form in bits 0-1; bits 2-5: timestamp, key, content type, headers follow; 6-7 zero     |
 * | 8         | the producer's timestamp, signed epoch milliseconds                                    |
 * | 4 + n     | key                                                                                    |
 * | 2 + n     | content type                                                                           |
 * | 2, then each 2 + n, 2 + n | header count, then name and value                                      |
 * | the rest  | value, empty for a tombstone                                                           |
 */
const FORMS: readonly RecordForm[] = ['json', 'text', 'bytes', 'tombstone']
const FORM_MASK = 0b11
const TOMBSTONE = 3
const HAS_TIMESTAMP = 1 << 2
const HAS_KEY = 1 << 3
const HAS_CONTENT_TYPE = 1 << 4
const HAS_HEADERS = 1 << 5
const UNUSED_MASK = 0b11000000

function refuse(code: 'invalid-field' | 'record-too-large', detail: string, hint: string): never {
  throw new SynodError(code, detail, { hint })
}

function boundedLength(text: string, what: string, bytesMax: number): number {
  const bytes = Buffer.byteLength(text)
  if (bytes > bytesMax) {
    refuse(
      'invalid-field',
      `The ${what} has ${bytes} bytes.`,
      `A ${what} has at most ${bytesMax} bytes of UTF-8.`,
    )
  }
  return bytes
}

/** Bytes that `writeRecord` writes. Errors: 'invalid-field' or 'record-too-large' for what is beyond the bounds above. */
export function recordLength(record: RecordDraft): number {
  let length = 1 + record.value.length
  if (record.value.length > VALUE_BYTES_MAX) {
    const hint = `A value has at most ${VALUE_BYTES_MAX} bytes; store larger things elsewhere and produce a link.`
    refuse('record-too-large', `The value has ${record.value.length} bytes.`, hint)
  }
  if (record.form === 'tombstone' && record.value.length > 0) {
    refuse('invalid-field', 'A tombstone has a value.', 'Leave the value out, or choose another form.')
  }
  if (record.timestampMs !== undefined) {
    if (!Number.isSafeInteger(record.timestampMs)) {
      refuse(
        'invalid-field',
        `The timestamp ${record.timestampMs} is no whole number.`,
        'Give whole milliseconds.',
      )
    }
    length += 8
  }
  if (record.key !== undefined) length += 4 + boundedLength(record.key, 'key', KEY_BYTES_MAX)
  if (record.contentType !== undefined) {
    length += 2 + boundedLength(record.contentType, 'content type', CONTENT_TYPE_BYTES_MAX)
  }
  if (record.headers.length > 0) length += headersLength(record.headers)
  return length
}

function headersLength(headers: RecordDraft['headers']): number {
  if (headers.length > HEADERS_PER_RECORD_MAX) {
    const hint = `A record has at most ${HEADERS_PER_RECORD_MAX} headers.`
    refuse('invalid-field', `A record has ${headers.length} headers.`, hint)
  }
  let length = 2
  for (const [name, value] of headers) {
    length += 4 + boundedLength(name, 'header name', HEADER_NAME_BYTES_MAX)
    length += boundedLength(value, 'header value', HEADER_VALUE_BYTES_MAX)
  }
  return length
}

function writeText16(into: Buffer, text: string, at: number): number {
  const length = into.write(text, at + 2)
  into.writeUInt16BE(length, at)
  return at + 2 + length
}

/** Writes a record that `recordLength` has measured; returns the place after it. Copies the value once. */
export function writeRecord(into: Buffer, record: RecordDraft, start: number): number {
  let marks = FORMS.indexOf(record.form)
  let at = start + 1
  if (record.timestampMs !== undefined) {
    marks |= HAS_TIMESTAMP
    at = writeInt53(into, record.timestampMs, at)
  }
  if (record.key !== undefined) {
    marks |= HAS_KEY
    const length = into.write(record.key, at + 4)
    into.writeUInt32BE(length, at)
    at += 4 + length
  }
  if (record.contentType !== undefined) {
    marks |= HAS_CONTENT_TYPE
    at = writeText16(into, record.contentType, at)
  }
  if (record.headers.length > 0) {
    marks |= HAS_HEADERS
    at = into.writeUInt16BE(record.headers.length, at)
    for (const [name, value] of record.headers) at = writeText16(into, value, writeText16(into, name, at))
  }
  into[start] = marks
  into.set(record.value, at)
  return at + record.value.length
}

/** A reader of one record's bytes; every step checks that it stays inside. */
class RecordReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  /** Moves over `length` bytes and returns where they begin. */
  take(length: number): number {
    const start = this.#at
    requireForm(start + length <= this.#end, 'A field ends after its record.')
    this.#at = start + length
    return start
  }

  marks(): number {
    const marks = this.#bytes[this.take(1)]!
    requireForm((marks & UNUSED_MASK) === 0, 'A record has an unknown mark.')
    return marks
  }

  timestamp(): number {
    return readInt53(this.#bytes, this.take(8))
  }

  length16(max: number, what: string): number {
    const length = this.#bytes.readUInt16BE(this.take(2))
    requireForm(length <= max, `A ${what} is longer than ${max}.`)
    return length
  }

  keyLength(): number {
    const length = this.#bytes.readUInt32BE(this.take(4))
    requireForm(length <= KEY_BYTES_MAX, `A key is longer than ${KEY_BYTES_MAX}.`)
    return length
  }

  text(length: number): string {
    const start = this.take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }
}

/** Throws `MalformedBatchError` unless `readRecord` would succeed on these bytes. Allocates no strings. */
export function checkRecord(bytes: Buffer, start: number, end: number): void {
  const reader = new RecordReader(bytes, start, end)
  const marks = reader.marks()
  if (marks & HAS_TIMESTAMP) reader.timestamp()
  if (marks & HAS_KEY) reader.take(reader.keyLength())
  if (marks & HAS_CONTENT_TYPE) reader.take(reader.length16(CONTENT_TYPE_BYTES_MAX, 'content type'))
  if (marks & HAS_HEADERS) {
    const count = reader.length16(HEADERS_PER_RECORD_MAX, 'list of headers')
    for (let index = 0; index < count; index++) {
      reader.take(reader.length16(HEADER_NAME_BYTES_MAX, 'header name'))
      reader.take(reader.length16(HEADER_VALUE_BYTES_MAX, 'header value'))
    }
  }
  checkValueLength(marks, end - reader.at)
}

function checkValueLength(marks: number, length: number): void {
  requireForm(length <= VALUE_BYTES_MAX, `A value is longer than ${VALUE_BYTES_MAX}.`)
  requireForm((marks & FORM_MASK) !== TOMBSTONE || length === 0, 'A tombstone has a value.')
}

/** The record between `start` and `end`; its value is a view into `bytes`. `appendedAtMs` stands in for a timestamp. */
export function readRecord(
  bytes: Buffer,
  place: {
    readonly start: number
    readonly end: number
    readonly offset: number
    readonly appendedAtMs: number
  },
): StoredRecord {
  const reader = new RecordReader(bytes, place.start, place.end)
  const marks = reader.marks()
  const timestampMs = marks & HAS_TIMESTAMP ? reader.timestamp() : place.appendedAtMs
  const key = marks & HAS_KEY ? reader.text(reader.keyLength()) : undefined
  const contentType =
    marks & HAS_CONTENT_TYPE
      ? reader.text(reader.length16(CONTENT_TYPE_BYTES_MAX, 'content type'))
      : undefined
  const headers = marks & HAS_HEADERS ? readHeaders(reader) : NO_HEADERS
  checkValueLength(marks, place.end - reader.at)
  const value = bytes.subarray(reader.at, place.end)
  return {
    offset: place.offset,
    form: FORMS[marks & FORM_MASK]!,
    key,
    value,
    contentType,
    timestampMs,
    headers,
  }
}

const NO_HEADERS: StoredRecord['headers'] = []

function readHeaders(reader: RecordReader): StoredRecord['headers'] {
  const headers: [string, string][] = []
  const count = reader.length16(HEADERS_PER_RECORD_MAX, 'list of headers')
  for (let index = 0; index < count; index++) {
    const name = reader.text(reader.length16(HEADER_NAME_BYTES_MAX, 'header name'))
    headers.push([name, reader.text(reader.length16(HEADER_VALUE_BYTES_MAX, 'header value'))])
  }
  return headers
}
