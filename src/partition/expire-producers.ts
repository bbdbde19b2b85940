import { Buffer, isUtf8 } from 'node:buffer'
import { invariant } from '../types/invariant.ts'
import { PRODUCER_ID_BYTES_MAX } from './record-batch.ts'
import { asBuffer, requireForm } from './wire.ts'

/** Producers that one entry may list. */
export const EXPIRED_PRODUCERS_MAX = 1_000

const VERSION = 1
const FIXED_BYTES = 3

/** Body of an EXPIRE_PRODUCERS entry: version 1 | count 2 | each: length 1, id (UTF-8). */
export function encodeExpireProducers(ids: readonly string[]): Buffer {
  invariant(
    ids.length <= EXPIRED_PRODUCERS_MAX,
    `One entry lists at most ${EXPIRED_PRODUCERS_MAX} producers.`,
  )
  const body = Buffer.allocUnsafe(ids.reduce((sum, id) => sum + 1 + Buffer.byteLength(id), FIXED_BYTES))
  body[0] = VERSION
  let at = body.writeUInt16BE(ids.length, 1)
  for (const id of ids) {
    const length = body.write(id, at + 1)
    invariant(
      length >= 1 && length <= PRODUCER_ID_BYTES_MAX,
      `A producer id has 1 to ${PRODUCER_ID_BYTES_MAX} bytes.`,
    )
    body[at] = length
    at += 1 + length
  }
  return body
}

/** Throws `MalformedBatchError`. */
export function decodeExpireProducers(body: Uint8Array): readonly string[] {
  const bytes = asBuffer(body)
  requireForm(
    bytes.length >= FIXED_BYTES && bytes[0] === VERSION,
    'A list of producers does not begin as one.',
  )
  const count = bytes.readUInt16BE(1)
  requireForm(count <= EXPIRED_PRODUCERS_MAX, 'A list of producers is too long.')
  const ids: string[] = []
  let at = FIXED_BYTES
  for (let index = 0; index < count; index++) {
    const length = bytes[at] ?? 0
    const end = at + 1 + length
    requireForm(
      length >= 1 && length <= PRODUCER_ID_BYTES_MAX && end <= bytes.length,
      'A producer id has no end.',
    )
    requireForm(isUtf8(bytes.subarray(at + 1, end)), 'A producer id is not UTF-8.')
    ids.push(bytes.toString('utf8', at + 1, end))
    at = end
  }
  requireForm(at === bytes.length, 'A list of producers is longer than it says.')
  return ids
}
