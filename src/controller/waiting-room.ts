import { SynodError } from '../errors.ts'

/** Those who wait for the metadata on one broker; more are refused as 'overloaded'. */
export const WAITING_MAX = 10_000

interface Waiting {
  readonly slot: number
  wake(): void
}

/** Those who wait until this broker has applied the metadata up to a slot. */
export class WaitingRoom {
  readonly #waiting = new Set<Waiting>()
  #applied = 0

  applied(slot: number): void {
    this.#applied = slot
    for (const waiting of this.#waiting) if (waiting.slot <= slot) waiting.wake()
  }

  /** Resolves when `slot` is applied. Errors: 'replica-behind' after `timeoutMs`, 'overloaded'. */
  reached(
    slot: number,
    timeoutMs: number,
    later: (run: () => void, delayMs: number) => { cancel(): void },
  ): Promise<void> {
    if (slot <= this.#applied) return Promise.resolve()
    if (this.#waiting.size >= WAITING_MAX) {
      return Promise.reject(
        new SynodError('overloaded', 'Too many requests wait for the cluster to decide.', {
          retryAfterMs: 1_000,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        slot,
        wake: () => {
          timer.cancel()
          this.#waiting.delete(waiting)
          resolve()
        },
      }
      const timer = later(() => {
        this.#waiting.delete(waiting)
        reject(
          new SynodError('replica-behind', 'This broker has not yet learned what the cluster decided.', {
            hint: 'Try again in a moment, or ask another broker.',
            retryAfterMs: 1_000,
          }),
        )
      }, timeoutMs)
      this.#waiting.add(waiting)
    })
  }
}
