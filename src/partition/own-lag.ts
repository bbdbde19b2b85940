import type { PaxosTuning } from '../paxos/options.ts'
import type { LoopClock } from './loop.ts'
import type { Paxos } from '../paxos/paxos.ts'

/** The newest slot that was known to be chosen at some moment, and when that was. */
interface Mark {
  readonly slot: number
  readonly atMs: number
}

/**
 * How late this replica is, as far as it can tell itself (MaxLag, consensus 1.10): it has heard of its leader what is chosen, and
 * lacks it. Who hears of no leader cannot tell, and counts as on time.
 */
export class OwnLag {
  readonly #paxos: Pick<Paxos, 'commit' | 'leader' | 'progress' | 'role'>
  readonly #clock: Pick<LoopClock, 'nowMs'>
  #tuning: PaxosTuning
  #mark: Mark | undefined

  constructor(
    paxos: Pick<Paxos, 'commit' | 'leader' | 'progress' | 'role'>,
    clock: Pick<LoopClock, 'nowMs'>,
    tuning: PaxosTuning,
  ) {
    this.#paxos = paxos
    this.#clock = clock
    this.#tuning = tuning
  }

  configure(tuning: PaxosTuning): void {
    this.#tuning = tuning
  }

  /** To be called when something may have been heard or applied. */
  observe(): void {
    const paxos = this.#paxos
    if (this.#mark !== undefined && this.#mark.slot > paxos.commit) return
    const { lagSlots } = this
    // One mark is enough: when its slot is reached, what was chosen since is not older than the mark after it.
    this.#mark = lagSlots === 0 ? undefined : { slot: paxos.commit + lagSlots, atMs: this.#clock.nowMs() }
  }

  /** Whether the leader would not count this replica as in sync any more, so that readers had better ask somebody else. */
  get isBeyondMaxLag(): boolean {
    const { maxLagMs, maxLagSlots } = this.#tuning
    if (this.lagSlots === 0) return false
    this.observe()
    const lateMs = this.#clock.nowMs() - (this.#mark?.atMs ?? Infinity)
    return this.lagSlots > maxLagSlots || lateMs > maxLagMs
  }

  /** Slots that its leader said are chosen, and that it lacks. */
  get lagSlots(): number {
    const paxos = this.#paxos
    if (paxos.role === 'leader' || paxos.leader === undefined) return 0
    // Nothing is drawn by chance to look, or a simulated run would go another way for it.
    return paxos.progress({ nowMs: this.#clock.nowMs(), random: 0 })[0]?.lagSlots ?? 0
  }
}
