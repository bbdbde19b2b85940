import type { Slot } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import { sameBallot, type Ballot } from '../paxos/ballot.ts'
import type { RefusalReason } from '../paxos/effects.ts'
import type { EntryKind } from '../paxos/state.ts'

/** Proposals of one group that wait for the writer; more are refused as 'overloaded'. */
export const QUEUE_COUNT_MAX = 10_000

/** Bytes that wait to be proposed on a broker, of all its groups. */
export interface QueuedBytes {
  bytes: number
  readonly bytesMax: number
}

/** A value on its way: queued, offered to the core, appended at a slot, applied. */
export interface Waiting<Result> {
  readonly kind: EntryKind
  readonly recordCount: number
  readonly body: Uint8Array
  /** Monotonic milliseconds, as the deadline is. */
  readonly queuedAtMs: number
  readonly deadlineMs: number
  resolve(outcome: { result: Result; slot: Slot }): void
  reject(error: SynodError): void
}

interface Appended<Result> {
  readonly ballot: Ballot
  readonly waiting: Waiting<Result>
}

/** Nothing was appended, for certain. */
export const REFUSALS: Record<RefusalReason, () => SynodError> = {
  'not-leader': () => new SynodError('no-leader', 'This broker does not lead the partition.'),
  'not-enough-in-sync': () =>
    new SynodError('not-enough-in-sync', 'Fewer replicas are in sync than the topic demands.', {
      retryAfterMs: 1_000,
    }),
  full: () =>
    new SynodError('overloaded', 'The partition has as much undecided work as it may.', {
      retryAfterMs: 200,
    }),
  transferring: () =>
    new SynodError('no-leader', 'The partition is about to be led by another broker.', { retryAfterMs: 200 }),
  reconfiguring: () =>
    new SynodError('no-leader', 'The replicas of the partition are about to change.', { retryAfterMs: 200 }),
  stopping: () => new SynodError('draining', 'The broker is about to stop.', { retryAfterMs: 500 }),
}

/**
 * Values that somebody waits for, from the queue to apply. A 'no' is only told when it is certain: the value was never appended,
 * or another one was applied at its slot. What is not decided in time is 'outcome-unknown'.
 */
export class Proposals<Result> {
  readonly #queued: QueuedBytes
  #queue: Waiting<Result>[] = []
  readonly #offered = new Map<number, Waiting<Result>>()
  /** Bounded by the core: it appends no more than it may leave undecided, and each slot stands here once. */
  readonly #appended = new Map<Slot, Appended<Result>>()

  constructor(queued: QueuedBytes) {
    this.#queued = queued
  }

  get queuedCount(): number {
    return this.#queue.length
  }

  /** When `expire` has something to do, about; undefined when nobody waits. */
  get deadlineMs(): number | undefined {
    let first = this.#queue[0]?.deadlineMs
    for (const { waiting } of this.#appended.values()) {
      first = Math.min(first ?? Infinity, waiting.deadlineMs)
      break
    }
    return first
  }

  /** Queues a value, or refuses it when too much waits. */
  add(waiting: Waiting<Result>): void {
    const queued = this.#queued
    const { length } = waiting.body
    if (this.#queue.length >= QUEUE_COUNT_MAX || queued.bytes + length > queued.bytesMax)
      return waiting.reject(REFUSALS.full())
    this.#queue.push(waiting)
    queued.bytes += length
  }

  /** Empties the queue. */
  takeQueue(): readonly Waiting<Result>[] {
    const taken = this.#queue
    this.#queue = []
    for (const { body } of taken) this.#queued.bytes -= body.length
    return taken
  }

  refuseQueued(error: () => SynodError): void {
    for (const waiting of this.takeQueue()) waiting.reject(error())
  }

  /** The core is about to be asked; it answers each token with `appended` or `refused` before anything else happens. */
  offer(token: number, waiting: Waiting<Result>): void {
    this.#offered.set(token, waiting)
  }

  refused(token: number, reason: RefusalReason): void {
    this.#offered.get(token)?.reject(REFUSALS[reason]())
    this.#offered.delete(token)
  }

  /**
   * The value stands at this slot of the ballot's log. An earlier one that stood there was displaced without anything having
   * been applied: another replica may still hold it, so nobody knows whether it will be chosen.
   */
  appended(token: number, slot: Slot, ballot: Ballot): void {
    const waiting = this.#offered.get(token)
    this.#offered.delete(token)
    if (waiting === undefined) return
    this.#appended
      .get(slot)
      ?.waiting.reject(outcomeUnknown('The leader changed before the write was decided.'))
    this.#appended.delete(slot)
    this.#appended.set(slot, { ballot, waiting })
  }

  /** The entry that `origin` proposed was chosen at the slot and applied. */
  applied(slot: Slot, origin: Ballot, result: Result): void {
    const appended = this.#appended.get(slot)
    if (appended === undefined) return
    this.#appended.delete(slot)
    if (sameBallot(appended.ballot, origin)) appended.waiting.resolve({ result, slot })
    // Another value was chosen at the slot, so ours never can be: a certain no.
    else appended.waiting.reject(REFUSALS['not-leader']())
  }

  /** What stood at these slots was decided elsewhere, and nobody here will learn how: a checkpoint took their place. */
  passedOver(upTo: Slot): void {
    for (const [slot, { waiting }] of this.#appended) {
      if (slot > upTo) continue
      this.#appended.delete(slot)
      waiting.reject(outcomeUnknown('The replica fell too far behind to learn what became of the write.'))
    }
  }

  /** Values wait about equally long, so the first is the next to expire. */
  expire(nowMs: number): void {
    while (this.#queue.length > 0 && this.#queue[0]!.deadlineMs <= nowMs) {
      const waiting = this.#queue.shift()!
      this.#queued.bytes -= waiting.body.length
      waiting.reject(
        new SynodError('overloaded', 'The write waited too long for the disk; nothing was stored.', {
          retryAfterMs: 1_000,
        }),
      )
    }
    for (const [slot, { waiting }] of this.#appended) {
      if (waiting.deadlineMs > nowMs) return
      this.#appended.delete(slot)
      waiting.reject(outcomeUnknown('The write was not decided in time; it may still be stored.'))
    }
  }

  stop(error: SynodError): void {
    this.refuseQueued(() => error)
    for (const { waiting } of this.#appended.values())
      waiting.reject(outcomeUnknown('The replica stopped before the write was decided.'))
    this.#appended.clear()
  }
}

export function outcomeUnknown(detail: string): SynodError {
  return new SynodError('outcome-unknown', detail, {
    hint: 'Send it again with the same Idempotency-Key: it is then stored once.',
  })
}
