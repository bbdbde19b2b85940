import { invariant } from '../../types/invariant.ts'

/** RFC 6455 section 5.2: whole messages from the server, never masked. */
export type Opcode = 'text' | 'binary'

const FIRST_BYTE: Readonly<Record<Opcode, number>> = { text: 0x81, binary: 0x82 }
const SHORT_MAX = 125
const MEDIUM_MAX = 0xffff

/** Bytes of the header in front of a payload of that length. */
export function headerLength(payloadLength: number): number {
  if (payloadLength <= SHORT_MAX) return 2
  return payloadLength <= MEDIUM_MAX ? 4 : 10
}

/** Writes the header at `at` and returns where the payload begins. */
export function writeHeader(bytes: Buffer, at: number, opcode: Opcode, payloadLength: number): number {
  invariant(payloadLength >= 0 && payloadLength <= 0xffffffff, 'A frame is smaller than 4 GiB.')
  bytes[at] = FIRST_BYTE[opcode]
  if (payloadLength <= SHORT_MAX) {
    bytes[at + 1] = payloadLength
    return at + 2
  }
  if (payloadLength <= MEDIUM_MAX) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(payloadLength, at + 2)
    return at + 4
  }
  bytes[at + 1] = 127
  bytes.writeUInt32BE(0, at + 2)
  bytes.writeUInt32BE(payloadLength, at + 6)
  return at + 10
}

/** One text frame. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafeSlow(headerLength(length) + length)
  bytes.write(text, writeHeader(bytes, 0, 'text', length), 'utf8')
  return bytes
}
