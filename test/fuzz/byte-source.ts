import { Random } from '../sim/random.ts'

/** How one stretch of bytes is spoiled. Where and by what is drawn from the source. */
const SPOILS = ['flip', 'overwrite', 'cut', 'insert', 'drop', 'repeat', 'number'] as const
export type Spoil = (typeof SPOILS)[number]

/** Numbers at which lengths, counts and their arithmetic go wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x1fffff, 0x7fffffff, 0x80000000, 0xffffffff]

/** Bytes and what spoils them, all from one seed. */
export class ByteSource {
  readonly random: Random

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  bytes(length: number): Buffer<ArrayBuffer> {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at++) bytes[at] = this.random.integer(256)
    return bytes
  }

  /** Mostly short, now and then long. */
  length(max: number): number {
    return Math.floor(max * this.random.next() ** 4)
  }

  /** A changed copy: `count` times one of the ways to spoil bytes. */
  spoil(original: Uint8Array, count = 1 + this.random.integer(3)): Buffer<ArrayBuffer> {
    let bytes: Buffer<ArrayBuffer> = Buffer.from(original)
    for (let turn = 0; turn < count; turn++) bytes = this.#spoilOnce(bytes, this.random.pick(SPOILS))
    return bytes
  }

  /** One bit of a copy is another. */
  flip(original: Uint8Array): Buffer<ArrayBuffer> {
    return this.#spoilOnce(Buffer.from(original), 'flip')
  }

  /** The bytes in pieces, as a socket may bring them. */
  pieces(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length;) {
      const size = 1 + this.length(bytes.length)
      pieces.push(bytes.subarray(at, at + size))
      at += size
    }
    return pieces
  }

  #spoilOnce(bytes: Buffer<ArrayBuffer>, spoil: Spoil): Buffer<ArrayBuffer> {
    const { random } = this
    if (bytes.length === 0) return this.bytes(random.integer(8))
    const at = random.integer(bytes.length)
    const end = Math.min(bytes.length, at + 1 + random.integer(8))
    switch (spoil) {
      case 'flip':
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(8))
        return bytes
      case 'overwrite':
        this.bytes(end - at).copy(bytes, at)
        return bytes
      case 'cut':
        return bytes.subarray(0, at)
      case 'insert':
        return Buffer.concat([bytes.subarray(0, at), this.bytes(end - at), bytes.subarray(at)])
      case 'drop':
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
      case 'repeat':
        return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
      case 'number':
        if (bytes.length < 4) return bytes
        bytes.writeUInt32BE(random.pick(EDGES), Math.min(at, bytes.length - 4))
        return bytes
    }
  }
}
