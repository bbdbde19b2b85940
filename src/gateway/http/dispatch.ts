import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { toProblem } from '../problem.ts'
import { Admission } from './admission.ts'
import { createAdmin } from './admin.ts'
import { callAdmin, checkJsonType } from './admin-call.ts'
import { sendProblem, setCommonHeaders } from './answer.ts'
import type { ProduceInput, ProduceParts } from './append.ts'
import { ClientGone, hasBody } from './body.ts'
import type { Body, BodyReader } from './body.ts'
import type { GatewayContext, RequestContext } from './context.ts'
import { admitOrigin, answerOptions } from './cors.ts'
import { handleEvents } from './events.ts'
import { handleIngest } from './ingest/ingest.ts'
import type { OriginRules } from './origin.ts'
import { OPERATIONS } from './operations/all.ts'
import { isPage, PAGE_METHODS, sendPage } from './pages.ts'
import { PartitionTurns } from './partition-choice.ts'
import { produceBatch } from './produce-batch.ts'
import { produceRecord } from './produce-record.ts'
import { parseQuery } from './query.ts'
import type { Query } from './query.ts'
import { readPage } from './read-page.ts'
import { readRecord } from './read-record.ts'
import { readTopic } from './read-topic.ts'
import { RouteTable } from './route-table.ts'
import type { Match } from './route-table.ts'
import { handleStream } from './stream.ts'
import { TopicCreator } from './topic-lookup.ts'

export const REQUEST_HEADERS_MAX = 64
const REQUEST_ID_PREFIX = randomBytes(6).toString('base64url')

const NO_PARAMS: readonly string[] = []

/** A request whose path is not understood yet. */
type Matching = Omit<RequestContext, 'params'> & { params: readonly string[] }

type Produce = (
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  input: ProduceInput,
) => Promise<void>
type Read = (
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  input: { readonly query: Query },
) => Promise<void>

/** Operations that bypass the framework: what is produced and read in bulk, where it costs more than the work itself. */
const PRODUCE: ReadonlyMap<string, Produce> = new Map([
  ['produceRecord', produceRecord],
  ['produceBatch', produceBatch],
])
const READ: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['readPage', readPage],
  ['readRecord', readRecord],
  ['readTopic', readTopic],
  [
    'followEvents',
    (request, response, context, { query }) => handleEvents(request, response, { context, query }),
  ],
  ['streamTopic', (request, response, context) => handleStream(request, response, context)],
  ['subscribeTopic', refuseWithoutUpgrade],
  ['openSession', refuseWithoutUpgrade],
])

/** Takes each request from its head to its answer. The one place that catches, so the one that shapes problems. */
export class Dispatcher {
  readonly #gateway: GatewayContext
  readonly #bodies: BodyReader
  readonly #table = new RouteTable(OPERATIONS)
  readonly #admin = createAdmin()
  readonly #parts: ProduceParts
  #requestCount = 0

