/** Castagnoli's polynomial, reversed. */
const POLYNOMIAL = 0x82f63b78

/** Eight tables of 256, one behind the other, so that eight bytes are summed at a time. */
const TABLES = makeTables()

/** CRC-32C of the bytes [from, end), as LevelDB uses it; node:zlib has only the other polynomial. */
export function crc32c(bytes: Uint8Array, from: number, end: number): number {
  let sum = -1
  let at = from
  for (; at + 8 <= end; at += 8) {
    const low =
      sum ^
      (byte(bytes, at) |
        (byte(bytes, at + 1) << 8) |
        (byte(bytes, at + 2) << 16) |
        (byte(bytes, at + 3) << 24))
    sum =
      entry(7, low & 0xff) ^
      entry(6, (low >>> 8) & 0xff) ^
      entry(5, (low >>> 16) & 0xff) ^
      entry(4, low >>> 24) ^
      entry(3, byte(bytes, at + 4)) ^
      entry(2, byte(bytes, at + 5)) ^
      entry(1, byte(bytes, at + 6)) ^
      entry(0, byte(bytes, at + 7))
  }
  for (; at < end; at++) sum = entry(0, (sum ^ byte(bytes, at)) & 0xff) ^ (sum >>> 8)
  return ~sum >>> 0
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

function entry(table: number, at: number): number {
  return TABLES[256 * table + at] as number
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let first = 0; first < 256; first++) {
    let value = first
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
    tables[first] = value
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number
    tables[at] = (before >>> 8) ^ (tables[before & 0xff] as number)
  }
  return tables
}
