import { SynodError } from '../errors.ts'

/** Readers of one partition that wait; more are refused as 'overloaded'. */
export const WAITERS_MAX = 100_000

/** Readers that wait for the high watermark to pass an offset. Each is one closure; none of them costs a timer here. */
export class Waiters {
  #waiting = new Set<{ readonly offset: number; readonly wake: () => void }>()

  get count(): number {
    return this.#waiting.size
  }

  /** Calls `wake` once, when the high watermark is above `offset` or `wakeAll` is called. Returns a way to stop waiting. */
  add(offset: number, wake: () => void): () => void {
    if (this.#waiting.size >= WAITERS_MAX) {
      throw new SynodError('overloaded', `${WAITERS_MAX} readers wait for this partition already.`, {
        hint: 'Read from another broker, or without waiting.',
        retryAfterMs: 1_000,
      })
    }
    const entry = { offset, wake }
    this.#waiting.add(entry)
    return () => void this.#waiting.delete(entry)
  }

  advanced(highWatermark: number): void {
    for (const entry of this.#waiting) {
      if (entry.offset >= highWatermark) continue
      this.#waiting.delete(entry)
      entry.wake()
    }
  }

  wakeAll(): void {
    const ready = this.#waiting
    this.#waiting = new Set()
    for (const entry of ready) entry.wake()
  }
}
