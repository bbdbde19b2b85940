import type { GroupId, Replica as ReplicaId } from '../types/ids.ts'
import { slot } from '../types/ids.ts'
import type { CommittedBatch } from '../types/record.ts'
import type { TopicConfig } from '../types/topic.ts'
import type { SynodError } from '../errors.ts'
import type { PaxosTuning } from '../paxos/options.ts'
import { DEFAULT_TUNING } from '../paxos/options.ts'
import { ENTRY_KIND, type Entry, type EntryKind, type RecoveredState } from '../paxos/state.ts'
import type { OffsetMark, Row } from '../storage/log-store.ts'
import { TrimmedSlotError } from '../storage/storage-errors.ts'
import { outcomeOf, type AppendOutcome } from './append-outcome.ts'
import { FullAcks } from './full-acks.ts'
import { joined } from './joining.ts'
import { offsetTrimmed, outOfRange } from './offset-errors.ts'
import { OwnLag } from './own-lag.ts'
import { committedBatch, peekBatch, setAppendedAt } from './record-batch.ts'
import { RecordMachine, type AppliedBatch } from './record-machine.ts'
import { Replica } from './replica.ts'
import type { ReplicaHost } from './replica-host.ts'
import { takeUpTo, type TailCache, type TailCacheView } from './tail-cache.ts'
import { Trimming } from './trimming.ts'
import { Waiters } from './waiters.ts'

