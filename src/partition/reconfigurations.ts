import { SynodError } from '../errors.ts'
import type { ReconfigureRefusal } from '../paxos/effects.ts'
import type { LoopClock } from './loop.ts'
import { REFUSALS } from './proposals.ts'

/** Who wants to change a group's voters, at once; more are refused as 'overloaded'. */
export const RECONFIGURATIONS_MAX = 16

/** The configuration that came of an order. */
export interface Reconfigured {
  readonly number: number
}

interface Asked {
  resolve(done: Reconfigured): void
  reject(error: SynodError): void
}

/** Orders to change a group's voters, until the core says what became of them or their time is over. */
export class Reconfigurations {
  readonly #asked = new Map<number, Asked>()

  ask(token: number, timeoutMs: number, clock: Pick<LoopClock, 'later'>): Promise<Reconfigured> {
    return new Promise((resolve, reject) => {
      if (this.#asked.size >= RECONFIGURATIONS_MAX) return reject(REFUSALS.full())
      const timer = clock.later(() => this.#settle(token)?.reject(unknown()), timeoutMs)
      this.#asked.set(token, {
        resolve: (done) => {
          timer.cancel()
          resolve(done)
        },
        reject: (error) => {
          timer.cancel()
          reject(error)
        },
      })
    })
  }

  done(token: number, number: number): void {
    this.#settle(token)?.resolve({ number })
  }

  refused(token: number, reason: ReconfigureRefusal): void {
    this.#settle(token)?.reject(errorOf(reason))
  }

  stop(error: SynodError): void {
    for (const token of [...this.#asked.keys()]) this.#settle(token)?.reject(error)
  }

  #settle(token: number): Asked | undefined {
    const asked = this.#asked.get(token)
    this.#asked.delete(token)
    return asked
  }
}

function unknown(): SynodError {
  return new SynodError(
    'outcome-unknown',
    'Whether the partition will have these replicas is not decided yet.',
    {
      hint: 'Look who votes, or order the same again: what is in force already is confirmed.',
    },
  )
}

function errorOf(reason: ReconfigureRefusal): SynodError {
  switch (reason) {
    case 'not-leader':
      return REFUSALS['not-leader']()
    case 'outdated':
      return new SynodError('etag-mismatch', 'The replicas of the partition have changed since.')
    case 'under-way':
      return new SynodError(
        'overloaded',
        'The replicas or the leader of the partition are being changed already.',
        {
          hint: 'Look in a second who votes and leads.',
          retryAfterMs: 1_000,
        },
      )
    case 'learner-behind':
      return new SynodError('not-enough-in-sync', 'A new replica has not caught up yet.', {
        retryAfterMs: 1_000,
      })
    case 'not-enough-in-sync':
      return new SynodError(
        'not-enough-in-sync',
        'The present or the new replicas would have no majority that is in sync.',
        { retryAfterMs: 1_000 },
      )
    case 'invalid':
      return new SynodError(
        'malformed-request',
        'A partition has one to seven replicas, each on another broker.',
      )
  }
}
