import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { SynodError } from '../errors.ts'
import { invariant, InvariantError } from '../types/invariant.ts'
import type { Checksum } from '../paxos/state.ts'
import type { TransportCounters } from './counters.ts'
import { FORM_PATH, HELLO_PATH, type FormationEndpoints } from './formation.ts'
import { LANE_PATH } from './handshake.ts'
import { RequestProblem, sendJson, sendProblem } from './http-answers.ts'
import type { IncomingLanes } from './incoming-lanes.ts'
import { CONNECTIONS_CHECK_MS, CONNECTIONS_MAX, HEADERS_COUNT_MAX, HEADERS_TIMEOUT_MS } from './limits.ts'
import type { QuietLog } from './log.ts'
import type { TransportHandlers } from './transport.ts'
import { answerTypedMessage, isTypedMessagePath } from './typed-messages.ts'

export interface InternalListenerOptions {
  readonly secret: Buffer | undefined
  readonly handlers: TransportHandlers
  readonly incoming: IncomingLanes
  readonly formation: FormationEndpoints
  readonly checksum: Checksum
  readonly counters: TransportCounters
  readonly log: QuietLog
}

/** The HTTP server that only brokers and their operators talk to: lanes, formation, single messages. */
export class InternalListener {
  readonly #options: InternalListenerOptions
  readonly #server: Server

  constructor(options: InternalListenerOptions) {
    this.#options = options
    const server = createServer(
      {
        noDelay: true,
        // Lanes never end. What ends has a limit of its own (`readBody`).
        requestTimeout: 0,
        headersTimeout: HEADERS_TIMEOUT_MS,
        connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      },
      (request, response) => {
        this.#answer(request, response).catch((error: unknown) => this.#onError(request, response, error))
      },
    )
    server.maxHeadersCount = HEADERS_COUNT_MAX
    server.maxConnections = CONNECTIONS_MAX
    server.maxRequestsPerSocket = 0
    server.on('clientError', (_error, socket) => {
      if (socket.writable)
        socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      else socket.destroy()
    })
    this.#server = server
  }

  get port(): number {
    const address = this.#server.address()
    invariant(typeof address === 'object' && address !== null, 'The listener has a port while it listens.')
    return address.port
  }

  /** Rejects when the address cannot be bound. */
  listen(bind: { readonly host: string; readonly port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(bind.port, bind.host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  /** Resolves when every connection is gone. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query] = (request.url ?? '').split('?', 2)
    const isKnown = [LANE_PATH, HELLO_PATH, FORM_PATH].includes(path) || isTypedMessagePath(path)
    if (!isKnown)
      throw new RequestProblem(404, 'Not found', `Nothing is at ${path} on the internal listener.`)
    if (request.method !== 'POST') {
      throw new RequestProblem(405, 'Method not allowed', `${path} takes POST, not ${request.method ?? ''}.`)
    }
    const { incoming, formation, handlers, secret, checksum } = this.#options
    if (path === LANE_PATH) return incoming.accept(request, response, new URLSearchParams(query).get('lane'))
    if (path === HELLO_PATH) return formation.hello(request, response)
    if (path === FORM_PATH) return formation.form(request, response)
    const answer = await answerTypedMessage(request, path, {
      secret,
      checksum,
      onTypedMessage: (from, group, message) => handlers.onTypedMessage(from, group, message),
    })
    sendJson(response, 200, answer)
  }

  #onError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (error instanceof InvariantError) {
      // Out of the promise, so that the process ends: a broker that contradicts itself must not go on.
      setImmediate(() => {
        throw error
      })
      return
    }
    if (error instanceof RequestProblem) {
      if (error.status === 401) this.#onUnauthenticated(request)
      return sendProblem(request, response, error)
    }
    if (error instanceof SynodError) {
      return sendProblem(request, response, new RequestProblem(503, error.code, error.message, error.hint))
    }
    const reason = error instanceof Error ? error.message : String(error)
    this.#options.log.warnOnce(`internal ${reason}`, 'A request on the internal listener failed.', { reason })
    sendProblem(request, response, new RequestProblem(500, 'Internal error', 'The broker failed to answer.'))
  }

  #onUnauthenticated(request: IncomingMessage): void {
    this.#options.counters.authenticationFailures++
    const facts = { path: request.url?.split('?', 1)[0], remoteAddress: request.socket.remoteAddress }
    this.#options.log.warnOnce(
      `unauthenticated ${facts.path} ${facts.remoteAddress}`,
      'A request without proof of the cluster secret.',
      facts,
    )
  }
}
