import type { LoopClock } from '../partition/loop.ts'
import type { Registry } from '../partition/registry.ts'
import type { DamageReport, LogStore, RecoveredGroup } from '../storage/log-store.ts'

/** A pass of the scrub takes so much of the disk at most: 100 GiB in four hours. */
const SCRUB_BYTES_PER_SECOND = 8 * 1024 * 1024
/** The first pass waits until the broker has found its place in the cluster. */
const FIRST_SCRUB_MS = 60_000
/** What goes on being damaged is told again after this. */
const WARN_AGAIN_MS = 60_000

export interface DamageWatchOptions {
  readonly store: Pick<LogStore, 'scrub'>
  readonly registry: Registry
  readonly clock: Pick<LoopClock, 'later' | 'nowMs'>
  /** From the end of a pass of the scrub to the next one; 0: none at all. */
  readonly scrubIntervalMs: number
  warn(sentence: string): void
}

/** Looks for entries that rot on the disk, and sees to it that their replicas and the operator hear of them. */
export class DamageWatch {
  readonly #options: DamageWatchOptions
  #timer: { cancel(): void } | undefined
  #isStopped = false
  #warnedMs = -Infinity

  constructor(options: DamageWatchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.scrubIntervalMs > 0) this.#later(FIRST_SCRUB_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** What a read or the scrub met. Before the replica is there the damage is met again later. */
  met(report: DamageReport): void {
    const { registry } = this.#options
    const { group, entries, isStateLost } = report
    registry.replica(group)?.damaged(report)
    const [first] = entries
    if (first !== undefined) this.#warn(entries.length, `slot ${first.slot} of group ${group}`)
    else if (isStateLost) this.#warn(1, `the state record of group ${group}`)
  }

  /** What the start met. The replicas begin with it. */
  recovered(groups: readonly RecoveredGroup[]): void {
    const damaged = groups.flatMap((group) => group.damaged.map(({ slot }) => ({ slot, group: group.group })))
    const [first] = damaged
    if (first !== undefined) this.#warn(damaged.length, `slot ${first.slot} of group ${first.group}`)
  }

  #warn(count: number, first: string): void {
    const nowMs = this.#options.clock.nowMs()
    if (nowMs - this.#warnedMs < WARN_AGAIN_MS) return
    this.#warnedMs = nowMs
    this.#options.warn(
      `The disk does not give back what was written: ${count} entries, the first is ${first}. They are not served and are ` +
        'fetched from other brokers; look at the disk, and at synod_damaged_entries.',
    )
  }

  #later(delayMs: number): void {
    if (this.#isStopped) return
    this.#timer = this.#options.clock.later(() => void this.#scrub(), delayMs)
  }

  /** A store that cannot be read to its end is read again next time: what it lacks, those who need it will say. */
  async #scrub(): Promise<void> {
    try {
      const { damagedPartCount } = await this.#options.store.scrub(SCRUB_BYTES_PER_SECOND)
      if (damagedPartCount > 0)
        this.#options.warn(
          `${damagedPartCount} parts of checkpoints cannot be read back from the disk. The next trims take their place; who ` +
            'needs them until then is served by other brokers.',
        )
    } catch (error) {
      if (!this.#isStopped) this.#options.warn(`The scrub ended early (${String(error)}).`)
    }
    this.#later(this.#options.scrubIntervalMs)
  }
}
