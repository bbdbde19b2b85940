import type { ErrorCode } from '../../../errors.ts'
import { SynodError } from '../../../errors.ts'
import type { Topic } from '../../../types/topic.ts'
import type { AppendReceipt } from '../../ports.ts'
import type { Timers } from '../../reading/timers.ts'
import { append, receiptJson } from '../append.ts'
import type { StoredAt, Terms } from '../append.ts'
import { BATCH_RECORDS_MAX } from '../batch-body.ts'
import type { RequestContext } from '../context.ts'
import type { Entry } from './receipts.ts'

/** Nothing was stored, for certain, and a moment later it may be. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'no-leader',
  'no-quorum',
  'not-enough-in-sync',
  'overloaded',
  'draining',
])
const PAUSE_MS = 200

export interface LaneParts {
  readonly context: RequestContext
  readonly timers: Timers
  readonly terms: Terms
  /** The topic as it is now: it may have been closed, or grown, since the request began. */
  readonly topic: () => Promise<Topic>
  /** No further group is to be sent. */
  readonly isStopped: () => boolean
  /** A group has its answers. */
  readonly settled: (error: unknown) => void
}

/**
 * One partition's part of an ingest. One group of records is under way at a time, so that their order is that of the lines
 * whatever happens to a group; what arrives meanwhile is the next group. So no record is held back for the sake of others:
 * the pace is that of the log.
 */
export class Lane {
  readonly #partition: number
  readonly #parts: LaneParts
  readonly #waiting: Entry[] = []
  /** Records of this request that the partition has. */
  #storedCount = 0
  #isSending = false

  constructor(partition: number, parts: LaneParts) {
    this.#partition = partition
    this.#parts = parts
  }

  get isIdle(): boolean {
    return !this.#isSending && (this.#waiting.length === 0 || this.#parts.isStopped())
  }

  add(entry: Entry): void {
    this.#waiting.push(entry)
  }

  /** Sends what waits, unless a group is under way. */
  pump(): void {
    if (this.#isSending || this.#waiting.length === 0 || this.#parts.isStopped()) return
    this.#isSending = true
    const group = this.#waiting.splice(0, BATCH_RECORDS_MAX)
    void this.#store(group).then(
      () => this.#settle(undefined),
      (error: unknown) => {
        for (const entry of group) if (entry.receipt === undefined) entry.error = error
        this.#settle(error)
      },
    )
  }

  #settle(error: unknown): void {
    this.#isSending = false
    this.#parts.settled(error)
    this.pump()
  }

  async #store(group: readonly Entry[]): Promise<void> {
    let rest = group
    while (rest.length > 0) {
      const topic = await this.#parts.topic()
      try {
        return this.#answer(topic, rest, await this.#append(topic, rest))
      } catch (error) {
        const knownCount = this.#knownCount(error, rest.length)
        if (knownCount === 0) throw error
        this.#answer(topic, rest.slice(0, knownCount), forgotten(knownCount))
        rest = rest.slice(knownCount)
      }
    }
  }

  /** Tries again what was certainly not stored, or what the log recognises, for as long as one produce may take. */
  async #append(topic: Topic, entries: readonly Entry[]): Promise<AppendReceipt> {
    const { context, timers, terms } = this.#parts
    const isRecognised = terms.idempotency !== undefined
    const endMs = timers.nowMs() + context.options.produceTimeoutMs
    const part = { partition: this.#partition, drafts: entries.map(({ draft }) => draft) }
    let lost: SynodError | undefined
    for (;;) {
      try {
        return await append(context, topic, this.#termsNow(), part)
      } catch (error) {
        if (!(error instanceof SynodError)) throw error
        const isUnknown = error.code === 'outcome-unknown'
        if (isUnknown) lost = error
        // The one answer that tells what became of an earlier try.
        if (error.code === 'sequence-gap') throw error
        const isPassing = isUnknown ? isRecognised : PASSING.has(error.code)
        // What an earlier try may have stored is not told to be missing because the last one was refused.
        if (!isPassing || timers.nowMs() >= endMs || this.#parts.isStopped()) throw lost ?? error
        await new Promise<void>((resolve) => timers.after(error.retryAfterMs ?? PAUSE_MS, resolve))
      }
    }
  }

  /** Producer-Seq and Expected-Offset count on from group to group. */
  #termsNow(): Terms {
    const { idempotency, expectedOffset, acks } = this.#parts.terms
    return {
      acks,
      idempotency:
        idempotency?.kind === 'producer'
          ? { ...idempotency, seq: idempotency.seq + this.#storedCount }
          : idempotency,
      expectedOffset: expectedOffset === undefined ? undefined : expectedOffset + this.#storedCount,
    }
  }

  /**
   * How many of a group the partition has already. A producer that begins again with the first line that it has no receipt for
   * meets groups that were cut otherwise, so the log recognises none of them as a whole; it says which number comes next, and
   * by the producer's own count all below it are stored.
   */
  #knownCount(error: unknown, count: number): number {
    const { idempotency } = this.#termsNow()
    if (idempotency?.kind !== 'producer' || !(error instanceof SynodError)) return 0
    const expectedSeq = error.code === 'sequence-gap' ? error.facts['expectedSeq'] : undefined
    if (typeof expectedSeq !== 'number') return 0
    return Math.min(count, Math.max(0, expectedSeq - idempotency.seq))
  }

  #answer(topic: Topic, entries: readonly Entry[], receipt: StoredAt): void {
    for (const [index, entry] of entries.entries())
      entry.receipt = receiptJson(topic, this.#partition, { receipt, index, draft: entry.draft })
    this.#storedCount += entries.length
  }
}

/** Stored by an earlier try, at a place that is not known here any more and not later than now. */
function forgotten(recordCount: number): StoredAt {
  return { baseOffset: undefined, recordCount, appendedAtMs: Date.now(), duplicate: true }
}
