import type { Timers } from '../../../src/gateway/reading/timers.ts'

interface Pending {
  readonly atMs: number
  readonly call: () => void
}

/** Time that moves only when the test says so. */
export class VirtualTimers implements Timers {
  readonly #pending = new Set<Pending>()
  #nowMs = 1_000

  get pendingCount(): number {
    return this.#pending.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, call: () => void): () => void {
    const pending = { atMs: this.#nowMs + delayMs, call }
    this.#pending.add(pending)
    return () => void this.#pending.delete(pending)
  }

  /** Lets time pass; what is due is called in order of time, with room for promises to settle between. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const [next] = [...this.#pending]
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#pending.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.call()
    }
    this.#nowMs = untilMs
    await new Promise((resolve) => setImmediate(resolve))
  }
}
