import type { BrokerId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import { decideMoves, type LeadershipReport, type Move } from './balance.ts'

/** Between two looks while all is well, and while there is something to move. */
const LOOK_MS = 10_000
const ROUND_MS = 1_000

export interface BalanceOptions {
  /** Whether this broker leads the metadata now. Who does not, does nothing. */
  isController(): boolean
  /** Brokers that are alive, this one among them. */
  brokers(): readonly BrokerId[]
  /** By broker: partitions that prefer it as their leader. */
  shares(): ReadonlyMap<BrokerId, number>
  /** What a broker leads; rejects when it does not answer. */
  ask(broker: BrokerId): Promise<LeadershipReport>
  /** Orders the leader to hand over. Rejects with a SynodError where it cannot, or does not answer. */
  move(move: Move): Promise<void>
  later(run: () => void, delayMs: number): { cancel(): void }
  say(facts: Readonly<Record<string, unknown>>, sentence: string): void
  fatal(error: unknown): void
}

/**
 * Gives leaderships back to their preferred leaders, on the broker that is the controller. It keeps nothing from round to
 * round, so another controller goes on as if it had always been there.
 */
export class BalanceRounds {
  readonly #options: BalanceOptions
  #timer: { cancel(): void } | undefined
  #isStopped = false

  constructor(options: BalanceOptions) {
    this.#options = options
  }

  start(): void {
    this.#again(LOOK_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #again(delayMs: number): void {
    if (this.#isStopped) return
    this.#timer = this.#options.later(() => {
      this.#round().then(
        (moveCount) => this.#again(moveCount > 0 ? ROUND_MS : LOOK_MS),
        (error: unknown) => this.#options.fatal(error),
      )
    }, delayMs)
  }

  /** How many moves were ordered. */
  async #round(): Promise<number> {
    const { isController, brokers, shares } = this.#options
    if (!isController()) return 0
    const reports = new Map<BrokerId, LeadershipReport>()
    await Promise.all(brokers().map((broker) => this.#ask(broker, reports)))
    if (this.#isStopped || !isController()) return 0
    const moves = decideMoves(reports, shares())
    await Promise.all(moves.map((move) => this.#move(move)))
    return moves.length
  }

  /** A broker that does not answer takes no part in this round. */
  async #ask(broker: BrokerId, into: Map<BrokerId, LeadershipReport>): Promise<void> {
    try {
      into.set(broker, await this.#options.ask(broker))
    } catch {
      return
    }
  }

  /** One that comes to nothing is looked at again in the next round. */
  async #move(move: Move): Promise<void> {
    try {
      await this.#options.move(move)
      this.#options.say({ ...move }, 'A leadership goes back to the preferred leader.')
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
    }
  }
}
