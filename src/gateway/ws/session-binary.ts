import { isUtf8 } from 'node:buffer'

import { SynodError } from '../../errors.ts'
import type { RecordForm } from '../../types/record.ts'
import type { PlacedDraft } from '../http/append.ts'
import { placeHeads, VALUE_FIELDS } from '../http/batch-body.ts'
import { parseJson } from '../http/json-slices.ts'
import { recordsOf, type Chunk } from '../reading/follow.ts'
import { asBuffer } from '../reading/record-json.ts'
import { headerLength, writeHeader } from './frame.ts'
import type { RecordsHead, SessionCodec } from './session-codec.ts'
import type { ClientFrameOf } from './session-frames.ts'
import { producedJson, readFrame, recordsJson } from './session-json.ts'

const LENGTH_BYTES = 4
/** Up to here a message is copied into one piece: many small values cost more as a write each. */
const COPIED_BYTES_MAX = 64 * 1024
const FORMS: readonly unknown[] = ['json', 'text', 'bytes'] satisfies RecordForm[]

/**
 * `synod.v1.bin`: each frame is one binary message of the length of a header (u32, big-endian), the header, which is the
 * frame's JSON with `form` and `size` instead of each value, and the values as they are.
 */
export const BINARY_CODEC: SessionCodec = {
  read(data, isBinary) {
    if (!isBinary)
      throw new SynodError('unsupported-media-type', 'A text message came, and this session is binary.', {
        hint: 'Open the session with the subprotocol synod.v1.json.',
      })
    const { header, values } = split(data)
    const frame = readFrame(header)
    if (frame.type !== 'produce' && values.length > 0)
      throw invalid('', `${values.length} bytes follow the header of '${frame.type}', which has no values.`)
    return frame
  },
  recordsOf: placedDrafts,
  frame: (frame) => Buffer.concat(message([Buffer.from(JSON.stringify(frame))], [])),
  produced: (id, results) => Buffer.concat(message([Buffer.from(producedJson(id, results))], [])),
  records: recordsMessage,
}

function recordsMessage(chunk: Chunk, head: RecordsHead): readonly Buffer[] {
  const values = recordsOf(chunk).map(({ value }) => asBuffer(value))
  return message(recordsJson(chunk, head, 'heads'), values)
}

function message(header: readonly Buffer[], values: readonly Buffer[]): readonly Buffer[] {
  const headerBytes = byteCountOf(header)
  const length = LENGTH_BYTES + headerBytes + byteCountOf(values)
  const before = Buffer.allocUnsafe(headerLength(length) + LENGTH_BYTES)
  before.writeUInt32BE(headerBytes, writeHeader(before, 0, 'binary', length))
  const pieces = [before, ...header, ...values]
  return length <= COPIED_BYTES_MAX ? [Buffer.concat(pieces)] : pieces
}

function byteCountOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function split(data: Buffer): { readonly header: Buffer; readonly values: Buffer } {
  const headerBytes = data.length < LENGTH_BYTES ? undefined : data.readUInt32BE(0)
  if (headerBytes === undefined || headerBytes > data.length - LENGTH_BYTES)
    throw invalid('', 'The message is shorter than its header says.')
  const end = LENGTH_BYTES + headerBytes
  return { header: data.subarray(LENGTH_BYTES, end), values: data.subarray(end) }
}

/** Errors: those of `parseBatch` for what the header says; 'invalid-field' for values that do not fit it. */
function placedDrafts(data: Buffer, { records }: ClientFrameOf<'produce'>): PlacedDraft[] {
  const { values } = split(data)
  const shapes = Array.isArray(records) ? records.map(shapeOf) : []
  const placed = placeHeads(Array.isArray(records) ? shapes.map(({ rest }) => rest) : records)
  let at = 0
  const drafts = placed.map(({ draft, partition }, index): PlacedDraft => {
    const { form, size } = shapes[index] ?? {}
    if (size === undefined && form === undefined) return { draft, partition }
    const pointer = `/records/${index}`
    const value = slice(values, at, size, pointer)
    at += value.length
    return { draft: { ...draft, form: formOf(form, value, pointer), value }, partition }
  })
  if (at !== values.length) throw invalid('', `${values.length - at} bytes follow the last value.`)
  return drafts
}

interface Shape {
  readonly form?: unknown
  readonly size?: unknown
  /** What a batch over HTTP has too. */
  readonly rest: unknown
}

function shapeOf(record: unknown, index: number): Shape {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return { rest: record }
  const { form, size, ...rest } = record as Readonly<Record<string, unknown>>
  if (VALUE_FIELDS.some((field) => Object.hasOwn(rest, field)))
    throw invalid(`/records/${index}`, 'A value stands in the header, and belongs behind it.')
  return { form, size, rest }
}

function slice(values: Buffer, at: number, size: unknown, pointer: string): Buffer {
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
    throw invalid(`${pointer}/size`, 'The size is not a whole number from 0.')
  if (at + size > values.length)
    throw invalid(`${pointer}/size`, `The value has ${size} bytes, and ${values.length - at} are left.`)
  return values.subarray(at, at + size)
}

function formOf(form: unknown, value: Buffer, pointer: string): RecordForm {
  if (form === undefined) return 'bytes'
  if (!FORMS.includes(form)) throw invalid(`${pointer}/form`, 'The form is none of json, text and bytes.')
  if (form === 'json' && !isJson(value)) throw invalid(pointer, 'The value is said to be JSON and is none.')
  if (form === 'text' && !isUtf8(value))
    throw invalid(pointer, 'The value is said to be text and is no UTF-8.')
  return form as RecordForm
}

function isJson(value: Buffer): boolean {
  try {
    parseJson(value)
    return true
  } catch (error) {
    if (error instanceof SynodError) return false
    throw error
  }
}

function invalid(pointer: string, detail: string): SynodError {
  return new SynodError('invalid-field', detail, {
    hint: 'GET /asyncapi.json shows how a binary frame is made.',
    facts: { errors: [{ pointer, code: 'invalid-field', detail }] },
  })
}
