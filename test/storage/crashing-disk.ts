import type { MemoryDisk } from '../../src/storage/memory-log-store.ts'
import {
  operationBytes,
  type KeyRange,
  type KeyValue,
  type Operation,
  type Pair,
  type Scan,
} from '../../src/storage/key-value.ts'
import type { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { StoreFiles } from '../../src/storage/journaled-store.ts'

interface Written {
  readonly operations: readonly Operation[]
  isSynced: boolean
}

/** A database that remembers each batch since it was opened, so that a crash can take some of them. */
export class CrashingKeyValue implements KeyValue {
  readonly written: Written[] = []
  /** When set, every batch fails with it and changes nothing. */
  failWith: Error | undefined
  readonly #start: MemoryKeyValue
  readonly #now: MemoryKeyValue

  constructor(start: MemoryKeyValue) {
    this.#start = start.copy()
    this.#now = start.copy()
  }

  async batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.failWith !== undefined) throw this.failWith
    this.written.push({ operations, isSynced: options.sync })
    await this.#now.batch(operations, options)
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#now.get(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#now.getMany(keys)
  }

  scan(scan: Scan): Promise<readonly Pair[]> {
    return this.#now.scan(scan)
  }

  sizeOf(range: KeyRange): Promise<number> {
    return this.#now.sizeOf(range)
  }

  async compact(_range: KeyRange): Promise<void> {
    for (const written of this.written) written.isSynced = true
  }

  async close(): Promise<void> {}

  /**
   * What is left when `isLost` says which of the unsynced batches are gone. A batch that `settleBytes` of later ones have
   * followed is in a synced table and stays.
   */
  async crash(isLost: (at: number) => boolean, settleBytes: number): Promise<MemoryKeyValue> {
    const written = [...this.written]
    const left = this.#start.copy()
    const bytes = written.map(({ operations }) => operationBytes(operations))
    for (const [at, { operations, isSynced }] of written.entries()) {
      const later = bytes.slice(at + 1).reduce((sum, size) => sum + size, 0)
      if (isSynced || later >= settleBytes || !isLost(at)) await left.batch(operations, { sync: true })
    }
    return left
  }
}

export interface CrashingFiles extends StoreFiles {
  readonly journal: CrashingKeyValue
  readonly index: CrashingKeyValue
}

/** The disk as one run of a broker sees it. */
export function crashingFiles(disk: MemoryDisk): CrashingFiles {
  return {
    journal: new CrashingKeyValue(disk.journal),
    index: new CrashingKeyValue(disk.index),
    identity: disk.identity,
  }
}
