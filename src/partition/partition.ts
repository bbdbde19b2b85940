import type { GroupId, Replica as ReplicaId } from '../types/ids.ts'
import { slot } from '../types/ids.ts'
import type { CommittedBatch } from '../types/record.ts'
import type { TopicConfig } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { PaxosTuning } from '../paxos/options.ts'
import { DEFAULT_TUNING } from '../paxos/options.ts'
import { ENTRY_KIND, type Entry, type RecoveredState } from '../paxos/state.ts'
import type { OffsetMark, Row } from '../storage/log-store.ts'
import { committedBatch, peekBatch, setAppendedAt } from './record-batch.ts'
import { RecordMachine, type AppliedBatch } from './record-machine.ts'
import { Replica, type ReplicaHost } from './replica.ts'
import { takeUpTo, type TailCache, type TailCacheView } from './tail-cache.ts'
import { Waiters } from './waiters.ts'

/** What became of a produce. `baseOffset` is undefined for a duplicate too old to remember where it stands. */
export interface AppendOutcome {
  readonly baseOffset: number | undefined
  readonly recordCount: number
  readonly appendedAtMs: number
  readonly duplicate: boolean
}

export interface PartitionRead {
  readonly batches: readonly CommittedBatch[]
  readonly logStart: number
  readonly highWatermark: number
}

export interface ReadBounds {
  readonly fromOffset: number
  readonly recordsMax: number
  readonly bytesMax: number
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
}

export interface PartitionOptions {
  readonly group: GroupId
  readonly self: ReplicaId
  readonly recovered: RecoveredState
  /** What the index knew: the machine's rows, and its numbers as of `recovered.commit`. */
  readonly rows: readonly Row[]
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  readonly config: TopicConfig
  readonly host: ReplicaHost
  readonly cache: TailCache
  readonly wallMs: () => number
  /** Told at every change of role or leader, for hints and for those who wait for a leader. */
  readonly onLeaderChange: () => void
}

/** Marks read at once from the index when the cache cannot serve. */
const MARKS_COUNT_MAX = 512

/** One partition of a topic on this broker: records in, offsets out, committed batches to read. */
export class Partition {
  readonly group: GroupId
  readonly replica: Replica<AppliedBatch>
  readonly #machine: RecordMachine
  readonly #options: PartitionOptions
  readonly #cache: TailCacheView
  readonly #waiters = new Waiters()
  readonly #fullAcks = new Map<number, { resolve(): void; reject(error: SynodError): void }>()
  #stampedMs: number
  #toldHighWatermark: number
  #stopError: SynodError | undefined

  constructor(options: PartitionOptions) {
    this.group = options.group
    this.#options = options
    this.#cache = options.cache.open()
    this.#machine = new RecordMachine(options.config)
    const applied = {
      slot: options.recovered.commit,
      nextOffset: options.nextOffset,
      lastAppendedAtMs: options.lastAppendedAtMs,
    }
    this.#machine.restore(options.rows, applied)
    this.#stampedMs = options.lastAppendedAtMs
    for (const entry of options.recovered.tail) this.#seeStamp(entry)
    this.#toldHighWatermark = options.nextOffset
    this.replica = new Replica<AppliedBatch>({
      group: options.group,
      self: options.self,
      recovered: options.recovered,
      machine: this.#machine,
      tuning: tuningOf(options.config),
      host: options.host,
      listener: {
        stamp: (body) => this.#stamp(body),
        applied: (entry, result) => this.#applied(entry, result),
        turnEnded: () => this.#turnEnded(),
        roleChanged: () => this.#options.onLeaderChange(),
      },
    })
  }

  get highWatermark(): number {
    return this.#machine.nextOffset
  }

  get logStart(): number {
    return this.replica.paxos.logStart.offset
  }

  configure(config: TopicConfig): void {
    this.replica.paxos.configure(tuningOf(config))
  }

