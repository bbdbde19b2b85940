import { setMaxListeners } from 'node:events'
import type { Log, ReadResult } from '../ports.ts'
import type { CommittedBatch, StoredRecord } from '../../types/record.ts'
import type { Topic } from '../../types/topic.ts'
import { invariant } from '../../types/invariant.ts'
import { SynodError } from '../../errors.ts'
import { isPassing, retryDelayMs } from './retry.ts'
import type { Timers } from './timers.ts'

/** How long one read waits at the end of a partition; one pending read is all that an idle reader costs. */
const WAIT_MS = 20_000
/** An empty answer that comes earlier than this did not wait, and is not asked again at once. */
const EARLY_MS = 1_000
/** Partitions with records to catch up on that are read at the same time. */
const CATCH_UP_READS_MAX = 4
const RECORDS_MAX = 10_000
/** How often a reader of all partitions looks whether there are more. */
const GROWTH_CHECK_MS = 20_000

export interface FollowOptions {
  /** Per partition the offset before which to stop, always a high watermark; undefined: go on for ever. */
  readonly ends: ReadonlyMap<number, number> | undefined
  /** Batches of one partition in one chunk, beyond the first; and what may lie ready before anybody takes it. */
  readonly bytesMax: number
  readonly timers: Timers
  /** Gives up when no partition can be read for so long; undefined: never. */
  readonly patienceMs?: number
  /** Finds the topic anew, to read partitions that were added since; undefined: only those that were named. */
  readonly findTopic: ((name: string) => Promise<Topic | undefined>) | undefined
}

/** Records of one partition: those of the batches with offsets from `fromOffset` to below `nextOffset`. */
export interface Chunk {
  readonly partition: number
  readonly batches: readonly CommittedBatch[]
  readonly fromOffset: number
  readonly nextOffset: number
  readonly byteLength: number
}

/** The records of a chunk, which may begin and end inside a batch. */
export function recordsOf(chunk: Chunk): readonly StoredRecord[] {
  const { fromOffset, nextOffset } = chunk
  return chunk.batches.flatMap(({ baseOffset, recordCount, records }) =>
    baseOffset >= nextOffset || baseOffset + recordCount <= fromOffset
      ? []
      : records.slice(Math.max(0, fromOffset - baseOffset), nextOffset - baseOffset),
  )
}

/** A reader's cursor in one partition. */
interface Place {
  readonly partition: number
  readonly endOffset: number
  nextOffset: number
  failures: number
}

interface Ready {
  readonly place: Place
  readonly chunk: Chunk
  /** More was readable when this was read. */
  readonly isBehind: boolean
}

/**
 * Reads partitions of a topic for one consumer, who pulls: nothing is read before `next` asks for it, so a slow consumer
 * costs its cursors and no memory. Per partition no offset is skipped or repeated; partitions take turns, without any
 * order between them. Errors that pass (no leader, replica behind) are waited out here, as long as the patience lasts when
 * no partition can be read; others come out of `next`.
 */
export class TopicFollower {
  readonly #log: Log
  readonly #options: FollowOptions
  readonly #abort = new AbortController()
  readonly #cancelRests = new Set<() => void>()
  readonly #highWatermarks = new Map<number, number>()
  readonly #failing = new Set<Place>()
  /** Since when every open place has failed and somebody waits for records. */
  #unreadableSinceMs: number | undefined
  #topic: Topic
  #placeCount: number
  #openCount = 0
  #catchUpReads = 0
  #readyBytes = 0
  #grewAtMs: number
  /** Each open place is in one of these three, or being read, or resting after a failure. */
  #behind: Place[] = []
  #atTail: Place[] = []
  #ready: Ready[] = []
  #failure: { readonly error: unknown } | undefined
  #isStopped = false
  #wake: (() => void) | undefined

