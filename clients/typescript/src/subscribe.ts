import { backoffMs, Brokers, pause } from './brokers.ts'
import { NoAnswer, SynodProblem } from './problem.ts'
import type { SynodRecord } from './records.ts'
import { RecordSocket, type WebSocketConstructor } from './socket.ts'

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
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
  /** The WebSocket of `ws`, where there is no global one (Node 20). */
  readonly WebSocket?: WebSocketConstructor | undefined
  readonly fetch?: typeof fetch | undefined
  /** After so long without a record the brokers are asked whether some are missing; 30 s. */
  readonly silenceMs?: number | undefined
  /** Called at each connection with the URL of its broker. */
  readonly onOpen?: ((url: string) => void) | undefined
}

const SILENCE_MS = 30_000
const ASK_MS = 10_000
/** A broker that is there answers what is asked here well within this. */
const TRY_MS = 3_000
const FRAME_RECORDS = 500

interface TopicFacts {
  readonly id: string
  readonly partitions: readonly {
    readonly partition: number
    readonly logStart?: number
    readonly highWatermark?: number
  }[]
}

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
      const records = await subscription.nextRecords()
      if (records === undefined) return
      for (const record of records) {
        if (subscription.accept(record)) yield record
        if (options.signal?.aborted === true) return
      }
    }
  } finally {
    subscription.close()
  }
}

class Subscription {
  readonly #options: SubscribeOptions
  readonly #brokers: Brokers
  readonly #path: string
  readonly #WebSocket: WebSocketConstructor
  readonly #onAbort = (): void => this.close()
  /** Next offsets; complete from the start, or else what is not here begins at its earliest record. */
  readonly #next = new Map<number, number>()
  #from: string | undefined
  #topicId: string | undefined
  #socket: RecordSocket | undefined
  #failures = 0

  constructor(options: SubscribeOptions) {
    this.#options = options
    this.#brokers = new Brokers(options.urls, { fetch: options.fetch, tryMs: TRY_MS })
    this.#path = `/v1/topics/${encodeURIComponent(options.topic)}`
    const constructor = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
    if (constructor === undefined)
      throw new TypeError('There is no WebSocket here: give that of the package `ws` as an option.')
    this.#WebSocket = constructor
    const from = options.from ?? 'earliest'
    if (typeof from === 'string') this.#from = from
    else for (const [partition, offset] of Object.entries(from)) this.#next.set(Number(partition), offset)
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  /** The records of the next frame, over as many connections as it takes; undefined when the signal has aborted. */
  async nextRecords(): Promise<readonly SynodRecord[] | undefined> {
    for (;;) {
      if (this.#isAborted()) return undefined
      try {
        this.#socket ??= await this.#connect()
        if (this.#isAborted()) return undefined
        const records = await this.#receive(this.#socket)
        if (records !== undefined) return records
      } catch (error) {
        if (this.#isAborted()) return undefined
        if (!isWorthAnother(error)) throw error
        await this.#moveOn()
      }
    }
  }

  /** True if the record is the one that is due. What came before is dropped, and a gap is never passed on. */
  accept(record: SynodRecord): boolean {
    const due = this.#next.get(record.partition)
    if (due !== undefined && record.offset < due) return false
    if (due !== undefined && record.offset > due) {
      this.#dropSocket()
      return false
    }
    this.#next.set(record.partition, record.offset + 1)
    this.#failures = 0
    return true
  }

  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#dropSocket()
  }

  async #connect(): Promise<RecordSocket> {
    const facts = await this.#askTopic()
    this.#topicId ??= facts.id
    if (facts.id !== this.#topicId) throw madeAnew(this.#options.topic)
    await this.#fixStart(facts)
    const url = this.#brokers.current
    return new RecordSocket(
      `${url.replace(/^http/, 'ws')}${this.#path}/subscribe?${this.#query().toString()}`,
      this.#WebSocket,
      () => {
        this.#options.onOpen?.(url)
      },
    )
  }

  /** What 'latest' or a time means is asked once, so that it means the same after every break. */
  async #fixStart(facts: TopicFacts): Promise<void> {
    const from = this.#from
    if (from === undefined || from === 'earliest') return
    const partitions =
      this.#options.partition === undefined
        ? facts.partitions.map(({ partition }) => partition)
        : [this.#options.partition]
    const starts = new Map<number, number>()
    for (const partition of partitions) {
      const answer = await this.#ask(
        `${this.#path}/partitions/${partition}/offsets?at=${encodeURIComponent(from)}`,
      )
      starts.set(partition, ((await answer.json()) as { offset: number }).offset)
    }
    for (const [partition, offset] of starts) this.#next.set(partition, offset)
    this.#from = undefined
  }

  #query(): URLSearchParams {
    const { partition } = this.#options
    const places = [...this.#next].map(([each, offset]) => `${each}@${offset}`).join(',')
    const query = new URLSearchParams({
      from: places === '' ? 'earliest' : places,
      batch: String(FRAME_RECORDS),
    })
    if (partition !== undefined) query.set('partition', String(partition))
    return query
  }

  async #receive(socket: RecordSocket): Promise<readonly SynodRecord[] | undefined> {
    const frame = await socket.next(this.#options.silenceMs ?? SILENCE_MS)
    if (frame === undefined) {
      await this.#checkSilence()
      return undefined
    }
    if (!('kind' in frame)) return frame
    this.#socket = undefined
    if (frame.kind === 'final') throw frame.error
    if (frame.kind === 'never-open') await this.#askWhyRefused()
    await this.#moveOn()
    return undefined
  }

  /** A browser neither sees pings nor learns that the other side is gone. Records that are there and don't come tell it. */
  async #checkSilence(): Promise<void> {
    const facts = await this.#askTopic()
    const isMissing = facts.partitions.some(
      ({ partition, logStart = 0, highWatermark = 0 }) =>
        (this.#options.partition ?? partition) === partition &&
        highWatermark > (this.#next.get(partition) ?? logStart),
    )
    if (isMissing || facts.id !== this.#topicId) await this.#moveOn()
  }

  /** A browser hides why a handshake was refused; the same query as a plain stream is refused for the same reason. */
  async #askWhyRefused(): Promise<void> {
    const query = this.#query()
    query.delete('batch')
    await this.#ask(`${this.#path}/stream?${query.toString()}`, { isBodyWanted: false })
  }

  async #askTopic(): Promise<TopicFacts> {
    const answer = await this.#ask(this.#path)
    return (await answer.json()) as TopicFacts
  }

  #ask(path: string, more: { readonly isBodyWanted?: boolean } = {}): Promise<Response> {
    const { signal } = this.#options
    return this.#brokers.request({
      method: 'GET',
      path,
      isRepeatable: true,
      timeoutMs: ASK_MS,
      signal,
      ...more,
    })
  }

  async #moveOn(): Promise<void> {
    this.#dropSocket()
    this.#brokers.moveOn()
    this.#failures++
    await pause(backoffMs(this.#failures), this.#options.signal).catch(() => undefined)
  }

  #dropSocket(): void {
    this.#socket?.drop()
    this.#socket = undefined
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

function madeAnew(topic: string): SynodProblem {
  return new SynodProblem({
    code: 'topic-deleted',
    status: 410,
    title: 'The topic was deleted',
    detail: `The topic '${topic}' was deleted and made anew.`,
    hint: 'Subscribe again from the earliest record.',
    retryable: false,
    sideEffects: 'none',
    requestId: '',
  })
}
