import type { KeyValue, Operation, Pair, Scan } from '../../src/storage/key-value.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'

/** A database in memory whose writes a test can hold back, or let fail. */
export class PausableKeyValue implements KeyValue {
  readonly #inner: MemoryKeyValue
  #waiting: (() => void)[] = []
  #isPaused = false
  #failure: Error | undefined
  batchCount = 0

  constructor(inner = new MemoryKeyValue()) {
    this.#inner = inner
  }

  /** Writes that were not asked for yet wait until `resume`. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const run of waiting) run()
  }

  /** Every write from now on fails. */
  breakWith(error: Error): void {
    this.#failure = error
  }

  /** What a crash leaves: writes that wait are lost. */
  copy(): PausableKeyValue {
    return new PausableKeyValue(this.#inner.copy())
  }

  async batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void> {
    this.batchCount++
    if (this.#isPaused) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#failure !== undefined) throw this.#failure
    await this.#inner.batch(operations, options)
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#inner.get(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#inner.getMany(keys)
  }

  scan(scan: Scan): Promise<readonly Pair[]> {
    return this.#inner.scan(scan)
  }

  async close(): Promise<void> {}
}
