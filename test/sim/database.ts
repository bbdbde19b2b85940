import {
  operationBytes,
  type KeyRange,
  type KeyValue,
  type Operation,
  type Pair,
  type Scan,
} from '../../src/storage/key-value.ts'
import type { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'

/** When things happen to a database, and to whom they must not happen. */
export interface DatabaseTiming {
  /** Runs when the disk is through with a write of this moment; in order. */
  afterWrite(run: () => void): void
  /** Lets the process go on; not while it is paused. */
  resume(run: () => void): void
  /** A promise of this database was made or resolved. */
  stir(): void
}

export interface DatabaseOptions {
  /** After so many later bytes a batch is in a synced table; Infinity: only syncs make safe. */
  readonly settleBytes: number
  /** A deliberate fault: it says that it has synced, and has not. */
  readonly isLying: boolean
  /** A deliberate fault: it writes something else than it was given. */
  readonly alters?: ((operations: readonly Operation[]) => readonly Operation[]) | undefined
}

/** What lies on the disk beyond any power cut. */
export interface Platter {
  contents: MemoryKeyValue
}

/**
 * One process's view of a database on a disk that may lose its power: the process reads all that it wrote, but of what was
 * not synced a crash keeps only some.
 */
export class FaultyDatabase implements KeyValue {
  private readonly platter: Platter
  private readonly live: MemoryKeyValue
  /** Batches that are not safe yet, in order; the last ones may still be under way. */
  private unsafe: { readonly operations: readonly Operation[]; readonly bytes: number }[] = []
  private unsafeBytes = 0
  /** So many of them are through. */
  private writtenCount = 0
  private readonly timing: DatabaseTiming
  private readonly options: DatabaseOptions
  /** The power is gone: what is left of the process can do no more. */
  private isDead = false
  private failure: Error | undefined
  /** A write was told so. */
  private hasFailed = false

  constructor(platter: Platter, timing: DatabaseTiming, options: DatabaseOptions) {
    this.platter = platter
    this.live = platter.contents.copy()
    this.timing = timing
    this.options = options
  }

  get unsafeCount(): number {
    return this.unsafe.length
  }

  batch(given: readonly Operation[], { sync }: { readonly sync: boolean }): Promise<void> {
    const { timing, unsafe, options } = this
    if (this.isDead) return new Promise(() => {})
    const operations = options.alters?.(given) ?? given
    const bytes = operationBytes(operations)
    const written = { operations, bytes }
    unsafe.push(written)
    this.unsafeBytes += bytes
    timing.stir()
    return new Promise((resolve, reject) => {
      timing.afterWrite(() => {
        if (this.isDead) return
        if (this.failure !== undefined) return this.reject(reject)
        void this.live.batch(operations, { sync })
        this.writtenCount++
        // A synced write makes everything safe that was written to the same log before it.
        if (sync && !options.isLying) this.settle(this.unsafe.indexOf(written) + 1)
        while (this.unsafe[0] !== undefined && this.unsafeBytes - this.unsafe[0].bytes >= options.settleBytes)
          this.settle(1)
        timing.resume(() => {
          timing.stir()
          resolve()
        })
      })
    })
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.timing.stir()
    return this.live.get(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.timing.stir()
    return this.live.getMany(keys)
  }

  scan(scan: Scan): Promise<readonly Pair[]> {
    this.timing.stir()
    return this.live.scan(scan)
  }

  sizeOf(range: KeyRange): Promise<number> {
    this.timing.stir()
    return this.live.sizeOf(range)
  }

  /** Writing new tables makes everything safe that had been written when it began. */
  compact(): Promise<void> {
    const { timing, writtenCount } = this
    if (this.isDead) return new Promise(() => {})
    const last = this.unsafe[writtenCount - 1]
    timing.stir()
    return new Promise((resolve, reject) => {
      timing.afterWrite(() => {
        if (this.isDead) return
        if (this.failure !== undefined) return this.reject(reject)
        if (last !== undefined) this.settle(this.unsafe.indexOf(last) + 1)
        timing.resume(() => {
          timing.stir()
          resolve()
        })
      })
    })
  }

  async close(): Promise<void> {}

  /** A value on the disk changes by itself. */
  async rot(operation: Operation): Promise<void> {
    for (const database of [this.platter.contents, this.live])
      if ((await database.get(operation.key)) !== undefined) await database.batch([operation], { sync: true })
  }

  /** Every write that is not through yet fails, and what it wrote is as unsafe as at a power cut. */
  breakWith(error: Error): void {
    this.failure = error
  }

  /** Writes that are not through yet go through, unless one has failed: then the store has stopped for good. */
  mend(): void {
    if (!this.hasFailed) this.failure = undefined
  }

  /** A power cut: of what was not safe the batches stay that `isKept` names. */
  crash(isKept: (index: number) => boolean): void {
    const { contents } = this.platter
    this.unsafe.forEach(({ operations }, index) => {
      if (isKept(index)) void contents.batch(operations, { sync: true })
    })
    this.unsafe = []
    this.isDead = true
  }

  private reject(reject: (error: Error | undefined) => void): void {
    const { timing, failure } = this
    this.hasFailed = true
    timing.resume(() => {
      timing.stir()
      reject(failure)
    })
  }

  private settle(count: number): void {
    this.writtenCount -= count
    for (const { operations, bytes } of this.unsafe.splice(0, count)) {
      void this.platter.contents.batch(operations, { sync: true })
      this.unsafeBytes -= bytes
    }
  }
}
