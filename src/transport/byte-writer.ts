import { invariant } from '../types/invariant.ts'

/** Bodies from this size on are referred to, not copied. */
const REFERENCE_BYTES_MIN = 4_096
const BLOCK_BYTES = 256

/**
 * Writes big-endian values one after the other into a list of buffers, in which large bodies stay where they are.
 * Whoever hands in a large body must not change it until the list has been sent.
 */
export class ByteWriter {
  readonly #chunks: Buffer[] = []
  #block = Buffer.allocUnsafe(BLOCK_BYTES)
  /** Bytes of the block before `#start` are in the list already. */
  #start = 0
  #position = 0
  #listedBytes = 0

  get byteLength(): number {
    return this.#listedBytes + this.#position - this.#start
  }

  u8(value: number): void {
    this.#position = this.#room(1).writeUInt8(value, this.#position)
  }

  u16(value: number): void {
    this.#position = this.#room(2).writeUInt16BE(value, this.#position)
  }

  u32(value: number): void {
    this.#position = this.#room(4).writeUInt32BE(value, this.#position)
  }

  /** A whole number up to 2^53 - 1, in eight bytes. */
  count(value: number): void {
    invariant(Number.isSafeInteger(value) && value >= 0, `A count is a whole number from 0, not ${value}.`)
    const block = this.#room(8)
    block.writeUInt32BE(Math.floor(value / 2 ** 32), this.#position)
    this.#position = block.writeUInt32BE(value % 2 ** 32, this.#position + 4)
  }

  boolean(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  /** UTF-8 with a length of one byte. */
  shortText(value: string): void {
    const bytes = Buffer.from(value, 'utf8')
    invariant(bytes.length <= 0xff, `A short text has at most 255 bytes, not ${bytes.length}.`)
    this.u8(bytes.length)
    this.bytes(bytes)
  }

  bytes(value: Uint8Array): void {
    if (value.length < REFERENCE_BYTES_MIN) {
      this.#room(value.length).set(value, this.#position)
      this.#position += value.length
      return
    }
    this.#list()
    this.#chunks.push(Buffer.from(value.buffer, value.byteOffset, value.length))
    this.#listedBytes += value.length
  }

  /** The buffers in order; the writer is used up. */
  finish(): Buffer[] {
    this.#list()
    return this.#chunks
  }

  #room(length: number): Buffer {
    if (this.#position + length > this.#block.length) {
      this.#list()
      this.#block = Buffer.allocUnsafe(Math.max(length, Math.min(this.#block.length * 4, 65_536)))
      this.#start = 0
      this.#position = 0
    }
    return this.#block
  }

  #list(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#block.subarray(this.#start, this.#position))
    this.#listedBytes += this.#position - this.#start
    this.#start = this.#position
  }
}
