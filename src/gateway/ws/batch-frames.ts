import type { CommittedBatch, RecordForm, StoredRecord } from '../../types/record.ts'
import type { Chunk } from '../reading/follow.ts'
import { encodedFrom, encodedOnce, keepEncoding, type EncodedBatch } from '../reading/encoded-batch.ts'
import { asBuffer, batchLines } from '../reading/record-json.ts'
import { headerLength, textFrame, writeHeader, type Opcode } from './frame.ts'

/** How a subscriber wants its records: one a frame, arrays of up to `batchMax`, or only the values. */
export type FrameStyle =
  | { readonly kind: 'records' }
  | { readonly kind: 'arrays'; readonly batchMax: number }
  | { readonly kind: 'values' }

/**
 * The chunk as whole frames, ready for the socket, in offset order. The buffers are shared with other subscribers of the
 * same batches: not to be changed.
 */
export function chunkFrames(topicName: string, chunk: Chunk, style: FrameStyle): readonly Buffer[] {
  switch (style.kind) {
    case 'records':
      return chunk.batches.map((batch) =>
        encodedFrom(batch, recordFrames(topicName, chunk, batch), chunk.fromOffset),
      )
    case 'values':
      return chunk.batches.map((batch) => encodedFrom(batch, valueFrames(batch), chunk.fromOffset))
    case 'arrays':
      return [arrayFrames(topicName, chunk, style.batchMax)]
  }
}

function recordFrames(topicName: string, chunk: Chunk, batch: CommittedBatch): EncodedBatch {
  return encodedOnce(batch, 'recordFrames', () => {
    const lines = batchLines(topicName, chunk.partition, batch)
    const lengths = lines.map((line) => Buffer.byteLength(line))
    const { bytes, starts } = roomFor(lengths)
    for (const [index, line] of lines.entries()) {
      bytes.write(line, writeHeader(bytes, starts[index] ?? 0, 'text', lengths[index] ?? 0), 'utf8')
    }
    return { bytes, starts }
  })
}

/** A tombstone is an empty text frame; a binary frame holds bytes that are no text. */
const VALUE_OPCODE: Readonly<Record<RecordForm, Opcode>> = {
  json: 'text',
  text: 'text',
  bytes: 'binary',
  tombstone: 'text',
}

function valueFrames(batch: CommittedBatch): EncodedBatch {
  return encodedOnce(batch, 'valueFrames', () => {
    const { records } = batch
    const { bytes, starts } = roomFor(records.map((record) => record.value.byteLength))
    for (const [index, record] of records.entries()) copyValue(bytes, starts[index] ?? 0, record)
    return { bytes, starts }
  })
}

function copyValue(bytes: Buffer, at: number, record: StoredRecord): void {
  const payloadAt = writeHeader(bytes, at, VALUE_OPCODE[record.form], record.value.byteLength)
  asBuffer(record.value).copy(bytes, payloadAt)
}

function roomFor(payloadLengths: readonly number[]): EncodedBatch {
  const starts = new Uint32Array(payloadLengths.length)
  let total = 0
  for (const [index, length] of payloadLengths.entries()) {
    starts[index] = total
    total += headerLength(length) + length
  }
  return { bytes: Buffer.allocUnsafeSlow(total), starts }
}

/**
 * Arrays reach over batches, since most batches hold one record. What the frames hold follows from the first batch and
 * these numbers (a log never changes), and subscribers at the tail ask for the same: the latest answer is kept.
 */
interface KeptArrays {
  readonly fromOffset: number
  readonly nextOffset: number
  readonly batchMax: number
  readonly bytes: Buffer
}
const keptArrays = new WeakMap<CommittedBatch, { latest: KeptArrays | undefined }>()

function arrayFrames(topicName: string, chunk: Chunk, batchMax: number): Buffer {
  const [first] = chunk.batches
  const kept = first === undefined ? undefined : keptArrays.get(first)?.latest
  const { fromOffset, nextOffset } = chunk
  if (
    kept !== undefined &&
    kept.fromOffset === fromOffset &&
    kept.nextOffset === nextOffset &&
    kept.batchMax === batchMax
  ) {
    return kept.bytes
  }
  const bytes = encodeArrays(topicName, chunk, batchMax)
  if (first !== undefined) keepArrays(first, { fromOffset, nextOffset, batchMax, bytes })
  return bytes
}

function keepArrays(first: CommittedBatch, latest: KeptArrays): void {
  const place = keptArrays.get(first) ?? { latest: undefined }
  place.latest = latest
  keptArrays.set(first, place)
  keepEncoding(latest.bytes.length, () => {
    if (place.latest === latest) place.latest = undefined
  })
}

function encodeArrays(topicName: string, chunk: Chunk, batchMax: number): Buffer {
  const lines = chunk.batches.flatMap((batch) => batchLines(topicName, chunk.partition, batch))
  const begin = chunk.fromOffset - (chunk.batches[0]?.baseOffset ?? chunk.fromOffset)
  const frames: Buffer[] = []
  for (let at = Math.max(0, begin); at < lines.length; at += batchMax) {
    frames.push(textFrame(`[${lines.slice(at, at + batchMax).join(',')}]`))
  }
  return Buffer.concat(frames)
}