  /**
   * Stores an encoded batch as one slot. `acks: 'all'` also waits until every replica that is in sync has it on disk.
   * Errors: as `Replica.propose`, and what the machine decided.
   */
  async append(
    body: Uint8Array,
    options: { readonly acks: 'majority' | 'all'; readonly timeoutMs: number },
  ): Promise<AppendOutcome> {
    const header = peekBatch(body)
    const { result, slot: at } = await this.replica.propose({
      kind: ENTRY_KIND.DATA,
      recordCount: header.recordCount,
      body,
      timeoutMs: options.timeoutMs,
    })
    const outcome = outcomeOf(result)
    if (options.acks === 'all' && !this.#isOnAllInSync(at)) await this.#acceptedByAll(at)
    return outcome
  }

  /** Committed batches from the one that holds `fromOffset`; waits for the first as long as `waitMs` says. */
  async read(bounds: ReadBounds): Promise<PartitionRead> {
    const from = bounds.fromOffset
    if (from < this.logStart) throw offsetTrimmed(from, this.logStart)
    if (from >= this.highWatermark && bounds.waitMs > 0)
      await this.#waitFor(from, bounds.waitMs, bounds.signal)
    if (this.#stopError !== undefined) throw this.#stopError
    const batches = from < this.highWatermark ? await this.#batchesFrom(from, bounds) : []
    return { batches, logStart: this.logStart, highWatermark: this.highWatermark }
  }

  /** The first offset appended at or after the time, or the high watermark. */
  async offsetAt(timeMs: number): Promise<number> {
    const mark = await this.#options.host.store.findTime(this.group, timeMs)
    return mark === undefined ? this.highWatermark : Math.min(mark.baseOffset, this.highWatermark)
  }

  stop(error: SynodError): void {
    this.#stopError = error
    this.replica.stop(error)
    this.#waiters.wakeAll()
    for (const waiting of this.#fullAcks.values()) waiting.reject(error)
    this.#fullAcks.clear()
    this.#cache.clear()
  }

  /** The leader's time, never before the last one in its log (architecture, 'Time'). */
  #stamp(body: Uint8Array): void {
    this.#stampedMs = Math.max(this.#stampedMs, this.#machine.lastAppendedAtMs, this.#options.wallMs())
    setAppendedAt(body, this.#stampedMs)
  }

  #seeStamp(entry: Entry): void {
    if (entry.kind === ENTRY_KIND.DATA)
      this.#stampedMs = Math.max(this.#stampedMs, peekBatch(entry.body).appendedAtMs)
  }

  #applied(entry: Entry, result: AppliedBatch): void {
    if (entry.kind === ENTRY_KIND.DATA)
      this.#stampedMs = Math.max(this.#stampedMs, this.#machine.lastAppendedAtMs)
    if (result.kind === 'appended') this.#cache.add(committedBatch(entry.body, result.baseOffset))
  }

  #turnEnded(): void {
    if (this.#fullAcks.size > 0) this.#checkFullAcks()
    const highWatermark = this.highWatermark
    if (highWatermark === this.#toldHighWatermark) return
    this.#toldHighWatermark = highWatermark
    this.#waiters.advanced(highWatermark)
  }

  #waitFor(offset: number, waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel()
        signal?.removeEventListener('abort', done)
        stopWaiting()
        resolve()
      }
      const stopWaiting = this.#waiters.add(offset, done)
      const timer = this.#options.host.loop.clock.later(done, waitMs)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  async #batchesFrom(from: number, bounds: ReadBounds): Promise<readonly CommittedBatch[]> {
    const cached = this.#cache.from(from, bounds.recordsMax, bounds.bytesMax)
    if (cached !== undefined) return cached
    const { store } = this.#options.host
    const countMax = Math.min(MARKS_COUNT_MAX, bounds.recordsMax)
    const marks = (await store.readMarks(this.group, from, countMax)).filter(
      (mark) => mark.baseOffset < this.highWatermark,
    )
    const first = marks[0]
    const last = marks.at(-1)
    if (first === undefined || last === undefined) return []
    const entries = await store.readEntries(this.group, slot(first.slot), slot(last.slot), bounds.bytesMax)
    return takeUpTo(this.#joined(marks, entries), 0, from, bounds.recordsMax, bounds.bytesMax)
  }

  /** Entries with the offsets that applying gave them; slots without a mark added no records. */
  #joined(marks: readonly OffsetMark[], entries: readonly Entry[]): readonly CommittedBatch[] {
    const bySlot = new Map(marks.map((mark) => [mark.slot, mark.baseOffset]))
    const batches: CommittedBatch[] = []
    for (const entry of entries) {
      const baseOffset = bySlot.get(entry.slot)
      if (baseOffset !== undefined)
        batches.push(this.#cache.find(baseOffset) ?? committedBatch(entry.body, baseOffset))
    }
    return batches
  }

  #isOnAllInSync(at: number): boolean {
    return this.#replicas().every((voter) => !voter.inSync || voter.acceptedSlot >= at)
  }

