import { ClassicLevel } from 'classic-level'
import type { KeyValue, Operation, Pair, Scan } from './key-value.ts'

export interface LevelOptions {
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  /** False: the database must be there. */
  readonly mayCreate: boolean
}

/** Pairs that an iterator fetches from LevelDB at a time, within `READ_AHEAD_BYTES`. */
const NEXT_COUNT_MAX = 1_000
const READ_AHEAD_BYTES = 1024 * 1024

/**
 * One LevelDB database. Values are not compressed: bodies mostly are already, and the index is small. LevelDB verifies no
 * checksum on the way back; every value carries its own (seal.ts).
 */
export class LevelKeyValue implements KeyValue {
  readonly #database: ClassicLevel<Uint8Array, Uint8Array>

  private constructor(database: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#database = database
  }

  /** Rejects with LevelDB's error, whose cause has the code 'LEVEL_LOCKED' when another process has the folder open. */
  static async open(folder: string, options: LevelOptions): Promise<LevelKeyValue> {
    const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      createIfMissing: options.mayCreate,
      compression: false,
      writeBufferSize: options.writeBufferBytes,
      cacheSize: options.cacheBytes,
    })
    await database.open()
    return new LevelKeyValue(database)
  }

  async batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    await this.#database.batch([...operations], { sync: options.sync })
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#database.get(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return await this.#database.getMany([...keys], { fillCache: false })
  }

  async scan(scan: Scan): Promise<readonly Pair[]> {
    const iterator = this.#database.iterator({
      gte: scan.from,
      lt: scan.below,
      reverse: scan.reverse ?? false,
      limit: scan.countMax,
      highWaterMarkBytes: Math.min(READ_AHEAD_BYTES, scan.bytesMax ?? READ_AHEAD_BYTES),
    })
    const pairs: Pair[] = []
    let bytes = 0
    try {
      for (;;) {
        const part = await iterator.nextv(Math.min(NEXT_COUNT_MAX, scan.countMax))
        for (const [key, value] of part) {
          if (bytes >= (scan.bytesMax ?? Infinity)) return pairs
          pairs.push({ key, value })
          bytes += key.length + value.length
        }
        if (part.length === 0 || pairs.length >= scan.countMax) return pairs
      }
    } finally {
      await iterator.close()
    }
  }

  async close(): Promise<void> {
    await this.#database.close()
  }
}
