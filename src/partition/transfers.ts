import type { BrokerId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import type { TransferRefusal } from '../paxos/effects.ts'
import { REFUSALS } from './proposals.ts'

/** Who wants this group to be led elsewhere, at once; more are refused as 'overloaded'. */
export const TRANSFERS_MAX = 64

interface Asked {
  readonly to: BrokerId
  resolve(): void
  reject(error: SynodError): void
}

/** Orders to hand a group's leadership over, until the core has said whether it begins. */
export class Transfers {
  readonly #asked = new Map<number, Asked>()

  /** Resolves when the transfer has begun; whether it comes off shows in who leads. */
  ask(token: number, to: BrokerId): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#asked.size >= TRANSFERS_MAX) return reject(REFUSALS.full())
      this.#asked.set(token, { to, resolve, reject })
    })
  }

  started(token: number): void {
    this.#asked.get(token)?.resolve()
    this.#asked.delete(token)
  }

  refused(token: number, reason: TransferRefusal): void {
    const asked = this.#asked.get(token)
    this.#asked.delete(token)
    asked?.reject(errorOf(reason, asked.to))
  }

  stop(error: SynodError): void {
    for (const asked of this.#asked.values()) asked.reject(error)
    this.#asked.clear()
  }
}

function errorOf(reason: TransferRefusal, to: BrokerId): SynodError {
  switch (reason) {
    case 'not-leader':
      return REFUSALS['not-leader']()
    case 'under-way':
      return new SynodError('overloaded', 'The partition is being handed over already.', {
        hint: 'Look in a second who leads it.',
        retryAfterMs: 1_000,
      })
    case 'target-not-ready':
      return new SynodError(
        'not-enough-in-sync',
        `Broker ${to} cannot lead now: it is not in sync, not heard, or about to stop.`,
        { hint: 'Wait until it is in sync, or choose another replica.', retryAfterMs: 1_000 },
      )
  }
}