  #replicas() {
    return this.replica.paxos.progress(this.#options.host.loop.clock.moment())
  }

  #acceptedByAll(at: number): Promise<void> {
    return new Promise((resolve, reject) => this.#fullAcks.set(at, { resolve, reject }))
  }

  /** A voter that leaves the in-sync set releases the wait; a leader that steps down can no longer tell. */
  #checkFullAcks(): void {
    for (const [at, waiting] of this.#fullAcks) {
      if (!this.replica.isLeader) {
        this.#fullAcks.delete(at)
        waiting.reject(
          new SynodError(
            'outcome-unknown',
            'The leader changed before all in-sync replicas had the records; a majority has them.',
          ),
        )
      } else if (this.#isOnAllInSync(at)) {
        this.#fullAcks.delete(at)
        waiting.resolve()
      }
    }
  }
}

function tuningOf(config: TopicConfig): PaxosTuning {
  return {
    ...DEFAULT_TUNING,
    maxLagMs: config.maxLagMs,
    maxLagSlots: config.maxLagSlots,
    minInSync: config.minInSync ?? undefined,
  }
}

function offsetTrimmed(from: number, logStart: number): SynodError {
  return new SynodError(
    'offset-trimmed',
    `Offset ${from} is no longer held; the log starts at ${logStart}.`,
    {
      hint: `Read from ${logStart}, or from=earliest.`,
      facts: { logStart },
    },
  )
}

/** The machine's decision as a receipt, or as the error that it is. */
function outcomeOf(result: AppliedBatch): AppendOutcome {
  switch (result.kind) {
    case 'appended':
      return {
        baseOffset: result.baseOffset,
        recordCount: result.recordCount,
        appendedAtMs: result.appendedAtMs,
        duplicate: false,
      }
    case 'duplicate':
      return {
        baseOffset: result.baseOffset,
        recordCount: result.recordCount,
        appendedAtMs: result.appendedAtMs,
        duplicate: true,
      }
    case 'fenced':
      throw new SynodError(
        'producer-fenced',
        `A producer with epoch ${result.currentEpoch} has taken over.`,
        {
          hint: 'Stop this producer, or start it anew with a higher Producer-Epoch.',
          facts: { currentEpoch: result.currentEpoch },
        },
      )
    case 'out-of-order':
      throw new SynodError(
        'sequence-gap',
        `The next Producer-Seq of this producer here is ${result.expectedSeq}.`,
        {
          hint: `Send the missing records first, from Producer-Seq ${result.expectedSeq}.`,
          facts: { expectedSeq: result.expectedSeq },
        },
      )
    case 'key-reused':
      throw new SynodError('idempotency-key-reused', 'This Idempotency-Key came with another body before.', {
        hint: 'Draw a new key for a new request; repeat a key only with the same body.',
      })
    case 'offset-mismatch':
      throw new SynodError('offset-mismatch', `The next offset is ${result.highWatermark}.`, {
        hint: `Read up to ${result.highWatermark}, then send again with Expected-Offset: ${result.highWatermark}.`,
        facts: { highWatermark: result.highWatermark },
      })
    case 'control':
      throw new SynodError('internal', 'The batch could not be read back.')
  }
}