  /** `starts`: the next offset of each partition that is read. */
  constructor(log: Log, topic: Topic, starts: ReadonlyMap<number, number>, options: FollowOptions) {
    invariant(starts.size > 0, 'A follower reads at least one partition.')
    invariant(options.bytesMax >= 1, 'A chunk has room for a byte.')
    this.#log = log
    this.#topic = topic
    this.#options = options
    this.#placeCount = starts.size
    this.#grewAtMs = options.timers.nowMs()
    // Every pending read listens on the one signal, so the usual limit of listeners does not mean a leak here.
    setMaxListeners(0, this.#abort.signal)
    for (const [partition, nextOffset] of starts) this.#open(partition, nextOffset)
  }

  /** Where each partition that was read ended then. */
  get highWatermarks(): ReadonlyMap<number, number> {
    return this.#highWatermarks
  }

  /** The next records of some partition; undefined at the end or after `stop`. One call at a time. */
  async next(): Promise<Chunk | undefined> {
    invariant(this.#wake === undefined, 'A follower has one consumer.')
    // Nobody asked meanwhile, so nothing is known of that time.
    this.#unreadableSinceMs = undefined
    for (;;) {
      if (this.#isStopped) return undefined
      const chunk = this.#take()
      if (chunk !== undefined) return chunk
      if (this.#failure !== undefined) {
        const { error } = this.#failure
        this.stop()
        throw error
      }
      if (this.#openCount === 0) return undefined
      this.#startReads()
      this.#lookForGrowth()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Ends all reading at once; a waiting `next` answers undefined. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#abort.abort()
    for (const cancel of this.#cancelRests) cancel()
    this.#cancelRests.clear()
    this.#behind = []
    this.#atTail = []
    this.#ready = []
    this.#wakeUp()
  }

  #open(partition: number, nextOffset: number): void {
    const endOffset = this.#options.ends?.get(partition) ?? Number.POSITIVE_INFINITY
    if (nextOffset >= endOffset) return
    this.#openCount++
    this.#behind.push({ partition, endOffset, nextOffset, failures: 0 })
  }

  #take(): Chunk | undefined {
    const ready = this.#ready.shift()
    if (ready === undefined) return undefined
    const { place, chunk } = ready
    invariant(chunk.fromOffset === place.nextOffset, 'A chunk begins where the one before ended.')
    invariant(chunk.nextOffset > chunk.fromOffset, 'A chunk holds records.')
    this.#readyBytes -= chunk.byteLength
    place.nextOffset = chunk.nextOffset
    if (place.nextOffset >= place.endOffset) this.#openCount--
    else if (ready.isBehind) this.#behind.push(place)
    else this.#atTail.push(place)
    return chunk
  }

  /**
   * Partitions at their end wait for records all at once; those that are behind are read few at a time, in turns, and
   * without waiting, so that none keeps the others from being read. A partition that is alone just waits.
   */
  #startReads(): void {
    for (const place of this.#atTail.splice(0)) void this.#read(place, true)
    const isAlone = this.#placeCount === 1
    while (this.#behind.length > 0 && this.#catchUpReads < CATCH_UP_READS_MAX) {
      const place = this.#behind.shift()
      if (place === undefined) break
      void this.#read(place, isAlone)
    }
  }

  async #read(place: Place, waits: boolean): Promise<void> {
    const startedAtMs = this.#options.timers.nowMs()
    if (!waits) this.#catchUpReads++
    try {
      const result = await this.#log.read({
        topic: this.#topic,
        partition: place.partition,
        fromOffset: place.nextOffset,
        recordsMax: RECORDS_MAX,
        bytesMax: this.#options.bytesMax,
        waitMs: waits ? WAIT_MS : 0,
        signal: this.#abort.signal,
      })
      if (!this.#isStopped) this.#keep(place, result, { waits, startedAtMs })
    } catch (error) {
      if (!this.#isStopped) this.#onError(place, error)
    } finally {
      if (!waits) this.#catchUpReads--
      this.#wakeUp()
    }
  }

  #keep(
    place: Place,
    result: ReadResult,
    how: { readonly waits: boolean; readonly startedAtMs: number },
  ): void {
    const chunk = chunkFrom(place, result.batches)
    if (chunk === undefined && result.isLeaderless === true && this.#options.patienceMs !== undefined) {
      this.#onError(place, noLeader(place.partition))
      return
    }
    place.failures = 0
    this.#failing.delete(place)
    this.#unreadableSinceMs = undefined
    this.#highWatermarks.set(place.partition, result.highWatermark)
    if (chunk === undefined) {
      const tookMs = this.#options.timers.nowMs() - how.startedAtMs
      if (how.waits && tookMs < EARLY_MS) this.#rest(place, retryDelayMs(1))
      else this.#atTail.push(place)
      return
    }
    // Many partitions may wake for a consumer who is not taking: what has no room is read again when its turn comes.
    if (this.#ready.length > 0 && this.#readyBytes + chunk.byteLength > this.#options.bytesMax) {
      this.#behind.push(place)
      return
    }
    this.#readyBytes += chunk.byteLength
    this.#ready.push({ place, chunk, isBehind: chunk.nextOffset < result.highWatermark })
  }

  #onError(place: Place, error: unknown): void {
    if (!isPassing(error)) {
      this.#failure ??= { error }
      return
    }
    place.failures++
    this.#failing.add(place)
    if (this.#isGivenUp()) this.#failure ??= { error }
    else this.#rest(place, retryDelayMs(place.failures))
  }

  /** One partition that can be read, or that waits at its end, is reason enough to stay. */
  #isGivenUp(): boolean {
    const { patienceMs, timers } = this.#options
    if (patienceMs === undefined || this.#failing.size < this.#openCount) return false
    const nowMs = timers.nowMs()
    this.#unreadableSinceMs ??= nowMs
    return nowMs - this.#unreadableSinceMs >= patienceMs
  }

  #rest(place: Place, delayMs: number): void {
    const cancel = this.#options.timers.after(delayMs, () => {
      this.#cancelRests.delete(cancel)
      this.#behind.push(place)
      this.#wakeUp()
    })
    this.#cancelRests.add(cancel)
  }

  /** A partition that is added later is empty then, so reading it from 0 skips nothing, however late it is noticed. */
  #lookForGrowth(): void {
    const nowMs = this.#options.timers.nowMs()
    const { findTopic } = this.#options
    if (findTopic === undefined || nowMs - this.#grewAtMs < GROWTH_CHECK_MS) return
    this.#grewAtMs = nowMs
    findTopic(this.#topic.name).then(
      (topic) => this.#grow(topic),
      // Not finding it now is no reason to end: the reads themselves tell when the topic is gone.
      () => undefined,
    )
  }

  #grow(topic: Topic | undefined): void {
    if (this.#isStopped || topic === undefined || topic.id !== this.#topic.id) return
    if (topic.partitions.length <= this.#placeCount) return
    for (const { partition } of topic.partitions.slice(this.#placeCount)) this.#open(partition, 0)
    this.#placeCount = topic.partitions.length
    this.#topic = topic
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

function noLeader(partition: number): SynodError {
  return new SynodError('no-leader', `This broker hears of no leader of partition ${partition}.`)
}

/** What of the batches is new at this place. A high watermark never falls inside a batch, so an end needs no cutting. */
function chunkFrom(place: Place, batches: readonly CommittedBatch[]): Chunk | undefined {
  let nextOffset = place.nextOffset
  let byteLength = 0
  const wanted: CommittedBatch[] = []
  for (const batch of batches) {
    const batchEnd = batch.baseOffset + batch.recordCount
    if (batchEnd <= nextOffset) continue
    if (batch.baseOffset >= place.endOffset) break
    invariant(
      batch.baseOffset <= nextOffset,
      `Offsets ${nextOffset} to ${batch.baseOffset} are missing from a read.`,
    )
    wanted.push(batch)
    nextOffset = batchEnd
    byteLength += batch.byteLength
  }
  if (wanted.length === 0) return undefined
  return { partition: place.partition, batches: wanted, fromOffset: place.nextOffset, nextOffset, byteLength }
}
