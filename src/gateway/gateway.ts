import { createServer } from 'node:http'
import type { ServerOptions } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

import { invariant } from '../types/invariant.ts'
import { BodyReader } from './http/body.ts'
import { ByteBudget } from './http/byte-budget.ts'
import { answerConnectionError, ConnectionWatch, withdrawUpgrade } from './http/connection.ts'
import type { ConnectionErrorParts } from './http/connection.ts'
import type { GatewayContext } from './http/context.ts'
import { Dispatcher, REQUEST_HEADERS_MAX } from './http/dispatch.ts'
import { isOriginAllowed } from './http/origin.ts'
import { DEFAULT_GATEWAY_OPTIONS } from './options.ts'
import type { GatewayOptions } from './options.ts'
import type { Ports } from './ports.ts'
import { createSubscribeUpgrade } from './ws/subscribe.ts'
import type { SubscribeUpgrade } from './ws/subscribe.ts'

/** What must be said; the rest has defaults. */
export type GatewaySettings = Partial<GatewayOptions> & Pick<GatewayOptions, 'version' | 'metrics' | 'log'>

export interface Gateway {
  /** Begins to take requests; port 0 takes any free one. Errors: those of the socket, such as EADDRINUSE. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }>
  /** Takes no new connections, lets what is under way end for `drainMs`, then cuts it off. Resolves when all is closed. */
  close(options: { readonly drainMs: number }): Promise<void>
  /** Open WebSocket subscriptions. */
  readonly subscriberCount: number
  /** Bytes of request bodies that are held now, lines of ingests and frames of sessions among them. */
  readonly inFlightBytes: number
}

/** How often, while closing, connections that became idle are looked for. */
const IDLE_CHECK_MS = 50

/** What the world sees of a broker: one server for HTTP and WebSocket. */
export function createGateway(ports: Ports, settings: GatewaySettings): Gateway {
  return new HttpGateway(ports, { ...DEFAULT_GATEWAY_OPTIONS, ...settings })
}

/** Newer versions of Node ask which offers to take; in older ones each comes as an upgrade, to be withdrawn. */
interface UpgradeChoice {
  readonly shouldUpgradeCallback: (request: IncomingMessage) => boolean
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket'
}

class HttpGateway implements Gateway {
  readonly #options: GatewayOptions
  readonly #closing = new AbortController()
  readonly #budget: ByteBudget
  readonly #ingests: ByteBudget
  readonly #bodies: BodyReader
  readonly #dispatcher: Dispatcher
  readonly #watch = new ConnectionWatch()
  readonly #unfinished: ByteBudget
  readonly #server: Server
  readonly #subscribe: SubscribeUpgrade
  readonly #sweep: NodeJS.Timeout

  constructor(ports: Ports, options: GatewayOptions) {
    this.#options = options
    this.#budget = new ByteBudget(options.inFlightBytesMax)
    this.#bodies = new BodyReader(options, this.#budget, () => performance.now())
    const answers = new ByteBudget(options.answerBytesMax)
    this.#ingests = new ByteBudget(options.ingestBytesMax)
    const ingests = this.#ingests
    this.#unfinished = new ByteBudget(options.sessionUnfinishedBytesMax)
    const context: GatewayContext = { ports, options, closing: this.#closing.signal, answers, ingests }
    this.#dispatcher = new Dispatcher(context, this.#bodies)
    const newRequestId = (): string => this.#dispatcher.newRequestId()
    const broker = String(ports.cluster.broker)
    this.#subscribe = createSubscribeUpgrade({
      ports,
      sessions: {
        gateway: context,
        produce: this.#dispatcher.produceParts,
        budget: this.#budget,
        unfinished: this.#unfinished,
        frameBytesMax: options.sessionFrameBytesMax,
      },
      newRequestId,
      isOriginAllowed: ({ headers }) =>
        headers.origin === undefined ||
        isOriginAllowed(headers.origin, headers.host, this.#dispatcher.originRules),
      subscribersMax: options.subscribersMax,
      headers: { 'Synod-Broker': broker },
      log: options.log,
    })
    const { headersTimeoutMs, lingerMs } = options
    this.#server = this.#createServer({
      watch: this.#watch,
      broker,
      headersTimeoutMs,
      lingerMs,
      newRequestId,
    })
    this.#sweep = setInterval(() => this.#bodies.sweep(), options.sweepMs)
    this.#sweep.unref()
  }

  get subscriberCount(): number {
    return this.#subscribe.count
  }

  get inFlightBytes(): number {
    return this.#budget.takenBytes + this.#ingests.takenBytes + this.#unfinished.takenBytes
  }

  #createServer(errorParts: ConnectionErrorParts): Server {
    const options = this.#options
    const settings: ServerOptions & UpgradeChoice = {
      shouldUpgradeCallback: isWebSocketUpgrade,
      headersTimeout: options.headersTimeoutMs,
      // Bodies have a timer of their own: node's would also end streams, which have no end.
      requestTimeout: 0,
      connectionsCheckingInterval: options.sweepMs,
      keepAliveTimeout: options.keepAliveMs,
      // Node would answer without a word; the dispatcher has some.
      requireHostHeader: false,
      noDelay: true,
    }
    const server = createServer(settings)
    server.timeout = options.answerStallMs
    server.maxHeadersCount = REQUEST_HEADERS_MAX
    server.maxConnections = options.connectionsMax
    server.maxRequestsPerSocket = 0
    server.on('request', (request, response) => this.#take(request, response, false))
    server.on('checkContinue', (request, response) => this.#take(request, response, true))
    // What else a client expects is not known here, and may be left out of account (RFC 9110 section 10.1.1).
    server.on('checkExpectation', (request, response) => this.#take(request, response, false))
    server.on('timeout', (socket) => this.#watch.onTimeout(socket))
    server.on('clientError', (error, socket) => answerConnectionError(error, socket, errorParts))
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isWebSocketUpgrade(request)) this.#subscribe(request, socket, head)
      else withdrawUpgrade(server, request, socket, head)
    })
    return server
  }

  #take(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const dispatch = (): void => this.#dispatcher.dispatch(request, response, awaitsContinue)
    const earlier = this.#watch.begin(request, response)
    // Produces that are pipelined share a sync. All else waits for its turn, so that a connection costs one answer.
    if (earlier === undefined || request.method === 'POST') return dispatch()
    void earlier.then(() => {
      if (!request.socket.destroyed) dispatch()
    })
  }

  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly port: number }> {
    invariant(!this.#server.listening && !this.#closing.signal.aborted, 'A gateway listens once.')
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...address, backlog: 1_024 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#options.log.error({ error }, 'The public listener failed'))
        resolve({ port: (this.#server.address() as AddressInfo).port })
      })
    })
  }

  async close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const idleCheck = setInterval(() => this.#server.closeIdleConnections(), IDLE_CHECK_MS)
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), drainMs)
    await Promise.all([closed, this.#subscribe.closeAll()])
    clearInterval(idleCheck)
    clearTimeout(cutOff)
    clearInterval(this.#sweep)
  }
}
