import { invariant } from '../types/invariant.ts'

/** What a TRIM entry says. */
export interface Trim {
  /** The log may begin right after the mark at this slot; 0: the entry only marks. */
  readonly upTo: number
  /** For the state machine: records below this offset are not shown any more; 0: as before. */
  readonly beforeOffset: number
}

const VERSION = 1
const BODY_BYTES = 17

/** Body of a TRIM entry, big-endian: version u8 | upTo u64 | beforeOffset u64. */
export function encodeTrim({ upTo, beforeOffset }: Trim): Uint8Array {
  const body = new Uint8Array(BODY_BYTES)
  const view = new DataView(body.buffer)
  view.setUint8(0, VERSION)
  writeNumber(view, 1, upTo)
  writeNumber(view, 9, beforeOffset)
  return body
}

/** Undefined, on every replica alike, when the body is not of this form. */
export function decodeTrim(body: Uint8Array): Trim | undefined {
  if (body.length !== BODY_BYTES || body[0] !== VERSION) return undefined
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const upTo = readNumber(view, 1)
  const beforeOffset = readNumber(view, 9)
  return Number.isSafeInteger(upTo) && Number.isSafeInteger(beforeOffset) ? { upTo, beforeOffset } : undefined
}

function writeNumber(view: DataView, at: number, value: number): void {
  invariant(Number.isSafeInteger(value) && value >= 0, 'A number in a TRIM entry is a whole one from 0.')
  view.setUint32(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 4, value >>> 0)
}

function readNumber(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}
