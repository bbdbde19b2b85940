import { Brokers, type BrokerRequest } from './brokers.ts'
import { placesOf, type Receipt, type RecordInput, type RecordPage, type SynodRecord } from './records.ts'
import type { WebSocketConstructor } from './session.ts'
import { stream } from './stream.ts'
import { subscribe, type SubscribeOptions } from './subscribe.ts'

export type { Credit } from './frames.ts'
export { NoAnswer, SynodProblem, type Problem } from './problem.ts'
export { bytesOf, type Receipt, type RecordInput, type RecordPage, type SynodRecord } from './records.ts'
export type { WebSocketConstructor, WebSocketLike } from './session.ts'
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
  /** How often the call is sent at most; 1 sends it once, whatever comes of it. */
  readonly triesMax?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ProduceOptions extends CallOptions {
  /** Drawn if left out. The same key for the same records, also after a restart, stores them once. */
  readonly idempotencyKey?: string | undefined
  /** 'all': wait for every replica that is in sync, too. */
  readonly acks?: 'majority' | 'all' | undefined
  /** Stored only if the next offset is this one, else `offset-mismatch`; the records must name one partition. */
  readonly expectedOffset?: number | undefined
}

export interface ProduceBytesOptions extends ProduceOptions {
  readonly key?: string | undefined
  readonly partition?: number | undefined
  readonly contentType?: string | undefined
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface ReadOptions extends CallOptions {
  /** Receipts of records that the answer must know of, on whatever broker. */
  readonly readAfter?: readonly Receipt[] | undefined
}

export interface PageOptions extends ReadOptions {
  /** Where to begin; the earliest record if neither this nor a cursor is given. */
  readonly from?: string | undefined
  /** That of the page before. */
  readonly cursor?: string | undefined
  /** At most 1,000; 100 if left out. */
  readonly limit?: number | undefined
}

export interface StreamOptions extends ReadOptions {
  /** The earliest record if left out. */
  readonly from?: string | undefined
  readonly partition?: number | undefined
  /** False, which is the default: it ends at what is readable when it begins. */
  readonly follow?: boolean | undefined
}

export interface TopicSpec {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, unknown>>
}

/** Every call rejects with SynodProblem for what a broker answered, and with NoAnswer when none did. */
export interface SynodClient {
  /** Creates the topic, or makes sure that it is as asked for. */
  createTopic(topic: string, spec?: TopicSpec, options?: CallOptions): Promise<void>
  /**
   * Stores the records, at most 1,000, and resolves when a majority has them on disk: a receipt each, in their order. Tried
   * again, at other brokers too, under one idempotency key as long as that may help, so that they are stored once.
   * After a SynodProblem whose `sideEffects` are 'possible', or NoAnswer, they may be stored.
   */
  produce(
    topic: string,
    records: readonly RecordInput[],
    options?: ProduceOptions,
  ): Promise<readonly Receipt[]>
  /** The same for one record that is these bytes. */
  produceBytes(topic: string, value: Uint8Array, options?: ProduceBytesOptions): Promise<Receipt>
  /** The value of one record as the bytes that it is. A tombstone has none. */
  readBytes(topic: string, partition: number, offset: number, options?: ReadOptions): Promise<Uint8Array>
  /** One page of all partitions. */
  readPage(topic: string, options?: PageOptions): Promise<RecordPage>
  /**
   * What is there now, or with `follow` also what comes, over one HTTP connection. It does not go on by itself when that
   * breaks (NoAnswer): `subscribe` does.
   */
  stream(topic: string, options?: StreamOptions): AsyncGenerator<SynodRecord, void, void>
  /** See `subscribe`. */
  subscribe(
    topic: string,
    options?: Omit<SubscribeOptions, 'urls' | 'topic'>,
  ): AsyncGenerator<SynodRecord, void, void>
  /** Any other call that only reads, answered by any broker. */
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
  /** All that the client sends does no harm when it is sent twice: it only reads, sets, or has an idempotency key. */
  const send = (
    request: Pick<BrokerRequest, 'method' | 'path' | 'headers' | 'body'>,
    { timeoutMs = CALL_MS, triesMax, signal }: CallOptions,
  ): Promise<Response> => brokers.request({ ...request, isRepeatable: true, timeoutMs, triesMax, signal })
  return {
    async createTopic(topic, spec = {}, more = {}) {
      await send({ method: 'PUT', path: pathOf(topic), headers: JSON_HEADERS, body: JSON.stringify(spec) }, more)
    },
    async produce(topic, records, more = {}) {
      const path = `${pathOf(topic)}/batches${queryOf({ acks: more.acks })}`
      const headers = { ...JSON_HEADERS, ...produceHeaders(more) }
      const answer = await send({ method: 'POST', path, headers, body: JSON.stringify({ records }) }, more)
      return ((await answer.json()) as { results: readonly Receipt[] }).results
    },
    async produceBytes(topic, value, more = {}) {
      const { key, partition, acks, contentType = 'application/octet-stream' } = more
      const path = `${pathOf(topic)}/records${queryOf({ key, partition, acks })}`
      const named = Object.entries(more.headers ?? {}).map(([name, text]) => [`record-header-${name}`, text])
      const headers = { ...Object.fromEntries(named), ...produceHeaders(more), 'content-type': contentType }
      // A copy, so that every try sends the same, whatever the caller does with its own.
      const answer = await send({ method: 'POST', path, headers, body: new Uint8Array(value) }, more)
      return (await answer.json()) as Receipt
    },
    async readBytes(topic, partition, offset, more = {}) {
      const path = `${pathOf(topic)}/partitions/${partition}/records/${offset}`
      const answer = await send({ method: 'GET', path, headers: readHeaders(more) }, more)
      return new Uint8Array(await answer.arrayBuffer())
    },
    async readPage(topic, more = {}) {
      const { from, cursor, limit } = more
      const path = `${pathOf(topic)}/records${queryOf({ from, cursor, limit })}`
      const answer = await send({ method: 'GET', path, headers: readHeaders(more) }, more)
      return (await answer.json()) as RecordPage
    },
    stream(topic, more = {}) {
      const { from = 'earliest', partition, follow = false, timeoutMs = CALL_MS, signal } = more
      const path = `${pathOf(topic)}/stream${queryOf({ from, partition, follow })}`
      return stream(brokers, { path, headers: readHeaders(more), timeoutMs, signal })
    },
    subscribe: (topic, more = {}) => subscribe({ fetch, WebSocket, ...more, urls, topic }),
    async get(path, more = {}) {
      return (await (await send({ method: 'GET', path }, more)).json()) as unknown
    },
  }
}

function pathOf(topic: string): string {
  return `/v1/topics/${encodeURIComponent(topic)}`
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value))
  return query.size === 0 ? '' : `?${query.toString()}`
}

function produceHeaders({ idempotencyKey = drawKey(), expectedOffset }: ProduceOptions): Record<string, string> {
  return {
    'idempotency-key': idempotencyKey,
    ...(expectedOffset === undefined ? {} : { 'expected-offset': String(expectedOffset) }),
  }
}

function readHeaders({ readAfter = [] }: ReadOptions): Record<string, string> {
  return readAfter.length === 0 ? {} : { 'read-after': placesOf(readAfter) }
}

/** Not crypto.randomUUID, which pages over plain HTTP don't have. */
function drawKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
