import { clientMessage } from '../frame-socket.ts'

/** The binary form of sessions (docs/sessions.md 'Two forms'), as far as a load needs it. */
export const BINARY_SUBPROTOCOL = 'synod.v1.bin'

const LENGTH_BYTES = 4

/** A frame of a client with values behind its header, ready to be sent any number of times. */
export function sessionFrame(header: unknown, values: readonly Buffer[] = []): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(text.length)
  return clientMessage(Buffer.concat([length, text, ...values]))
}

export function headerOf(payload: Buffer): { readonly type: string; readonly id?: string } {
  const end = LENGTH_BYTES + payload.readUInt32BE(0)
  return JSON.parse(payload.toString('utf8', LENGTH_BYTES, end)) as { readonly type: string }
}

/** Bytes of the values behind the header. */
export function valueBytesOf(payload: Buffer): number {
  return payload.length - LENGTH_BYTES - payload.readUInt32BE(0)
}
