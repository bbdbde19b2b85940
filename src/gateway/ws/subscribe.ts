import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import { parseQuery } from '../http/query.ts'
import type { GatewayLog } from '../options.ts'
import type { Ports } from '../ports.ts'
import { toProblem, type Problem } from '../problem.ts'
import { systemTimers, type Timers } from '../reading/timers.ts'
import { checkHandshake, redirectHandshake, refuseHandshake } from './handshake.ts'
import { CLOSE_CODE } from './close-code.ts'
import { WebSocketConnection } from './connection.ts'
import { Session, SESSION_PATH, type SessionParts } from './session.ts'
import { codecOf, SUBPROTOCOLS } from './session-protocol.ts'
import { TEXT_CODEC } from './session-text.ts'
import { SimpleSession, type ServedSocket } from './simple-session.ts'
import { prepareSubscription, readAddress, SeeLeader } from './subscription.ts'
import { createWebSocketServer } from './web-socket-server.ts'

const HANDSHAKE_MS_MAX = 5_000
const SWEEP_MS = 5_000
/** How long before the close sessions are told of it, so that they can open another one first. */
const MOVING_MS = 1_000
/** How long clients have to answer the close frame when this broker stops. */
const CLOSE_MS_MAX = 2_000

export interface SubscribeDependencies {
  readonly ports: Pick<Ports, 'log' | 'topics' | 'cluster'>
  readonly sessions: SessionParts
  /** Whether the request's Origin, if it has one, is listed or the broker's own. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean
  /** Subscribers at the same time, handshakes included; more get 503. */
  readonly subscribersMax: number
  readonly newRequestId: () => string
  /** Put on the answer to every handshake: Synod-Broker and the like. */
  readonly headers: Readonly<Record<string, string>>
  readonly log: GatewayLog
  readonly timers?: Timers
}

/** Takes the upgrades of `GET /v1/topics/{topic}/subscribe` and `GET /v1/ws`; any other path is answered 404. */
export interface SubscribeUpgrade {
  (request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Open subscriptions of the simple form, sessions, and handshakes under way. */
  readonly count: number
  /** Tells sessions, closes all and takes no more. Resolves when none is left; who does not answer is cut off. */
  closeAll(): Promise<void>
}

export function createSubscribeUpgrade(dependencies: SubscribeDependencies): SubscribeUpgrade {
  const server = new SubscribeServer(dependencies)
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    void server.upgrade(request, socket, head)
  }
  return Object.defineProperties(upgrade, {
    count: { get: () => server.count },
    closeAll: { value: () => server.closeAll() },
  }) as SubscribeUpgrade
}

/** A handshake that may become a subscription. */
interface Handshake {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string
  readonly describe: (error: unknown) => Problem
}

/** What a handshake leads to, once it is looked through. */
interface Prepared {
  readonly webSockets: WebSocketServer
  readonly open: (connection: WebSocketConnection, handshake: Handshake) => ServedSocket
  /** Nobody comes for it. */
  readonly abandon: () => void
}

class SubscribeServer {
  readonly #dependencies: SubscribeDependencies
  readonly #timers: Timers
  readonly #simple: WebSocketServer
  readonly #multiplex: WebSocketServer
  readonly #sessions = new Set<ServedSocket>()
  /** Ends one handshake each, with an error. */
  readonly #handshakes = new Set<(error: SynodError) => void>()
  #isClosing = false
  #cancelSweep: (() => void) | undefined
  #whenEmpty: (() => void) | undefined

