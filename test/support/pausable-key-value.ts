import type { KeyRange, KeyValue, Operation, Pair, Scan } from '../../src/storage/key-value.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'

/** A database in memory whose writes a test can hold back, or let fail. */
export class PausableKeyValue implements KeyValue {
  readonly #inner: MemoryKeyValue
  #waiting: (() => void)[] = []
  #isPaused = false
  #areReadsPaused = false
  #failure: Error | undefined
  batchCount = 0

  constructor(inner = new MemoryKeyValue()) {
    this.#inner = inner
  }

  /** Writes that are asked for from now on wait until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#areReadsPaused = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const run of waiting) run()
  }

  /** Reads that are asked for from now on wait until `resume`. */
  pauseReads(): void {
    this.#areReadsPaused = true
  }

  /** Every write from now on fails; with undefined none does any more. */
  breakWith(error: Error | undefined): void {
    this.#failure = error
  }

  /** What a crash leaves: writes that wait are lost. */
  copy(): PausableKeyValue {
    return new PausableKeyValue(this.#inner.copy())
  }

  async batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    this.batchCount++
    if (this.#isPaused) await this.#resumed()
    if (this.#failure !== undefined) throw this.#failure
    await this.#inner.batch(operations, options)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#areReadsPaused) await this.#resumed()
    return this.#inner.get(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (this.#areReadsPaused) await this.#resumed()
    return this.#inner.getMany(keys)
  }

  async scan(scan: Scan): Promise<readonly Pair[]> {
    if (this.#areReadsPaused) await this.#resumed()
    return this.#inner.scan(scan)
  }

  sizeOf(range: KeyRange): Promise<number> {
    return this.#inner.sizeOf(range)
  }

  compact(range: KeyRange): Promise<void> {
    return this.#inner.compact(range)
  }

  async close(): Promise<void> {}

  #resumed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
