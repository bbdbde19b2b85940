/** The bytes are not what this side understands; nothing of them was used. The lane on which they came is closed. */
export class MalformedFrameError extends Error {
  override readonly name = 'MalformedFrameError'
}

/** A frame is well formed, but a body in it does not have its checksum: the frame is dropped, the lane stays. */
export class DamagedBodyError extends Error {
  override readonly name = 'DamagedBodyError'
}

/** Reads big-endian values one after the other. Throws `MalformedFrameError` instead of reading beyond the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4))
  }

  /** A whole number up to 2^53 - 1, in eight bytes. */
  count(): number {
    const at = this.#advance(8)
    const high = this.#bytes.readUInt32BE(at)
    if (high > 0x1fffff) throw new MalformedFrameError(`A number is above 2^53 (its high half is ${high}).`)
    return high * 2 ** 32 + this.#bytes.readUInt32BE(at + 4)
  }

  boolean(): boolean {
    const value = this.u8()
    if (value > 1) throw new MalformedFrameError(`A truth value is 0 or 1, not ${value}.`)
    return value === 1
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const at = this.#advance(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** UTF-8 with a length of one byte. */
  shortText(): string {
    return this.bytes(this.u8()).toString('utf8')
  }

  /** All that is left, as a view. */
  rest(): Buffer {
    return this.bytes(this.remaining)
  }

  expectEnd(): void {
    if (this.remaining !== 0)
      throw new MalformedFrameError(`${this.remaining} bytes follow the end of a frame.`)
  }

  #advance(length: number): number {
    const at = this.#position
    if (length > this.#bytes.length - at) {
      throw new MalformedFrameError(`A frame ends ${length - this.remaining} bytes too early.`)
    }
    this.#position = at + length
    return at
  }
}
