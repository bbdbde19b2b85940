import { createHmac, timingSafeEqual } from 'node:crypto'
import { invariant } from '../types/invariant.ts'
import { MalformedFrameError } from './byte-reader.ts'
import { MAC_BYTES } from './handshake.ts'

/** The bytes were not sent by the peer of this session, or not in this order. */
export class ForgedFlushError extends Error {
  override readonly name = 'ForgedFlushError'
}

const LENGTH_BYTES = 4

/**
 * A flush is `u32 length | frames | HMAC-SHA256(session key, u64 sequence | frames)`, 32 bytes. The sequence counts from
 * 0 in each direction and is not sent: a flush that is missing, repeated or moved does not verify.
 */
export function flushCode(key: Buffer, sequence: number, parts: readonly Buffer[]): Buffer {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(sequence))
  const hmac = createHmac('sha256', key).update(counter)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

/** Puts flushes together from what the socket gives, and hands on each only when its code has been verified. */
export class FlushReader {
  readonly #key: Buffer
  readonly #onFlush: (flush: Buffer) => void
  #bytesMax: number
  #sequence = 0
  #chunks: Buffer[] = []
  /** Bytes of the first chunk that are used up. */
  #used = 0
  #available = 0
  #isClosed = false

  /** `bytesMax` is checked against the announced length, before anything is kept for it. */
  constructor(options: { key: Buffer; bytesMax: number; onFlush: (flush: Buffer) => void }) {
    this.#key = options.key
    this.#bytesMax = options.bytesMax
    this.#onFlush = options.onFlush
  }

  set bytesMax(value: number) {
    invariant(value > 0, 'A flush may hold something.')
    this.#bytesMax = value
  }

  /** Throws `MalformedFrameError` or `ForgedFlushError`, and is then not to be used any more. */
  push(chunk: Buffer): void {
    if (this.#isClosed) return
    this.#chunks.push(chunk)
    this.#available += chunk.length
    while (!this.#isClosed && this.#available >= LENGTH_BYTES) {
      const length = this.#peekLength()
      if (length > this.#bytesMax) {
        throw new MalformedFrameError(`A flush announces ${length} bytes, more than ${this.#bytesMax}.`)
      }
      if (this.#available < LENGTH_BYTES + length + MAC_BYTES) return
      const whole = this.#take(LENGTH_BYTES + length + MAC_BYTES)
      const frames = whole.subarray(LENGTH_BYTES, LENGTH_BYTES + length)
      const code = flushCode(this.#key, this.#sequence++, [frames])
      if (!timingSafeEqual(code, whole.subarray(LENGTH_BYTES + length))) {
        throw new ForgedFlushError('A flush does not have the code of its session.')
      }
      this.#onFlush(frames)
    }
  }

  /** Nothing more is handed on, also of what has been pushed. */
  close(): void {
    this.#isClosed = true
    this.#chunks = []
    this.#available = 0
    this.#used = 0
  }

  #peekLength(): number {
    const first = this.#chunks[0]
    invariant(first !== undefined, 'There are bytes to read.')
    if (first.length - this.#used >= LENGTH_BYTES) return first.readUInt32BE(this.#used)
    const header = this.#take(LENGTH_BYTES)
    this.#chunks.unshift(header)
    this.#available += LENGTH_BYTES
    if (this.#used > 0) {
      // The second chunk is used in part: only the first may be.
      const second = this.#chunks[1]
      invariant(second !== undefined, 'A chunk that is used in part is there.')
      this.#chunks[1] = second.subarray(this.#used)
      this.#used = 0
    }
    return header.readUInt32BE(0)
  }

  /** The next bytes in one buffer: a view when one chunk holds them, else a copy. */
  #take(length: number): Buffer {
    invariant(length <= this.#available, 'Only what has come can be taken.')
    this.#available -= length
    const first = this.#chunks[0]
    if (first !== undefined && first.length - this.#used >= length) {
      const view = first.subarray(this.#used, this.#used + length)
      this.#advance(length)
      return view
    }
    const copy = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const chunk = this.#chunks[0]
      invariant(chunk !== undefined, 'The chunks hold what is available.')
      const part = Math.min(length - filled, chunk.length - this.#used)
      chunk.copy(copy, filled, this.#used, this.#used + part)
      filled += part
      this.#advance(part)
    }
    return copy
  }

  #advance(length: number): void {
    this.#used += length
    if (this.#used === this.#chunks[0]?.length) {
      this.#chunks.shift()
      this.#used = 0
    }
  }
}
