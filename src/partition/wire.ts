import { Buffer } from 'node:buffer'

/** The body of a batch or of a control entry does not follow its layout. Bodies come from the network: expected, not a bug. */
export class MalformedBatchError extends Error {
  override readonly name = 'MalformedBatchError'
}

/** Throws `MalformedBatchError` unless the body keeps the rule that `sentence` names. */
export function requireForm(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new MalformedBatchError(sentence)
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Writes a whole number from -2^53+1 to 2^53-1 into 8 bytes, big-endian, two's complement. Returns the place after it. */
export function writeInt53(into: Buffer, value: number, at: number): number {
  into.writeInt32BE(Math.floor(value / 2 ** 32), at)
  return into.writeUInt32BE(value >>> 0, at + 4)
}

/** Reads what `writeInt53` wrote; throws `MalformedBatchError` past the end or past 2^53-1. */
export function readInt53(from: Buffer, at: number): number {
  requireForm(at + 8 <= from.length, 'A number ends after the body.')
  const value = from.readInt32BE(at) * 2 ** 32 + from.readUInt32BE(at + 4)
  requireForm(Number.isSafeInteger(value), 'A number is beyond 2^53-1.')
  return value
}

/** As `readInt53`, and not negative. */
export function readUint53(from: Buffer, at: number): number {
  const value = readInt53(from, at)
  requireForm(value >= 0, 'A number is negative.')
  return value
}
