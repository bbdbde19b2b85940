import type { BrokerId } from '../types/ids.ts'

/** Since when brokers are away, as the controller of the moment sees it: another one begins to count anew. */
export class AbsentBrokers {
  readonly #afterMs: number | undefined
  /** Bounded by the brokers of the cluster: who is not named again is forgotten. */
  #since = new Map<BrokerId, number>()

  /** Undefined: nobody is ever away for too long. */
  constructor(afterMs: number | undefined) {
    this.#afterMs = afterMs
  }

  /** Told who is away now, gives those that have been so for too long. */
  look(away: readonly BrokerId[], nowMs: number): readonly BrokerId[] {
    const afterMs = this.#afterMs
    if (afterMs === undefined) return []
    this.#since = new Map(away.map((broker) => [broker, this.#since.get(broker) ?? nowMs]))
    return away.filter((broker) => nowMs - this.#since.get(broker)! >= afterMs)
  }

  forget(): void {
    this.#since.clear()
  }
}