  constructor(dependencies: SubscribeDependencies) {
    invariant(dependencies.subscribersMax >= 1, 'There is room for a subscriber.')
    this.#dependencies = dependencies
    this.#timers = dependencies.timers ?? systemTimers
    this.#simple = createWebSocketServer({
      messageBytesMax: 64 * 1024,
      // No subprotocol is spoken here; choosing one that a client offers would promise otherwise.
      chooseProtocol: () => false,
    })
    this.#multiplex = createWebSocketServer({
      messageBytesMax: dependencies.sessions.frameBytesMax,
      chooseProtocol: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    })
  }

  get count(): number {
    return this.#sessions.size + this.#handshakes.size
  }

  /** Never rejects: what goes wrong is answered on the socket. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', destroySocket)
    const requestId = this.#dependencies.newRequestId()
    const handshake: Handshake = {
      request,
      socket,
      head,
      requestId,
      headers: { ...this.#dependencies.headers, 'Request-Id': requestId },
      describe: this.#describer(requestId, (request.url ?? '/').split('?', 1)[0] ?? '/'),
    }
    try {
      const prepared = await this.#withinTime(() => this.#prepare(request))
      this.#accept(handshake, prepared)
    } catch (error) {
      if (error instanceof SeeLeader) redirectHandshake(socket, error.location, handshake.headers)
      else refuseHandshake(socket, handshake.describe(error), handshake.headers)
    }
    this.#settle()
  }

  async closeAll(): Promise<void> {
    this.#isClosing = true
    for (const refuse of this.#handshakes) refuse(draining())
    const told = [...this.#sessions].filter((session) => session.announceClose(MOVING_MS))
    const isTold = new Set(told)
    for (const session of this.#sessions)
      if (!isTold.has(session)) session.close(CLOSE_CODE.STOPPING, 'The broker stops')
    if (this.count === 0) return
    const cancelMoving = this.#timers.after(told.length === 0 ? 0 : MOVING_MS, () => {
      for (const session of told) session.close(CLOSE_CODE.GOING_AWAY, 'The broker stops')
    })
    const cancel = this.#timers.after(MOVING_MS + CLOSE_MS_MAX, () => {
      for (const session of this.#sessions) session.terminate()
    })
    await new Promise<void>((resolve) => (this.#whenEmpty = resolve))
    cancel()
    cancelMoving()
  }

  /** Everything that can be refused is looked at before the 101, in the order from cheap to dear. */
  async #prepare(request: IncomingMessage): Promise<Prepared> {
    if (!this.#dependencies.isOriginAllowed(request)) {
      const origin = (request.headers.origin ?? '').slice(0, 200)
      throw new SynodError('origin-not-allowed', `Pages of '${origin}' may not subscribe.`, {
        hint: 'Start the broker with this origin in its list of allowed origins.',
      })
    }
    checkHandshake(request)
    const isSession = (request.url ?? '/').split('?', 1)[0] === SESSION_PATH
    if (isSession) parseQuery((request.url ?? '').slice(SESSION_PATH.length + 1), [])
    const address = isSession ? undefined : readAddress(request)
    if (this.#isClosing) throw draining()
    if (this.count > this.#dependencies.subscribersMax) {
      throw new SynodError(
        'overloaded',
        `This broker has its ${this.#dependencies.subscribersMax} subscribers.`,
        {
          hint: 'Subscribe on another broker: GET /v1/brokers lists them.',
        },
      )
    }
    if (address === undefined) return this.#sessionOf(request)
    const { ports, sessions } = this.#dependencies
    const { gateway } = sessions
    const subscription = await prepareSubscription(ports, address, this.#timers)
    return {
      webSockets: this.#simple,
      open: (connection, { describe }) =>
        new SimpleSession(connection, { ...subscription, describe, fanOut: gateway.options.stages.fanOut }),
      abandon: () => subscription.follower.stop(),
    }
  }

  #sessionOf(request: IncomingMessage): Prepared {
    const codec = codecOf(request.headers['sec-websocket-protocol'])
    const host = request.headers.host ?? 'localhost'
    return {
      webSockets: this.#multiplex,
      open: (connection, { requestId }) =>
        new Session(connection, {
          parts: this.#dependencies.sessions,
          codec: codec ?? TEXT_CODEC,
          isProtocolUnknown: codec === undefined,
          timers: this.#timers,
          requestId,
          host,
        }),
      abandon: () => undefined,
    }
  }

  /** A handshake that the log keeps waiting must hold its connection neither for ever nor when the broker stops. */
  #withinTime(prepare: () => Promise<Prepared>): Promise<Prepared> {
    return new Promise((resolve, reject) => {
      let isOver = false
      const refuse = (error: unknown): void => {
        isOver = true
        cancel()
        this.#handshakes.delete(refuse)
        reject(error instanceof Error ? error : new Error('A handshake failed.', { cause: error }))
      }
      const cancel = this.#timers.after(HANDSHAKE_MS_MAX, () => {
        refuse(
          new SynodError('overloaded', 'The start position was not found in time.', {
            hint: 'Subscribe again.',
          }),
        )
      })
      this.#handshakes.add(refuse)
      prepare().then((prepared) => {
        if (isOver) {
          prepared.abandon()
          return
        }
        cancel()
        this.#handshakes.delete(refuse)
        resolve(prepared)
      }, refuse)
    })
  }

  #accept(handshake: Handshake, prepared: Prepared): void {
    const { request, socket, head, headers } = handshake
    const { webSockets } = prepared
    const addHeaders = (lines: string[]): void => {
      for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
    }
    let session: ServedSocket | undefined
    webSockets.once('headers', addHeaders)
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new WebSocketConnection(webSocket, socket as Socket, this.#timers.nowMs())
      session = prepared.open(connection, handshake)
      this.#add(session)
    })
    webSockets.off('headers', addHeaders)
    // A client that left meanwhile has its socket destroyed by `ws`, which then calls nobody.
    if (session === undefined) prepared.abandon()
  }

  #add(session: ServedSocket): void {
    this.#sessions.add(session)
    if (this.#cancelSweep === undefined) this.#scheduleSweep()
    void session.run().then(() => {
      this.#sessions.delete(session)
      this.#settle()
    })
    if (this.#isClosing) session.close(CLOSE_CODE.STOPPING, 'The broker stops')
  }

  /** One timer for all subscribers, and none when there are none. */
  #scheduleSweep(): void {
    this.#cancelSweep = this.#timers.after(SWEEP_MS, () => {
      const nowMs = this.#timers.nowMs()
      for (const session of this.#sessions) session.sweep(nowMs)
      this.#scheduleSweep()
    })
  }

  #settle(): void {
    if (this.#sessions.size === 0) {
      this.#cancelSweep?.()
      this.#cancelSweep = undefined
    }
    if (this.count === 0) this.#whenEmpty?.()
  }

  /** Made apart from the request, so that a subscription does not keep its handshake's objects alive. */
  #describer(requestId: string, instance: string): (error: unknown) => Problem {
    return (error) => {
      if (!(error instanceof SynodError))
        this.#dependencies.log.error({ error, requestId }, 'A subscription failed')
      return toProblem(error, requestId, instance)
    }
  }
}

function destroySocket(this: Duplex): void {
  this.destroy()
}

function draining(): SynodError {
  return new SynodError('draining', 'This broker is about to stop.')
}
