import { ClassicLevel } from 'classic-level'
import type { KeyRange, KeyValue, Operation, Pair, Scan } from './key-value.ts'

export interface LevelOptions {
  readonly writeBufferBytes: number
  readonly cacheBytes: number
  /** False: the database must be there. */
  readonly mayCreate: boolean
  /** What a read throws when LevelDB finds its files damaged. */
  readonly damaged: (reason: string) => Error
  /** Runs after a close when no write has failed. */
  readonly onClosed?: () => Promise<void>
}

/** Sorts before every key of `keys.ts` and is never there. */
const NO_KEY = Buffer.from([0])
/** What LevelDB says, under more than one code, when its files are not what they should be. */
const DAMAGE = /Corruption|No such file|Invalid argument|Input\/output error/

/** Pairs that an iterator fetches from LevelDB at a time, within `READ_AHEAD_BYTES`. */
const NEXT_COUNT_MAX = 1_000
const READ_AHEAD_BYTES = 1024 * 1024

/**
 * One LevelDB database. Values are not compressed: bodies mostly are already, and the index is small. LevelDB verifies no
 * checksum on the way back; every value carries its own (seal.ts).
 */
export class LevelKeyValue implements KeyValue {
  readonly #folder: string
  readonly #options: LevelOptions
  #hasFailed = false
  #database: ClassicLevel<Uint8Array, Uint8Array>

  private constructor(folder: string, options: LevelOptions, database: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#folder = folder
    this.#options = options
    this.#database = database
  }

  /** Rejects with LevelDB's error, whose cause has the code 'LEVEL_LOCKED' when another process has the folder open. */
  static async open(folder: string, options: LevelOptions): Promise<LevelKeyValue> {
    return new LevelKeyValue(folder, options, await openDatabase(folder, options))
  }

  /** Opens what is in the folder after `change`, as the same object. Nothing else may use it meanwhile. */
  async reopen(change: () => Promise<void>): Promise<void> {
    await this.#database.close()
    await change()
    this.#database = await openDatabase(this.#folder, this.#options)
  }

  async batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    try {
      // One by one: handed over as an array each operation is copied several times, and costs four times as much.
      const batch = this.#database.batch()
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value)
        else batch.del(operation.key)
      }
      await batch.write({ sync: options.sync })
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#read(() => this.#database.get(key))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return await this.#read(() => this.#database.getMany([...keys], { fillCache: false }))
  }

  async scan(scan: Scan): Promise<readonly Pair[]> {
    return await this.#read(() => this.#scan(scan))
  }

  async #scan(scan: Scan): Promise<readonly Pair[]> {
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

  async sizeOf(range: KeyRange): Promise<number> {
    return await this.#database.approximateSize(range.from, range.below)
  }

  /**
   * LevelDB first writes what it has in memory as synced tables, then merges the tables of the range. It tells of no error;
   * but after one every write fails, so a write that does nothing has to succeed.
   */
  async compact(range: KeyRange): Promise<void> {
    await this.#database.compactRange(range.from, range.below)
    await this.#database.del(NO_KEY)
  }

  async close(): Promise<void> {
    await this.#database.close()
    if (!this.#hasFailed) await this.#options.onClosed?.()
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      const reason = damageOf(error)
      throw reason === undefined ? error : this.#options.damaged(reason)
    }
  }
}

/** What LevelDB says about damaged files; undefined for every other error, such as a lock or too many open files. */
export function damageOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 4; each = each.cause, depth++)
    if (DAMAGE.test(each.message)) return each.message
  return undefined
}

async function openDatabase(
  folder: string,
  options: LevelOptions,
): Promise<ClassicLevel<Uint8Array, Uint8Array>> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: options.mayCreate,
    compression: false,
    writeBufferSize: options.writeBufferBytes,
    cacheSize: options.cacheBytes,
  })
  await database.open()
  return database
}
