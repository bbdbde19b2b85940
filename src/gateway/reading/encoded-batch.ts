import type { CommittedBatch } from '../../types/record.ts'
import { invariant } from '../../types/invariant.ts'
import { batchLines } from './record-json.ts'

/**
 * What a batch is turned into for readers: lines of NDJSON, elements of an array, the same without values, WebSocket frames
 * of records, or of values alone.
 */
export type BatchForm = 'lines' | 'elements' | 'heads' | 'recordFrames' | 'valueFrames'

/** A whole batch in one form; record `index` of the batch begins at `starts[index]`. */
export interface EncodedBatch {
  readonly bytes: Buffer
  readonly starts: Uint32Array
}

/** Encodings that are kept, in bytes. An encoding may be several times as large as its batch, so it is counted apart. */
export const KEPT_BYTES_MAX = 16 * 1024 * 1024

/** What may be forgotten again, the oldest first. */
class KeptBytes {
  #kept: { readonly byteLength: number; readonly forget: () => void }[] = []
  #head = 0
  #bytes = 0

  /** `forget` must not hold on to the batch, which is to leave memory when the log drops it. */
  keep(byteLength: number, forget: () => void): void {
    this.#kept.push({ byteLength, forget })
    this.#bytes += byteLength
    while (this.#bytes > KEPT_BYTES_MAX && this.#head < this.#kept.length) this.#forgetOldest()
    if (this.#head > 1_024 && this.#head * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#head)
      this.#head = 0
    }
  }

  #forgetOldest(): void {
    const oldest = this.#kept[this.#head]
    invariant(oldest !== undefined, 'Bytes are kept of something.')
    this.#kept[this.#head++] = FORGOTTEN
    this.#bytes -= oldest.byteLength
    oldest.forget()
  }
}

const FORGOTTEN = { byteLength: 0, forget: () => undefined }
const kept = new KeptBytes()

/** Counts an encoding that is kept beside a batch; `forget` is called when it must go, and must not hold the batch. */
export function keepEncoding(byteLength: number, forget: () => void): void {
  kept.keep(byteLength, forget)
}

/**
 * Encodings live beside the batch and no longer than it, within their own budget. All readers of a batch at the tail hold
 * the same object: 100 subscribers cost one encoding, and their sockets share its bytes.
 */
const encodings = new WeakMap<CommittedBatch, Map<BatchForm, EncodedBatch>>()

/** The batch in that form, encoded at the first call. `encode` must give the same bytes whoever calls. */
export function encodedOnce(
  batch: CommittedBatch,
  form: BatchForm,
  encode: () => EncodedBatch,
): EncodedBatch {
  let forms = encodings.get(batch)
  if (forms === undefined) {
    forms = new Map()
    encodings.set(batch, forms)
  }
  let encoded = forms.get(form)
  if (encoded === undefined) {
    encoded = encode()
    invariant(
      encoded.starts.length === batch.recordCount,
      'Each record of a batch has its place in the encoding.',
    )
    forms.set(form, encoded)
    const keptForms = forms
    keepEncoding(encoded.bytes.length + encoded.starts.byteLength, () => keptForms.delete(form))
  }
  return encoded
}

/** The bytes of the records from `fromOffset` on, without copying. */
export function encodedFrom(batch: CommittedBatch, encoded: EncodedBatch, fromOffset: number): Buffer {
  const index = fromOffset - batch.baseOffset
  if (index <= 0) return encoded.bytes
  invariant(index < batch.recordCount, 'A batch that is sent holds a record that is wanted.')
  return encoded.bytes.subarray(encoded.starts[index])
}

/** NDJSON, a line a record, from `fromOffset` on. */
export function ndjsonFrom(
  topicName: string,
  partition: number,
  batch: CommittedBatch,
  fromOffset: number,
): Buffer {
  const encoded = encodedOnce(batch, 'lines', () => encodeLines(batchLines(topicName, partition, batch)))
  return encodedFrom(batch, encoded, fromOffset)
}

function encodeLines(lines: readonly string[]): EncodedBatch {
  const starts = new Uint32Array(lines.length)
  let length = 0
  for (const [index, line] of lines.entries()) {
    starts[index] = length
    length += Buffer.byteLength(line) + 1
  }
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  invariant(bytes.length === length, 'Lines are as long as they were measured.')
  return { bytes, starts }
}