export interface PartitionRead {
  readonly batches: readonly CommittedBatch[]
  readonly logStart: number
  readonly highWatermark: number
  /** The replica hears of no leader. */
  readonly isLeaderless?: boolean
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
  readonly logBytes: number
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
  readonly #fullAcks: FullAcks
  readonly #trimming: Trimming
  readonly #ownLag: OwnLag
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
    this.#toldHighWatermark = options.nextOffset
    const { clock } = options.host.loop
    this.#fullAcks = new FullAcks((run, delayMs) => clock.later(run, delayMs))
    this.replica = new Replica<AppliedBatch>({
      group: options.group,
      self: options.self,
      recovered: options.recovered,
      logBytes: options.logBytes,
      machine: this.#machine,
      tuning: tuningOf(options.config),
      host: options.host,
      listener: {
        join: joined,
        stamp: (body) => this.#stamp(body),
        applied: (entry, result) => this.#applied(entry, result),
        turnEnded: () => this.#turnEnded(),
        roleChanged: () => this.#options.onLeaderChange(),
        wasReset: () => this.#cache.clear(),
        dueMs: () => this.#trimming.dueMs,
      },
    })
    this.#ownLag = new OwnLag(this.replica.paxos, clock, tuningOf(options.config))
    const { config, wallMs } = options
    this.#trimming = new Trimming({ replica: this.replica, machine: this.#machine, config, clock, wallMs })
  }

  get highWatermark(): number {
    return this.#machine.nextOffset
  }

  /** The first offset that is still shown; the log may be held from further below. */
  get logStart(): number {
    return Math.max(this.replica.paxos.logStart.offset, this.#machine.shownFrom)
  }

  /** Whether this replica knows that it is later than MaxLag allows. */
  get isBeyondMaxLag(): boolean {
    return this.#ownLag.isBeyondMaxLag
  }

  configure(config: TopicConfig): void {
    this.replica.paxos.configure(tuningOf(config))
    this.#ownLag.configure(tuningOf(config))
    this.#trimming.configure(config)
    this.replica.wake()
  }

  /**
   * Stores an encoded batch in one slot, perhaps with others that came at the same time. `acks: 'all'` also waits until every replica that is in sync has it on disk.
   * Errors: as `Replica.propose`, 'topic-full', and what the machine decided.
   */
  async append(
    body: Uint8Array,
    options: { readonly acks: 'majority' | 'all'; readonly timeoutMs: number },
  ): Promise<AppendOutcome> {
    this.#trimming.checkRoom()
    const header = peekBatch(body)
    const value = { kind: ENTRY_KIND.DATA, recordCount: header.recordCount, body }
    if (options.acks === 'majority') return outcomeOf((await this.#propose(value, options.timeoutMs)).result)
    const { clock } = this.#options.host.loop
    const deadlineMs = clock.nowMs() + options.timeoutMs
    const place = this.#fullAcks.reserve()
    try {
      const { result, slot: at } = await this.#propose(value, options.timeoutMs)
      const outcome = outcomeOf(result)
      const isOnAll = place.wait(at, deadlineMs - clock.nowMs())
      this.#checkFullAcks()
      await isOnAll
      return outcome
    } finally {
      place.release()
    }
  }

  /** Committed batches from the one that holds `fromOffset`; waits for the first as long as `waitMs` says. */
  async read(bounds: ReadBounds): Promise<PartitionRead> {
    const from = bounds.fromOffset
    this.#checkHeld(from)
    if (from >= this.highWatermark && bounds.waitMs > 0)
      await this.#waitFor(from, bounds.waitMs, bounds.signal)
    if (this.#stopError !== undefined) throw this.#stopError
    const batches = from < this.highWatermark ? await this.#unlessStopped(() => this.#held(from, bounds)) : []
    return { batches, logStart: this.logStart, highWatermark: this.highWatermark }
  }

  /** The first offset appended at or after the time, or the high watermark. */
  async offsetAt(timeMs: number): Promise<number> {
    const mark = await this.#unlessTrimmed(() => this.#options.host.store.findTime(this.group, timeMs))
    if (mark === undefined) return this.highWatermark
    return Math.max(this.logStart, Math.min(mark.baseOffset, this.highWatermark))
  }

  /**
   * Where this replica leads: shows no records below `beforeOffset`, rounded down to where a batch begins, and returns the
   * first offset that is shown. The space comes back as far as a mark allows. Errors: as `Replica.propose`,
   * 'offset-out-of-range' beyond the high watermark.
   */
  async trim(beforeOffset: number, timeoutMs: number): Promise<number> {
    if (beforeOffset > this.highWatermark) throw outOfRange(beforeOffset, this.highWatermark)
    if (beforeOffset <= this.logStart) return this.logStart
    const bounds = { recordsMax: 1, bytesMax: 1 }
    const [holding] = beforeOffset < this.highWatermark ? await this.#held(beforeOffset, bounds) : []
    await this.#trimming.hide(holding?.baseOffset ?? beforeOffset, timeoutMs)
    return this.logStart
  }

  stop(error: SynodError): void {
    this.#stopError = error
    this.replica.stop(error)
    this.#waiters.wakeAll()
    this.#fullAcks.giveUp()
    this.#cache.clear()
  }

  /**
   * The leader's time, never before the last one in its log (architecture, 'Time'). What it took over is applied by then:
   * without a majority in sync, and so without having that chosen again, the core takes no proposal.
   */
  #stamp(body: Uint8Array): void {
    this.#stampedMs = Math.max(this.#stampedMs, this.#machine.lastAppendedAtMs, this.#options.wallMs())
    setAppendedAt(body, this.#stampedMs)
  }

  #propose(value: { kind: EntryKind; recordCount: number; body: Uint8Array }, timeoutMs: number) {
    const { kind, recordCount, body } = value
    return this.replica.propose({ kind, recordCount, body, timeoutMs })
  }

  /** A read that raced with the end of this partition finds its data gone: it ends with the reason for that. */
  async #unlessStopped<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw this.#stopError ?? error
    }
  }

  /** A log that was trimmed while it was read is read once more, from where it begins now, or not at all. */
  async #unlessTrimmed<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof TrimmedSlotError)) throw error
      return await read()
    }
  }

  #held(
    from: number,
    bounds: Pick<ReadBounds, 'recordsMax' | 'bytesMax'>,
  ): Promise<readonly CommittedBatch[]> {
    return this.#unlessTrimmed(() => {
      this.#checkHeld(from)
      return this.#batchesFrom(from, bounds)
    })
  }

  #checkHeld(from: number): void {
    if (from < this.logStart) throw offsetTrimmed(from, this.logStart)
  }

  #applied(entry: Entry, result: AppliedBatch): void {
    if (result.kind === 'appended') this.#cache.add(committedBatch(entry.body, result.baseOffset))
  }

  #turnEnded(): void {
    if (this.#fullAcks.count > 0) this.#checkFullAcks()
    this.#ownLag.observe()
    this.#trimming.turnEnded()
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

  async #batchesFrom(
    from: number,
    bounds: Pick<ReadBounds, 'recordsMax' | 'bytesMax'>,
  ): Promise<readonly CommittedBatch[]> {
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

  /** A voter that leaves the in-sync set releases the wait; a leader that steps down or stops can no longer tell. */
  #checkFullAcks(): void {
    if (!this.replica.isLeader || this.#stopError !== undefined) return this.#fullAcks.giveUp()
    const moment = this.#options.host.loop.clock.moment()
    const inSync = this.replica.paxos.progress(moment).filter((voter) => voter.inSync)
    this.#fullAcks.reached(Math.min(...inSync.map((voter) => voter.acceptedSlot)))
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
