import { crc32c } from './crc32c.ts'
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const TABLE = /\.ldb$/
const FOOTER_BYTES = 48
/** Tables have a few megabytes, and a block of the index for each four kilobytes. */
const INDEX_BYTES_MAX = 16 * 1024 * 1024
const TABLES_AT_ONCE = 32
const MAGIC = 0xdb4775248b80fb57n
/** Behind each block: one byte for the kind of compression, and a checksum over block and byte. */
const TRAILER_BYTES = 5
const MASK_DELTA = 0xa282ead8

interface BlockHandle {
  readonly offset: number
  readonly bytes: number
}

/**
 * Names of the table files in a database's folder of which not every block has its checksum. classic-level leaves LevelDB's
 * own verification off, and its assertions on: a flipped bit gives a wrong value, a missing key, or the end of the process.
 * The database must not be open. A table that a crash cut short counts as damaged, although LevelDB may not need it.
 */
export async function findDamagedTables(folder: string): Promise<readonly string[]> {
  const damaged: string[] = []
  for (const name of await tablesIn(folder))
    if (!isWholeTable(await readFile(join(folder, name)))) damaged.push(name)
  return damaged
}

export async function tablesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => TABLE.test(name)).sort()
}

/**
 * Which of these tables have lost their end, where the index of their blocks lies: LevelDB reads that only when it looks for a
 * key there. A few hundred bytes of each are read, whatever their size; one that LevelDB has deleted meanwhile is not missed.
 */
export async function findCutTables(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const cut: string[] = []
  for (let from = 0; from < names.length; from += TABLES_AT_ONCE) {
    const part = names.slice(from, from + TABLES_AT_ONCE)
    const areWhole = await Promise.all(part.map((name) => hasItsEnd(join(folder, name))))
    cut.push(...part.filter((_, index) => areWhole[index] === false))
  }
  return cut
}

async function hasItsEnd(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const footer = await partOf(file, size - FOOTER_BYTES, FOOTER_BYTES)
      if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC) return false
      const handles = new Reader(footer, 0, FOOTER_BYTES - 8)
      handleFrom(handles)
      const { offset, bytes } = handleFrom(handles)
      const index = await partOf(file, offset, bytes + TRAILER_BYTES)
      return blockAt(index, { offset: 0, bytes }).length === bytes
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof RangeError) return false
    if (isGone(error)) return true
    throw error
  }
}

/** Throws RangeError when the file has not so many bytes there. */
async function partOf(file: FileHandle, position: number, byteCount: number): Promise<Buffer> {
  if (position < 0 || byteCount > INDEX_BYTES_MAX) throw new RangeError('No table has that.')
  const part = Buffer.alloc(byteCount)
  const { bytesRead } = await file.read(part, 0, byteCount, position)
  if (bytesRead < byteCount) throw new RangeError('There are not so many bytes.')
  return part
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Whether footer, index, filter and every data block are as LevelDB wrote them. */
export function isWholeTable(table: Buffer): boolean {
  const footerAt = table.length - FOOTER_BYTES
  if (footerAt < 0 || table.readBigUInt64LE(table.length - 8) !== MAGIC) return false
  try {
    const footer = new Reader(table, footerAt, table.length - 8)
    const about = blockAt(table, handleFrom(footer))
    const index = blockAt(table, handleFrom(footer))
    return [...handlesIn(about), ...handlesIn(index)].every((handle) => blockAt(table, handle).length >= 0)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** A block whose checksum holds; RangeError for every other one. */
function blockAt(table: Buffer, { offset, bytes }: BlockHandle): Buffer {
  const end = offset + bytes
  if (end + TRAILER_BYTES > table.length) throw new RangeError('A block ends behind its table.')
  const checksum = crc32c(table, offset, end + 1)
  const masked = (((checksum >>> 15) | (checksum << 17)) + MASK_DELTA) >>> 0
  if (table.readUInt32LE(end + 1) !== masked) throw new RangeError('A block does not have its checksum.')
  return table.subarray(offset, end)
}

/** The values of an index block, each of which says where another block is. */
function handlesIn(block: Buffer): BlockHandle[] {
  const restartCount = block.readUInt32LE(block.length - 4)
  const reader = new Reader(block, 0, block.length - 4 - 4 * restartCount)
  const handles: BlockHandle[] = []
  while (!reader.isAtEnd) {
    reader.readVarint()
    const keyBytes = reader.readVarint()
    const valueBytes = reader.readVarint()
    reader.skip(keyBytes)
    const value = reader.skip(valueBytes)
    handles.push(handleFrom(new Reader(block, value, value + valueBytes)))
  }
  return handles
}

function handleFrom(reader: Reader): BlockHandle {
  return { offset: reader.readVarint(), bytes: reader.readVarint() }
}

/** Throws RangeError when it would leave its part of the bytes. */
class Reader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, from: number, end: number) {
    if (from < 0 || end > bytes.length || from > end) throw new RangeError('There are not so many bytes.')
    this.#bytes = bytes
    this.#at = from
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end
  }

  readVarint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.skip(1)] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new RangeError('A number has too many bytes.')
  }

  /** Returns where the bytes that are passed over begin. */
  skip(count: number): number {
    const from = this.#at
    if (from + count > this.#end) throw new RangeError('There are not so many bytes.')
    this.#at += count
    return from
  }
}
