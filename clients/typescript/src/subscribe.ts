import { backoffMs, Brokers, pause } from './brokers.ts'
import type { Credit, ServerFrame } from './frames.ts'
import { NoAnswer, SynodProblem } from './problem.ts'
import type { SynodRecord } from './records.ts'
import { RecordSession, type RecordsFrame, type WebSocketConstructor } from './session.ts'

export interface SubscribeOptions {
  /** Of any brokers of the cluster; the first is tried first. */
  readonly urls: string | readonly string[]
  readonly topic: string
  /**
   * Where to begin: 'earliest' (the default here), 'latest', '-10', 'time:2026-01-31T12:00:00Z', or the next offset of each
   * partition, {0: 17, 1: 12}; partitions that are left out begin at their earliest record.
   */
  readonly from?: string | Readonly<Record<number, number>> | undefined
  /** Only this one. */
  readonly partition?: number | undefined
  /** What the brokers may send before the loop has taken it: all that ever waits here. 2,000 records, 2 MiB. */
  readonly credit?: Credit | undefined
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
  /** The WebSocket of `ws`, where there is no global one (Node 20). */
  readonly WebSocket?: WebSocketConstructor | undefined
  readonly fetch?: typeof fetch | undefined
  /** After so long without a word of the broker it is asked whether it is there; 20 s. */
  readonly silenceMs?: number | undefined
  /** Called with the URL of its broker whenever a subscription has begun. */
  readonly onOpen?: ((url: string) => void) | undefined
}

const CREDIT: Credit = { records: 2_000, bytes: 2 * 1_024 * 1_024 }
const SILENCE_MS = 20_000
const ASK_MS = 10_000
/** A broker that is there answers what is asked here well within this. */
const TRY_MS = 3_000

/**
 * The records of a topic, each exactly once and in order within its partition, for as long as the loop runs: when a
 * connection breaks it goes on at another broker, at the very next offsets. Throws SynodProblem when there is nothing
 * to go on with: the topic is not there or was made anew, the next record is trimmed, the request is wrong.
 *
 * To resume after a restart, keep `record.offset + 1` of each `record.partition` and give it as `from`.
 */
export async function* subscribe(options: SubscribeOptions): AsyncGenerator<SynodRecord, void, void> {
  const subscription = new Subscription(options)
  try {
    for (;;) {
      const frame = await subscription.nextFrame()
      if (frame === undefined) return
      for (const [index, record] of frame.records.entries()) {
        if (subscription.accept(record)) yield record
        if (options.signal?.aborted === true) return
        subscription.done(frame.sizesBytes[index] ?? 0)
      }
      subscription.finish(frame)
    }
  } finally {
    subscription.close()
  }
}

class Subscription {
  readonly #options: SubscribeOptions
  readonly #brokers: Brokers
  readonly #WebSocket: WebSocketConstructor
  readonly #onAbort = (): void => this.close()
  /** Next offsets, as far as they are known. */
  readonly #next = new Map<number, number>()
  /** The place after the last frame that was given out whole. */
  #cursor: string | undefined
  #session: RecordSession | undefined
  #failures = 0

  constructor(options: SubscribeOptions) {
    this.#options = options
    this.#brokers = new Brokers(options.urls, { fetch: options.fetch, tryMs: TRY_MS })
    const constructor = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
    if (constructor === undefined)
      throw new TypeError('There is no WebSocket here: give that of the package `ws` as an option.')
    this.#WebSocket = constructor
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  /** The next frame, over as many sessions as it takes; undefined when the signal has aborted. */
  async nextFrame(): Promise<RecordsFrame | undefined> {
    for (;;) {
      if (this.#isAborted()) return undefined
      this.#session ??= this.#open()
      const frame = await this.#session.next(this.#options.silenceMs ?? SILENCE_MS)
      if (this.#isAborted()) return undefined
      if (!('kind' in frame)) return frame
      if (frame.kind === 'failed' && !isWorthAnother(frame.error)) throw frame.error
      if (frame.kind === 'never-open') await this.#askWhyRefused()
      await this.#moveOn()
    }
  }

  /** True if the record is the one that is due. What came before is dropped, and a gap is never passed on. */
  accept({ partition, offset }: SynodRecord): boolean {
    const due = this.#next.get(partition) ?? offset
    if (offset < due) return false
    if (offset > due) throw new Error(`Record ${offset} of partition ${partition} came, and ${due} is due.`)
    this.#next.set(partition, offset + 1)
    this.#failures = 0
    return true
  }

  /** The loop has had the record. */
  done(sizeBytes: number): void {
    this.#session?.done(sizeBytes)
  }

  /** The loop has had the whole frame. */
  finish({ cursor }: RecordsFrame): void {
    this.#cursor = cursor
  }

  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#session?.drop()
  }

  #open(): RecordSession {
    const { topic, partition, credit = CREDIT, onOpen } = this.#options
    const url = this.#brokers.current
    return new RecordSession({
      url,
      WebSocket: this.#WebSocket,
      topic,
      ...(partition === undefined ? {} : { partitions: [partition] }),
      start: this.#cursor === undefined ? { from: this.#from() } : { cursor: this.#cursor },
      credit,
      onSubscribed: (frame) => {
        this.#begin(frame)
        onOpen?.(url)
      },
    })
  }

  /** What 'latest' or a time means is settled once, so that it means the same after every break. */
  #begin({ cursor, positions }: Extract<ServerFrame, { type: 'subscribed' }>): void {
    if (this.#cursor !== undefined) return
    this.#cursor = cursor
    for (const { partition, nextOffset } of positions) this.#next.set(partition, nextOffset)
  }

  #from(): string {
    const from = this.#options.from ?? 'earliest'
    if (typeof from === 'string') return from
    const places = Object.entries(from).map(([partition, offset]) => `${partition}@${offset}`)
    return places.length === 0 ? 'earliest' : places.join(',')
  }

  /** A browser hides why a handshake was refused; a plain request is refused for the same reason. */
  async #askWhyRefused(): Promise<void> {
    const path = `/v1/topics/${encodeURIComponent(this.#options.topic)}`
    const { signal } = this.#options
    try {
      await this.#brokers.request({ method: 'GET', path, isRepeatable: true, timeoutMs: ASK_MS, signal })
    } catch (error) {
      if (!this.#isAborted() && !isWorthAnother(error)) throw error
    }
  }

  async #moveOn(): Promise<void> {
    this.#session?.drop()
    this.#session = undefined
    this.#brokers.moveOn()
    this.#failures++
    await pause(backoffMs(this.#failures), this.#options.signal).catch(() => undefined)
  }

  #isAborted(): boolean {
    return this.#options.signal?.aborted === true
  }
}

/** A subscriber waits as long as it takes for brokers that are away; only what will not pass ends it. */
function isWorthAnother(error: unknown): boolean {
  return (
    error instanceof NoAnswer ||
    (error instanceof SynodProblem && (error.problem.retryable || error.problem.status >= 500))
  )
}
