import type { Rule } from '../sim/judge.ts'
import { Violation } from '../sim/judge.ts'
import { drive } from './drive.ts'
import type { BrokersScene } from './scene.ts'

/** A healed majority stores new records, and a healed cluster agrees on everything, within this. */
export const PROGRESS_MAX_MS = 30_000
export const LOOK_EVERY_MS = 100
/** Events of a run before it counts as endless. */
const EVENTS_MAX = 1_000_000

/** Lets virtual time pass, and ends the run when something is wrong meanwhile. */
export class Passage {
  readonly #scene: Pick<BrokersScene, 'queue' | 'judge'>
  readonly #look: () => void
  #failure: { readonly error: unknown } | undefined
  eventCount = 0

  /** `look` is called now and then. */
  constructor(scene: Pick<BrokersScene, 'queue' | 'judge'>, look: () => void) {
    this.#scene = scene
    this.#look = look
  }

  /** Something threw where nobody can catch it. */
  failed(error: unknown): void {
    this.#failure ??= { error }
  }

  /** Until `whyNot` has nothing to say any more; it is asked now and then. */
  async until(
    withinMs: number,
    whyNot: () => string | undefined,
    rule: Extract<Rule, 'progress' | 'idle'> = 'progress',
  ): Promise<void> {
    const { queue, judge } = this.#scene
    const deadlineMs = queue.nowMs + withinMs
    let reason: string | undefined = 'it has just begun'
    let nextLookMs = queue.nowMs
    await drive(queue, () => {
      this.#check()
      if (queue.nowMs < nextLookMs) return false
      nextLookMs = queue.nowMs + LOOK_EVERY_MS
      this.#look()
      reason = whyNot()
      return reason === undefined || queue.nowMs >= deadlineMs
    })
    judge.demand(reason === undefined, rule, () => `after ${withinMs} ms ${reason}`)
  }

  async pass(ms: number): Promise<void> {
    const { queue } = this.#scene
    const untilMs = queue.nowMs + ms
    await this.until(2 * ms, () => (queue.nowMs >= untilMs ? undefined : 'time passes'))
  }

  /** Until the promise is settled. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isOpen = true
    const settle = (): void => void (isOpen = false)
    work.then(settle, settle)
    await this.until(PROGRESS_MAX_MS, () => (isOpen ? 'the last reads are open' : undefined))
    return work
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (++this.eventCount > EVENTS_MAX) throw new Violation('spin', `more than ${EVENTS_MAX} events`)
  }
}
