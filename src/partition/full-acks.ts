import { invariant } from '../types/invariant.ts'
import type { SynodError } from '../errors.ts'
import { outcomeUnknown, REFUSALS } from './proposals.ts'

/** Appends of one partition that want all replicas in sync to have them; more are refused as 'overloaded'. */
export const FULL_ACKS_MAX = 10_000

interface FullAck {
  readonly slot: number
  resolve(): void
  reject(error: SynodError): void
}

/** One append's place, taken before anything is proposed so that the refusal is a certain one. */
export interface FullAckPlace {
  /** Resolves when every replica in sync has the slot on disk. Error: 'outcome-unknown', though a majority has it. */
  wait(slot: number, timeoutMs: number): Promise<void>
  release(): void
}

/** Those who wait with `acks=all` for more than a majority (consensus 1.7). */
export class FullAcks {
  readonly #waiting = new Set<FullAck>()
  readonly #later: (run: () => void, delayMs: number) => { cancel(): void }
  #placeCount = 0

  constructor(later: (run: () => void, delayMs: number) => { cancel(): void }) {
    this.#later = later
  }

  /** Those who wait now. */
  get count(): number {
    return this.#waiting.size
  }

  reserve(): FullAckPlace {
    if (this.#placeCount >= FULL_ACKS_MAX) throw REFUSALS.full()
    this.#placeCount++
    return {
      wait: (slot, timeoutMs) => this.#wait(slot, timeoutMs),
      release: () => {
        invariant(this.#placeCount > 0, 'A place is released once.')
        this.#placeCount--
      },
    }
  }

  /** Every replica in sync has everything up to `slot` on disk. */
  reached(slot: number): void {
    for (const ack of this.#waiting) if (ack.slot <= slot) ack.resolve()
  }

  /** Nobody here can tell any more: the leader changed, or the partition stops. */
  giveUp(): void {
    for (const ack of this.#waiting) ack.reject(notByAll('The leader changed'))
  }

  #wait(slot: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        timer.cancel()
        this.#waiting.delete(ack)
        end()
      }
      const ack: FullAck = {
        slot,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      }
      const timer = this.#later(() => ack.reject(notByAll('The time was over')), timeoutMs)
      this.#waiting.add(ack)
    })
  }
}

function notByAll(why: string): SynodError {
  return outcomeUnknown(`${why} before all replicas in sync had the records; a majority has them.`)
}
