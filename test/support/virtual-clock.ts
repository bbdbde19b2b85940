import type { Moment } from '../../src/paxos/effects.ts'
import type { LoopClock } from '../../src/partition/loop.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** Time that stands still until a test lets it pass. What runs 'soon' runs in the next turn of the event loop. */
export class VirtualClock implements LoopClock {
  readonly #timers = new Set<Timer>()
  #nowMs = 1_000
  #seed: number

  constructor(seed = 1) {
    this.#seed = seed
  }

  get timerCount(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  /** A linear congruential generator: the same numbers in every run. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }

  moment(): Moment {
    return { nowMs: this.#nowMs, random: this.random() }
  }

  soon(run: () => void): void {
    setImmediate(run)
  }

  later(run: () => void, delayMs: number): { cancel(): void } {
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Lets time pass, running what is due in its order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const next = this.#firstDue(untilMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = untilMs
  }

  #firstDue(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers)
      if (timer.atMs <= untilMs && (first === undefined || timer.atMs < first.atMs)) first = timer
    return first
  }
}

/** Waits until what was to run soon has run, and what it caused, `count` times over. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
