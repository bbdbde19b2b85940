import { crc32 } from 'node:zlib'

/** Room at the front of every stored value for its checksum. */
export const SEAL_BYTES = 4

/**
 * Writes the checksum into the first four bytes. It covers the key too: LevelDB verifies nothing on the way back, so a value
 * that stands under a wrong key must not pass for a right one. `end` leaves bytes out that have checksums of their own.
 */
export function seal(key: Uint8Array, value: Buffer, end = value.length): Buffer {
  value.writeUInt32BE(sealOf(key, value, end), 0)
  return value
}

export function isSealed(key: Uint8Array, value: Buffer, end = value.length): boolean {
  return (
    value.length >= SEAL_BYTES &&
    end >= SEAL_BYTES &&
    end <= value.length &&
    value.readUInt32BE(0) === sealOf(key, value, end)
  )
}

function sealOf(key: Uint8Array, value: Buffer, end: number): number {
  return crc32(value.subarray(SEAL_BYTES, end), crc32(key))
}
