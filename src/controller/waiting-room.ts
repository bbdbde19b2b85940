import { SynodError } from '../errors.ts'

interface Waiting {
  readonly slot: number
  wake(): void
}

/** Those who wait until this broker has applied the metadata up to a slot. */
export class WaitingRoom {
  #waiting: Waiting[] = []
  #applied = 0

  applied(slot: number): void {
    this.#applied = slot
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter((waiting) => waiting.slot <= slot)
    this.#waiting = this.#waiting.filter((waiting) => waiting.slot > slot)
    for (const waiting of ready) waiting.wake()
  }

  /** Resolves when `slot` is applied. Error: 'replica-behind' after `timeoutMs`. */
  reached(
    slot: number,
    timeoutMs: number,
    later: (run: () => void, delayMs: number) => { cancel(): void },
  ): Promise<void> {
    if (slot <= this.#applied) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        slot,
        wake: () => {
          timer.cancel()
          resolve()
        },
      }
      const timer = later(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        reject(
          new SynodError('replica-behind', 'This broker has not yet learned what the cluster decided.', {
            hint: 'Try again in a moment, or ask another broker.',
            retryAfterMs: 1_000,
          }),
        )
      }, timeoutMs)
      this.#waiting.push(waiting)
    })
  }
}
