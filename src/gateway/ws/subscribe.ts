import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { GatewayLog } from '../options.ts'
import type { Ports } from '../ports.ts'
import { toProblem, type Problem } from '../problem.ts'
import { systemTimers, type Timers } from '../reading/timers.ts'
import { checkHandshake, redirectHandshake, refuseHandshake } from './handshake.ts'
import { CLOSE_CODE, SubscribeSession } from './session.ts'
import { prepareSubscription, readAddress, SeeLeader, type Subscription } from './subscription.ts'

const HANDSHAKE_MS_MAX = 5_000
const SWEEP_MS = 5_000
/** How long clients have to answer the close frame when this broker stops. */
const CLOSE_MS_MAX = 2_000

export interface SubscribeDependencies {
  readonly ports: Pick<Ports, 'log' | 'topics' | 'cluster'>
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

/** Takes the upgrades of `GET /v1/topics/{topic}/subscribe`; any other path is answered 404. */
export interface SubscribeUpgrade {
  (request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Open subscriptions and handshakes under way. */
  readonly count: number
  /** Closes all with this code and takes no more. Resolves when none is left; who does not answer is cut off. */
  closeAll(code?: number): Promise<void>
}

export function createSubscribeUpgrade(dependencies: SubscribeDependencies): SubscribeUpgrade {
  const server = new SubscribeServer(dependencies)
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    void server.upgrade(request, socket, head)
  }
  return Object.defineProperties(upgrade, {
    count: { get: () => server.count },
    closeAll: { value: (code: number = CLOSE_CODE.GOING_AWAY) => server.closeAll(code) },
  }) as SubscribeUpgrade
}

/** A handshake that may become a subscription. */
interface Handshake {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly describe: (error: unknown) => Problem
}

class SubscribeServer {
  readonly #dependencies: SubscribeDependencies
  readonly #timers: Timers
  readonly #webSockets: WebSocketServer
  readonly #sessions = new Set<SubscribeSession>()
  /** Ends one handshake each, with an error. */
  readonly #handshakes = new Set<(error: SynodError) => void>()
  #isClosing = false
  #cancelSweep: (() => void) | undefined
  #whenEmpty: (() => void) | undefined

  constructor(dependencies: SubscribeDependencies) {
    invariant(dependencies.subscribersMax >= 1, 'There is room for a subscriber.')
    this.#dependencies = dependencies
    this.#timers = dependencies.timers ?? systemTimers
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: 64 * 1024,
      maxFragments: 128,
      perMessageDeflate: false,
      // The session answers pings itself: `ws` would cut off a client that pings more often than it reads.
      autoPong: false,
      // No subprotocol is spoken here; choosing one that a client offers would promise otherwise.
      handleProtocols: () => false,
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
      headers: { ...this.#dependencies.headers, 'Request-Id': requestId },
      describe: this.#describer(requestId, (request.url ?? '/').split('?', 1)[0] ?? '/'),
    }
    try {
      const subscription = await this.#withinTime(() => this.#prepare(request))
      this.#accept(handshake, subscription)
    } catch (error) {
      if (error instanceof SeeLeader) redirectHandshake(socket, error.location, handshake.headers)
      else refuseHandshake(socket, handshake.describe(error), handshake.headers)
    }
    this.#settle()
  }

  async closeAll(code: number): Promise<void> {
    this.#isClosing = true
    for (const refuse of this.#handshakes) refuse(draining())
    for (const session of this.#sessions) session.close(code, 'The broker stops')
    if (this.count === 0) return
    const cancel = this.#timers.after(CLOSE_MS_MAX, () => {
      for (const session of this.#sessions) session.terminate()
    })
    await new Promise<void>((resolve) => (this.#whenEmpty = resolve))
    cancel()
  }

  /** Everything that can be refused is looked at before the 101, in the order from cheap to dear. */
  async #prepare(request: IncomingMessage): Promise<Subscription> {
    if (!this.#dependencies.isOriginAllowed(request)) {
      const origin = (request.headers.origin ?? '').slice(0, 200)
      throw new SynodError('origin-not-allowed', `Pages of '${origin}' may not subscribe.`, {
        hint: 'Start the broker with this origin in its list of allowed origins.',
      })
    }
    checkHandshake(request)
    const address = readAddress(request)
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
    return prepareSubscription(this.#dependencies.ports, address, this.#timers)
  }

  /** A handshake that the log keeps waiting must hold its connection neither for ever nor when the broker stops. */
  #withinTime(prepare: () => Promise<Subscription>): Promise<Subscription> {
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
      prepare().then((subscription) => {
        if (isOver) {
          subscription.follower.stop()
          return
        }
        cancel()
        this.#handshakes.delete(refuse)
        resolve(subscription)
      }, refuse)
    })
  }

  #accept(handshake: Handshake, subscription: Subscription): void {
    const { request, socket, head, headers, describe } = handshake
    const addHeaders = (lines: string[]): void => {
      for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
    }
    let session: SubscribeSession | undefined
    this.#webSockets.once('headers', addHeaders)
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const startedAtMs = this.#timers.nowMs()
      session = new SubscribeSession(webSocket, socket as Socket, { ...subscription, startedAtMs, describe })
      this.#add(session)
    })
    this.#webSockets.off('headers', addHeaders)
    // A client that left meanwhile has its socket destroyed by `ws`, which then calls nobody.
    if (session === undefined) subscription.follower.stop()
  }

  #add(session: SubscribeSession): void {
    this.#sessions.add(session)
    if (this.#cancelSweep === undefined) this.#scheduleSweep()
    void session.run().then(() => {
      this.#sessions.delete(session)
      this.#settle()
    })
    if (this.#isClosing) session.close(CLOSE_CODE.GOING_AWAY, 'The broker stops')
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
