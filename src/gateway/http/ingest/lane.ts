import type { ErrorCode } from '../../../errors.ts'
import { SynodError } from '../../../errors.ts'
import { invariant } from '../../../types/invariant.ts'
import type { StoredRecord } from '../../../types/record.ts'
import type { Topic } from '../../../types/topic.ts'
import type { AppendReceipt } from '../../ports.ts'
import type { Timers } from '../../reading/timers.ts'
import { append, receiptJson } from '../append.ts'
import type { StoredAt, Terms } from '../append.ts'
import { BATCH_RECORDS_MAX } from '../batch-body.ts'
import type { RequestContext } from '../context.ts'
import type { Entry } from './receipts.ts'
import { isSameRecord, StoredLines } from './stored-lines.ts'

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
  /** The producer is a key's: lines that were stored are looked up, since the key stands for their content. */
  readonly isKeyed: boolean
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
  /** How many of them came before the number 0: the log forgot the producer then. */
  #unnumberedCount = 0
  #storedLines: StoredLines | undefined
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
        const receipt = await this.#append(topic, rest)
        if (receipt.baseOffset !== undefined) return this.#answer(topic, rest, receipt)
        return await this.#recall(topic, rest)
      } catch (error) {
        if (this.#isForgotten(error)) {
          this.#unnumberedCount = this.#storedCount
          continue
        }
        const knownCount = this.#knownCount(error, rest.length)
        if (knownCount === 0) throw error
        await this.#recall(topic, rest.slice(0, knownCount))
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
        // But if the log forgot the producer meanwhile, it does not tell, and beginning anew might store the lines twice.
        if (error.code === 'sequence-gap') throw (this.#isForgotten(error) ? lost : undefined) ?? error
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
          ? { ...idempotency, seq: idempotency.seq + this.#storedCount - this.#unnumberedCount }
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

  /** A key's numbers begin anew when nothing came of it for so long that the log forgot them; a producer counts for itself. */
  #isForgotten(error: unknown): boolean {
    if (!this.#parts.isKeyed || !(error instanceof SynodError) || error.code !== 'sequence-gap') return false
    return error.facts['expectedSeq'] === 0 && this.#storedCount > this.#unnumberedCount
  }

  /** Answers lines that were stored before, at places that the log does not say by itself. */
  async #recall(topic: Topic, entries: readonly Entry[]): Promise<void> {
    if (!this.#parts.isKeyed) return this.#answer(topic, entries, forgotten(entries.length))
    for (const entry of entries) {
      const record = await this.#find(topic)
      if (record !== undefined && !isSameRecord(entry.draft, record)) throw otherLine(entry.line)
      this.#answer(topic, [entry], record === undefined ? forgotten(1) : storedAs(record))
    }
  }

  /** The record that the next line was stored as; undefined when it was trimmed since. */
  #find(topic: Topic): Promise<StoredRecord | undefined> {
    const { idempotency } = this.#termsNow()
    invariant(idempotency?.kind === 'producer', 'Lines of a key are numbered.')
    const { context, timers } = this.#parts
    this.#storedLines ??= new StoredLines({
      log: context.ports.log,
      timers,
      patienceMs: context.options.produceTimeoutMs,
      topic,
      partition: this.#partition,
      producerId: idempotency.id,
    })
    return this.#storedLines.find(idempotency.seq)
  }

  #answer(topic: Topic, entries: readonly Entry[], receipt: StoredAt): void {
    for (const [index, entry] of entries.entries())
      entry.receipt = receiptJson(topic, this.#partition, { receipt, index, draft: entry.draft })
    this.#storedCount += entries.length
  }
}

function storedAs({ offset, timestampMs }: StoredRecord): StoredAt {
  return { baseOffset: offset, recordCount: 1, appendedAtMs: timestampMs, duplicate: true }
}

function otherLine(line: number): SynodError {
  return new SynodError(
    'idempotency-key-reused',
    `Line ${line} is another one than this Idempotency-Key came with before.`,
    { facts: { line } },
  )
}

/** Stored by an earlier try, at a place that is not known here any more and not later than now. */
function forgotten(recordCount: number): StoredAt {
  return { baseOffset: undefined, recordCount, appendedAtMs: Date.now(), duplicate: true }
}
