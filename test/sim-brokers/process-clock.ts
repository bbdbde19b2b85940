import type { LoopClock } from '../../src/partition/loop.ts'
import type { Moment } from '../../src/paxos/effects.ts'
import type { EventQueue } from '../sim/event-queue.ts'
import type { Random } from '../sim/random.ts'

export interface ProcessClockOptions {
  readonly queue: EventQueue
  readonly random: Random
  /** Where this machine's monotonic clock began, and how much faster than the queue's it runs. */
  readonly startMs: number
  readonly rate: number
  /** Runs what is due as a part of the process: later while it stands still, never once it has ended. */
  readonly inProcess: (run: () => void) => void
}

/** Time and chance of one process, out of the run's queue and seed. */
export class ProcessClock implements LoopClock {
  readonly #options: ProcessClockOptions
  /** Timers that are neither cancelled nor through. */
  timerCount = 0

  constructor(options: ProcessClockOptions) {
    this.#options = options
  }

  nowMs(): number {
    const { queue, startMs, rate } = this.#options
    return startMs + queue.nowMs * rate
  }

  random(): number {
    return this.#options.random.next()
  }

  moment(): Moment {
    return { nowMs: this.nowMs(), random: this.random() }
  }

  soon(run: () => void): void {
    const { queue, inProcess } = this.#options
    queue.after(0, () => inProcess(run))
  }

  later(run: () => void, delayMs: number): { cancel(): void } {
    const { queue, rate, inProcess } = this.#options
    let isOpen = true
    this.timerCount++
    const close = (): boolean => {
      if (!isOpen) return false
      isOpen = false
      this.timerCount--
      return true
    }
    // A little late rather than early: rounding must not make a timer come before its time.
    queue.after(Math.max(0, delayMs) / rate + 0.001, () =>
      inProcess(() => {
        if (close()) run()
      }),
    )
    return { cancel: () => void close() }
  }
}
