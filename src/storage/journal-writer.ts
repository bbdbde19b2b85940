import { invariant } from '../types/invariant.ts'
import type { KeyValue, Operation } from './key-value.ts'

/** What one synced batch did, for metrics. */
export interface SyncInfo {
  readonly durationMs: number
  readonly writeCount: number
  readonly bytes: number
}

/** One atomic change of the journal database. */
export interface JournalItem {
  readonly operations: readonly Operation[]
  readonly bytes: number
  /** Deletes of garbage need no sync of their own: brought back by a crash they are deleted again. */
  readonly needsSync: boolean
  /** LSN of a record; 0 for an item that is none. */
  readonly lsn: number
  /** Tells the index, before anybody hears of the item. */
  readonly record: () => void
  /** Called after `record` of the whole batch, in queue order. */
  readonly onDurable: () => void
  /** The journal failed: the outcome of the item is unknown. */
  readonly onFailed: (error: Error) => void
}

export interface JournalWriterOptions {
  readonly nowMs: () => number
  readonly batchBytesMax: number
  readonly pendingBytesMax: number
  /** False holds the next batch back until `wake` (the index does not keep up). */
  readonly mayWrite: () => boolean
  readonly onSync: (info: SyncInfo) => void
  readonly onIdle: () => void
  readonly fail: (error: Error) => void
}

interface Queued {
  readonly item: JournalItem
  readonly queuedAtMs: number
  readonly afterwards: (() => void)[]
}

/**
 * The journal's only writer. One batch is under way at a time; all that is queued meanwhile becomes the next one. An item is
 * never split over batches, so a persist is durable as a whole or not at all. The first error is final: LevelDB goes on
 * acknowledging after a failed write and then loses what it acknowledged.
 */
export class JournalWriter {
  durableLsn = 0
  journalBytes = 0
  syncCount = 0
  syncedWriteCount = 0
  pendingBytes = 0
  readonly #journal: KeyValue
  readonly #options: JournalWriterOptions
  #queue: Queued[] = []
  #inFlight: readonly Queued[] = []
  #isScheduled = false
  #failure: Error | undefined
  #idleWaiters: (() => void)[] = []

  constructor(journal: KeyValue, options: JournalWriterOptions) {
    this.#journal = journal
    this.#options = options
  }

  /** Whether anything is queued or under way. */
  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#inFlight.length > 0
  }

  get oldestPendingMs(): number {
    const oldest = this.#inFlight[0] ?? this.#queue[0]
    return oldest === undefined ? 0 : Math.max(0, this.#options.nowMs() - oldest.queuedAtMs)
  }

  push(item: JournalItem): void {
    if (this.#failure !== undefined) return item.onFailed(this.#failure)
    if (this.pendingBytes + item.bytes > this.#options.pendingBytesMax && this.isBusy) {
      const error = new Error(`The disk does not keep up: ${this.pendingBytes} bytes wait to be written.`)
      this.#options.fail(error)
      return item.onFailed(error)
    }
    this.pendingBytes += item.bytes
    this.#queue.push({ item, queuedAtMs: this.#options.nowMs(), afterwards: [] })
    this.#schedule()
  }

  /** Runs when everything pushed so far is durable: at once, or right after the last item was recorded. */
  afterPending(run: () => void): void {
    if (this.#failure !== undefined) return
    const last = this.#queue.at(-1) ?? this.#inFlight.at(-1)
    if (last === undefined) run()
    else last.afterwards.push(run)
  }

  /** The reason for `mayWrite` being false is gone. */
  wake(): void {
    if (this.#queue.length > 0) this.#schedule()
  }

  /** Resolves when nothing is queued or under way, or the journal failed. */
  async drained(): Promise<void> {
    while (this.isBusy && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve))
    }
  }

  /** Nothing is confirmed from now on. */
  stop(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    const lost = [...this.#inFlight, ...this.#queue]
    this.#queue = []
    for (const { item } of lost) item.onFailed(error)
    this.#wakeWaiters()
  }

  /** A microtask later, so that all that one turn of the loop appends shares a sync and a lone write does not wait. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight.length > 0) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      void this.#write()
    })
  }

  async #write(): Promise<void> {
    if (this.#failure !== undefined || this.#inFlight.length > 0 || this.#queue.length === 0) return
    if (!this.#options.mayWrite()) return
    const batch = this.#takeBatch()
    this.#inFlight = batch
    const operations =
      batch.length === 1 ? (batch[0]?.item.operations ?? []) : batch.flatMap(({ item }) => item.operations)
    const sync = batch.some(({ item }) => item.needsSync)
    const startedAtMs = this.#options.nowMs()
    try {
      await this.#journal.batch(operations, { sync })
      if (this.#failure !== undefined) return
      this.#finish(batch, sync, this.#options.nowMs() - startedAtMs)
    } catch (error) {
      this.#options.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #finish(batch: readonly Queued[], sync: boolean, durationMs: number): void {
    let bytes = 0
    for (const { item, afterwards } of batch) {
      bytes += item.bytes
      invariant(
        item.lsn === 0 || item.lsn > this.durableLsn,
        'Records become durable in the order of their LSNs.',
      )
      item.record()
      if (item.lsn !== 0) this.durableLsn = item.lsn
      for (const run of afterwards) run()
    }
    this.#inFlight = []
    this.pendingBytes -= bytes
    this.journalBytes += bytes
    if (sync) {
      this.syncCount++
      this.syncedWriteCount += batch.length
      this.#options.onSync({ durationMs, writeCount: batch.length, bytes })
    }
    for (const { item } of batch) item.onDurable()
    this.#options.onIdle()
    if (this.#queue.length > 0) this.#schedule()
    else this.#wakeWaiters()
  }

  #takeBatch(): readonly Queued[] {
    let bytes = 0
    let count = 0
    for (const { item } of this.#queue) {
      if (count > 0 && bytes + item.bytes > this.#options.batchBytesMax) break
      bytes += item.bytes
      count++
    }
    return this.#queue.splice(0, count)
  }

  #wakeWaiters(): void {
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const wake of waiters) wake()
  }
}
