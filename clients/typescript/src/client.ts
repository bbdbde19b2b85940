import { Brokers } from './brokers.ts'
import type { Receipt, RecordInput, SynodRecord } from './records.ts'
import type { WebSocketConstructor } from './socket.ts'
import { subscribe, type SubscribeOptions } from './subscribe.ts'

export { NoAnswer, SynodProblem, type Problem } from './problem.ts'
export type { Receipt, RecordInput, SynodRecord } from './records.ts'
export type { WebSocketConstructor, WebSocketLike } from './socket.ts'
export { subscribe, type SubscribeOptions } from './subscribe.ts'

export interface ClientOptions {
  readonly fetch?: typeof fetch | undefined
  /** The WebSocket of `ws`, where there is no global one (Node 20). */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** One try of one broker; 10 s. */
  readonly tryMs?: number | undefined
}

export interface CallOptions {
  /** All tries together; 30 s. Well within the time that idempotency keys are remembered. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ProduceOptions extends CallOptions {
  /** Drawn if left out. The same key for the same records, also after a restart, stores them once. */
  readonly idempotencyKey?: string | undefined
  /** 'all': wait for every replica that is in sync, too. */
  readonly acks?: 'majority' | 'all' | undefined
}

export interface TopicSpec {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, unknown>>
}

export interface SynodClient {
  /** Creates the topic, or makes sure that it is as asked for. */
  createTopic(topic: string, spec?: TopicSpec, options?: CallOptions): Promise<void>
  /**
   * Stores the records, at most 1,000, and resolves when a majority has them on disk: a receipt each, in their order. Tried
   * again, at other brokers too, under one idempotency key as long as that may help, so that they are stored once.
   * Rejects with SynodProblem or NoAnswer, whose `sideEffects` of 'possible' or NoAnswer means: maybe stored.
   */
  produce(
    topic: string,
    records: readonly RecordInput[],
    options?: ProduceOptions,
  ): Promise<readonly Receipt[]>
  /** See `subscribe`. */
  subscribe(
    topic: string,
    options?: Omit<SubscribeOptions, 'urls' | 'topic'>,
  ): AsyncGenerator<SynodRecord, void, void>
  /** Any other call that only reads, answered by any broker; rejects with SynodProblem for a status from 400 on. */
  get(path: string, options?: CallOptions): Promise<unknown>
}

const CALL_MS = 30_000
const JSON_HEADERS = { 'content-type': 'application/json' }

/** `urls`: of any brokers of the cluster, like http://localhost:8080. */
export function createSynodClient(
  urls: string | readonly string[],
  options: ClientOptions = {},
): SynodClient {
  const brokers = new Brokers(urls, options)
  const { fetch, WebSocket } = options
  return {
    async createTopic(topic, spec = {}, { timeoutMs = CALL_MS, signal } = {}) {
      const [path, body] = [pathOf(topic), JSON.stringify(spec)]
      await brokers.request({
        method: 'PUT',
        path,
        headers: JSON_HEADERS,
        body,
        isRepeatable: true,
        timeoutMs,
        signal,
      })
    },
    async produce(topic, records, { idempotencyKey = drawKey(), acks, timeoutMs = CALL_MS, signal } = {}) {
      const answer = await brokers.request({
        method: 'POST',
        path: `${pathOf(topic)}/batches${acks === undefined ? '' : `?acks=${acks}`}`,
        headers: { ...JSON_HEADERS, 'idempotency-key': idempotencyKey },
        body: JSON.stringify({ records }),
        isRepeatable: true,
        timeoutMs,
        signal,
      })
      return ((await answer.json()) as { results: readonly Receipt[] }).results
    },
    subscribe: (topic, more = {}) => subscribe({ fetch, WebSocket, ...more, urls, topic }),
    async get(path, { timeoutMs = CALL_MS, signal } = {}) {
      const answer = await brokers.request({ method: 'GET', path, isRepeatable: true, timeoutMs, signal })
      return (await answer.json()) as unknown
    },
  }
}

function pathOf(topic: string): string {
  return `/v1/topics/${encodeURIComponent(topic)}`
}

/** Not crypto.randomUUID, which pages over plain HTTP don't have. */
function drawKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
