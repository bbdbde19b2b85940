import type { Moment } from '../paxos/effects.ts'
import { DeadlineHeap } from './deadline-heap.ts'

/** Who takes turns in the loop. */
export interface TurnTaker {
  /** Works off what has arrived. Returns when it wants its next turn by itself, in monotonic ms; undefined: when woken. */
  takeTurn(moment: Moment): number | undefined
  /** Proposes what waits; called when the disk's writer is idle, after every taker's turn. Returns as `takeTurn` does. */
  offerProposals(moment: Moment): number | undefined
}

/** Time and chance, from outside so that whole brokers can run in virtual time. */
export interface LoopClock {
  /** Monotonic. */
  nowMs(): number
  random(): number
  moment(): Moment
  /** Runs soon, after what already waits to run. */
  soon(run: () => void): void
  later(run: () => void, delayMs: number): { cancel(): void }
}

/**
 * The broker's one loop. Nothing acts on arrival: a message or a produce wakes its replica, and one turn later all woken
 * replicas work off everything that has come in. Groups that nobody woke cost nothing.
 */
export class Loop {
  readonly clock: LoopClock
  readonly #awake = new Set<TurnTaker>()
  readonly #proposing = new Set<TurnTaker>()
  readonly #deadlines = new DeadlineHeap<TurnTaker>()
  readonly #isWriterIdle: () => boolean
  #isTurnScheduled = false
  #isStopped = false
  #timer: { atMs: number; cancel(): void } | undefined

  constructor(clock: LoopClock, isWriterIdle: () => boolean) {
    this.clock = clock
    this.#isWriterIdle = isWriterIdle
  }

  wake(taker: TurnTaker): void {
    this.#awake.add(taker)
    this.#scheduleTurn()
  }

  /**
   * The taker has something to propose; it is asked for it when the writer is idle (group commit), and gets a turn by
   * `deadlineMs` in any case.
   */
  wakeForProposals(taker: TurnTaker, deadlineMs: number): void {
    this.#proposing.add(taker)
    if (this.#isWriterIdle()) return this.#scheduleTurn()
    if (deadlineMs >= (this.#deadlines.get(taker) ?? Infinity)) return
    this.#deadlines.set(taker, deadlineMs)
    this.#setTimer()
  }

  /**
   * The writer finished a batch: what waited meanwhile becomes the next one. Where other groups have queued writes already,
   * those leave before any turn could run, and would again the next time: then this is the only moment to join them.
   */
  writerIdle(): void {
    if (this.#proposing.size > 0 && !this.#isWriterIdle()) this.#turn(true)
    else if (this.#proposing.size > 0 || this.#awake.size > 0) this.#scheduleTurn()
  }

  remove(taker: TurnTaker): void {
    this.#awake.delete(taker)
    this.#proposing.delete(taker)
    this.#deadlines.delete(taker)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled || this.#isStopped) return
    this.#isTurnScheduled = true
    this.clock.soon(() => {
      this.#isTurnScheduled = false
      // Asked before anybody writes: proposals share the batch with what the turn itself makes durable.
      this.#turn(this.#isWriterIdle())
    })
  }

  #turn(mayPropose: boolean): void {
    if (this.#isStopped) return
    const moment = this.clock.moment()
    for (const taker of this.#deadlines.takeDue(moment.nowMs)) this.#awake.add(taker)
    const takers = [...this.#awake]
    this.#awake.clear()
    for (const taker of takers) this.#rest(taker, taker.takeTurn(moment))
    if (this.#proposing.size > 0 && mayPropose) {
      const proposing = [...this.#proposing]
      this.#proposing.clear()
      for (const taker of proposing) this.#rest(taker, taker.offerProposals(moment))
    }
    this.#setTimer()
  }

  #rest(taker: TurnTaker, deadlineMs: number | undefined): void {
    if (deadlineMs === undefined) this.#deadlines.delete(taker)
    else this.#deadlines.set(taker, deadlineMs)
  }

  #setTimer(): void {
    if (this.#isStopped) return
    const atMs = this.#deadlines.firstMs
    if (atMs === this.#timer?.atMs) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (atMs === undefined) return
    const delayMs = Math.max(0, atMs - this.clock.nowMs())
    const handle = this.clock.later(() => {
      this.#timer = undefined
      this.#scheduleTurn()
    }, delayMs)
    this.#timer = { atMs, cancel: () => handle.cancel() }
  }
}