  constructor(gateway: GatewayContext, bodies: BodyReader) {
    this.#gateway = gateway
    this.#bodies = bodies
    this.#parts = {
      creator: new TopicCreator(gateway),
      turns: new PartitionTurns(),
      admission: new Admission(gateway.options.storingBytesMax),
    }
  }

  newRequestId(): string {
    return `${REQUEST_ID_PREFIX}-${(++this.#requestCount).toString(36)}`
  }

  /** For those who produce without a request. */
  get produceParts(): ProduceParts {
    return this.#parts
  }

  get originRules(): OriginRules {
    const { cluster } = this.#gateway.ports
    const self = cluster.brokers().find((broker) => broker.id === cluster.broker)
    return { allowed: this.#gateway.options.allowedOrigins, publicUrl: self?.publicUrl }
  }

  /** `awaitsContinue`: the client wants to hear `100 Continue` before it sends its body. Never throws. */
  dispatch(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const requestId = this.newRequestId()
    const [path, search] = splitTarget(request.url ?? '/')
    const { ports, options, closing, answers, ingests } = this.#gateway
    const host = request.headers.host ?? 'localhost'
    // Written out: copies of whole objects were a twentieth of the leader's work.
    const context: Matching = {
      ports,
      options,
      closing,
      answers,
      ingests,
      requestId,
      path,
      search,
      params: NO_PARAMS,
      host,
    }
    if (this.#gateway.closing.aborted) response.shouldKeepAlive = false
    this.#handle(request, response, { context, awaitsContinue }).catch((error: unknown) => {
      this.fail(request, response, context, error)
    })
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
    { context, awaitsContinue }: { readonly context: Matching; readonly awaitsContinue: boolean },
  ): Promise<void> {
    if (request.rawHeaders.length > REQUEST_HEADERS_MAX * 2)
      throw new SynodError('headers-too-large', `The request has ${request.rawHeaders.length / 2} headers.`, {
        hint: `Send at most ${REQUEST_HEADERS_MAX}.`,
      })
    if (request.headers.host === undefined && request.httpVersion === '1.1')
      throw new SynodError('malformed-request', 'The request has no Host header.', {
        hint: 'HTTP/1.1 demands one: Host: localhost:8080.',
      })
    if (request.headers.origin !== undefined) admitOrigin(request, response, this.originRules)
    const method = request.method ?? 'GET'
    if (method === 'OPTIONS') {
      const methods = isPage(context.path) ? PAGE_METHODS : this.#table.methods(context.path)
      if (methods.length > 0) {
        setCommonHeaders(response, context)
        return answerOptions(request, response, methods)
      }
    }
    if (isPage(context.path)) {
      setCommonHeaders(response, context)
      return sendPage(request, response, context)
    }
    const match = this.#table.match(method, context.path)
    const isProduce = PRODUCE.has(match.route.operationId)
    if (!isProduce) setCommonHeaders(response, context)
    const query = parseQuery(context.search, match.route.queryNames)
    context.params = match.params
    const read = READ.get(match.route.operationId)
    if (read !== undefined) return read(request, response, context, { query })
    // Its body has no end, so it is not read before it is answered.
    if (match.route.operationId === 'ingestRecords')
      return handleIngest(request, response, context, { query, parts: this.#parts, awaitsContinue })
    const { admission } = this.#parts
    if (isProduce) admission.check(Number(request.headers['content-length'] ?? 0))
    const body = await this.#bodyOf(request, response, match, awaitsContinue)
    let storing = 0
    try {
      if (isProduce) storing = admission.enter(body?.bytes.length ?? 0)
      await this.#answer(request, response, { context, match, query, body: body?.bytes })
    } finally {
      admission.leave(storing)
      body?.release()
    }
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    call: {
      readonly context: RequestContext
      readonly match: Match
      readonly query: Query
      readonly body: Buffer | undefined
    },
  ): Promise<void> {
    const { context, query, body } = call
    const { route } = call.match
    const produce = PRODUCE.get(route.operationId)
    if (produce === undefined) return callAdmin(this.#admin, request, response, { context, route, body })
    if (route.operationId === 'produceBatch')
      checkJsonType(request.headers['content-type'], 'application/json')
    return produce(request, response, context, { query, body: body ?? Buffer.alloc(0), parts: this.#parts })
  }

  /** Undefined when the operation takes none: what comes all the same is not looked at. */
  async #bodyOf(
    request: IncomingMessage,
    response: ServerResponse,
    { route }: Match,
    awaitsContinue: boolean,
  ): Promise<Body | undefined> {
    if (route.operation.request?.body === undefined) return undefined
    if (!hasBody(request)) return { bytes: Buffer.alloc(0), release: () => undefined }
    const { options } = this.#gateway
    const isRecord = route.operationId === 'produceRecord'
    const isProduce = PRODUCE.has(route.operationId)
    const bytesMax = isRecord
      ? Math.min(options.recordBytesMax, options.requestBytesMax)
      : isProduce
        ? options.requestBytesMax
        : options.adminBytesMax
    const tooLarge = () =>
      new SynodError(
        isRecord ? 'record-too-large' : 'batch-too-large',
        `The body has more than ${bytesMax} bytes.`,
        {
          hint: isRecord
            ? 'Split the value, or keep it elsewhere and produce its address.'
            : 'Send fewer records in a request.',
          facts: { bytesMax },
        },
      )
    return this.#bodies.read(request, response, { bytesMax, tooLarge, awaitsContinue })
  }

  /** Answers with the problem, unless the client is gone or an answer has begun. */
  fail(request: IncomingMessage, response: ServerResponse, context: RequestContext, error: unknown): void {
    if (error instanceof ClientGone || response.destroyed) return
    if (!(error instanceof SynodError))
      this.#gateway.options.log.error(
        { error, requestId: context.requestId, path: context.path },
        'A request failed',
      )
    if (response.headersSent) return void response.destroy()
    setCommonHeaders(response, context)
    const isIdempotent =
      request.headers['idempotency-key'] !== undefined || request.headers['producer-id'] !== undefined
    const problem = toProblem(error, context.requestId, context.path, isIdempotent)
    if (Array.isArray(problem['allow'])) response.setHeader('Allow', problem['allow'].join(', '))
    if (problem.status === 426) response.setHeader('Upgrade', 'websocket')
    sendProblem(request, response, problem, this.#gateway.options)
  }
}

function refuseWithoutUpgrade(
  _request: IncomingMessage,
  _response: ServerResponse,
  context: RequestContext,
): Promise<void> {
  const url = `ws://${context.host}${context.path}`
  return Promise.reject(
    new SynodError('upgrade-required', 'This address speaks WebSocket; the request did not ask for it.', {
      hint: `wscat -c '${url}${context.params.length === 0 ? '' : '?from=earliest'}'`,
    }),
  )
}

/** Path and query of a request target, which may also be a whole address. */
function splitTarget(target: string): [path: string, search: string] {
  const local = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?#]*/i, '')
  const mark = local.indexOf('?')
  if (mark === -1) return [local === '' ? '/' : local, '']
  return [mark === 0 ? '/' : local.slice(0, mark), local.slice(mark + 1)]
}
