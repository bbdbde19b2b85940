import { SynodError } from '../../../errors.ts'
import type { CommittedBatch, RecordDraft, StoredRecord } from '../../../types/record.ts'
import type { Topic } from '../../../types/topic.ts'
import type { Freshness, Log, ReadResult } from '../../ports.ts'
import { withPatience } from '../../reading/retry.ts'
import type { Timers } from '../../reading/timers.ts'

/** Records looked through in one step back from the end. */
const STEP_RECORDS = 10_000
/** Small, since each partition of an ingest may hold one such page. */
const PAGE_BYTES_MAX = 256 * 1024
/** What somebody was told to be stored is there. */
const FRESHNESS: Freshness = { consistency: 'linearizable' }

export interface StoredLinesParts {
  readonly log: Log
  readonly timers: Timers
  readonly patienceMs: number
  readonly topic: Topic
  readonly partition: number
  readonly producerId: string
}

/** A batch of the producer that is looked for. */
interface OwnBatch {
  readonly batch: CommittedBatch
  readonly firstSeq: number
}

/**
 * Finds again what a producer has stored in one partition, by the numbers of its records. The log knows where the last batches
 * of a producer are, and of those before only that they are stored; so this looks for the first that is asked for from the
 * end of the partition back, and reads on from there.
 */
export class StoredLines {
  readonly #parts: StoredLinesParts
  #current: OwnBatch | undefined
  /** Read, and behind the current one. */
  #page: readonly CommittedBatch[] = []
  #nextOffset = 0

  constructor(parts: StoredLinesParts) {
    this.#parts = parts
  }

  /**
   * The record with this number, which is stored and not below the one asked for before; undefined when it was trimmed since.
   * Errors: those of reading, once the patience is over.
   */
  async find(seq: number): Promise<StoredRecord | undefined> {
    for (;;) {
      const current = this.#current
      if (current !== undefined) {
        if (seq < current.firstSeq) return undefined
        if (seq < current.firstSeq + current.batch.recordCount)
          return current.batch.records[seq - current.firstSeq]
      }
      const next = current === undefined ? await this.#locate(seq) : await this.#following()
      if (next === undefined) return undefined
      this.#current = next
    }
  }

  /** The last batch that begins at or below the number, or else the first that there is. */
  async #locate(seq: number): Promise<OwnBatch | undefined> {
    const { log, topic, partition } = this.#parts
    const ask = (kind: 'earliest' | 'latest') =>
      this.#patiently(() => log.resolve(topic, partition, { kind }, FRESHNESS))
    const logStart = await ask('earliest')
    let endOffset = await ask('latest')
    let found: OwnBatch | undefined
    while (endOffset > logStart && (found === undefined || found.firstSeq > seq)) {
      const fromOffset = Math.max(logStart, endOffset - STEP_RECORDS)
      found = (await this.#best(seq, fromOffset, endOffset)) ?? found
      endOffset = fromOffset
    }
    this.#page = []
    if (found !== undefined) this.#nextOffset = found.batch.baseOffset + found.batch.recordCount
    return found
  }

  async #best(seq: number, fromOffset: number, endOffset: number): Promise<OwnBatch | undefined> {
    let best: OwnBatch | undefined
    for (let offset = fromOffset; offset < endOffset;) {
      const batches = await this.#read(offset)
      if (batches.length === 0) break
      for (const batch of batches) {
        const own = this.#ownOf(batch)
        if (own !== undefined && (best === undefined || own.firstSeq <= seq)) best = own
        offset = batch.baseOffset + batch.recordCount
      }
    }
    return best
  }

  async #following(): Promise<OwnBatch | undefined> {
    for (;;) {
      if (this.#page.length === 0) this.#page = await this.#read(this.#nextOffset)
      const [batch, ...rest] = this.#page
      if (batch === undefined) return undefined
      this.#page = rest
      this.#nextOffset = batch.baseOffset + batch.recordCount
      const own = this.#ownOf(batch)
      if (own !== undefined) return own
    }
  }

  /** From this offset on, or from where the log begins now. */
  async #read(fromOffset: number): Promise<readonly CommittedBatch[]> {
    const { log, topic, partition } = this.#parts
    const read = (offset: number): Promise<ReadResult> =>
      this.#patiently(() =>
        log.read({
          topic,
          partition,
          fromOffset: offset,
          recordsMax: STEP_RECORDS,
          bytesMax: PAGE_BYTES_MAX,
          waitMs: 0,
          signal: undefined,
          freshness: FRESHNESS,
        }),
      )
    try {
      return (await read(fromOffset)).batches
    } catch (error) {
      const logStart = error instanceof SynodError ? error.facts['logStart'] : undefined
      if (typeof logStart !== 'number' || logStart <= fromOffset) throw error
      return (await read(logStart)).batches
    }
  }

  #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    return withPatience(this.#parts.patienceMs, this.#parts.timers, attempt)
  }

  #ownOf(batch: CommittedBatch): OwnBatch | undefined {
    const { idempotency } = batch
    if (idempotency?.kind !== 'producer' || idempotency.id !== this.#parts.producerId) return undefined
    return { batch, firstSeq: idempotency.seq }
  }
}

/** Whether the line would be stored as this record. A line without a time of its own got the log's. */
export function isSameRecord(draft: RecordDraft, stored: StoredRecord): boolean {
  return (
    draft.form === stored.form &&
    draft.key === stored.key &&
    draft.contentType === stored.contentType &&
    (draft.timestampMs === undefined || draft.timestampMs === stored.timestampMs) &&
    Buffer.compare(draft.value, stored.value) === 0 &&
    JSON.stringify(draft.headers) === JSON.stringify(stored.headers)
  )
}
