import { SynodError } from '../../errors.ts'
import type { ProduceParts } from '../http/append.ts'
import type { ByteBudget } from '../http/byte-budget.ts'
import type { GatewayContext } from '../http/context.ts'
import { toProblem } from '../problem.ts'
import type { Timers } from '../reading/timers.ts'
import { CLOSE_CODE, findsNoQuorum } from './close-code.ts'
import type { WebSocketConnection } from './connection.ts'
import type { SessionCodec } from './session-codec.ts'
import type { ClientFrame, ClientFrameOf, ServerFrame } from './session-frames.ts'
import { SessionProduces } from './session-produces.ts'
import { findStart } from './session-start.ts'
import { SUBPROTOCOLS } from './session-protocol.ts'
import { SessionSubscription } from './session-subscription.ts'
import type { ServedSocket } from './simple-session.ts'
import type { UnfinishedMessage } from './unfinished-message.ts'

export const SESSION_PATH = '/v1/ws'
/** Subscriptions of one session at the same time. */
export const SUBSCRIPTIONS_MAX = 64
/** Starts that are being looked for, those of subscriptions that have ended meanwhile among them. */
const STARTS_MAX = SUBSCRIPTIONS_MAX
const HEARTBEAT_MS = 15_000

/** What all sessions of a broker share. */
export interface SessionParts {
  readonly gateway: GatewayContext
  readonly produce: ProduceParts
  /** What produces hold until they are stored. */
  readonly budget: ByteBudget
  /** What messages hold until they have ended. */
  readonly unfinished: ByteBudget
  /** A frame of a client. */
  readonly frameBytesMax: number
}

export interface SessionOptions {
  readonly parts: SessionParts
  readonly codec: SessionCodec
  /** The client offered subprotocols of which none is known here: it is told so in text. */
  readonly isProtocolUnknown: boolean
  readonly timers: Timers
  /** The session's name, in the log too. */
  readonly requestId: string
  readonly host: string
}

/** Many subscriptions and produces on one socket (api 'WebSocket'). */
export class Session implements ServedSocket {
  readonly #connection: WebSocketConnection
  readonly #options: SessionOptions
  readonly #subscriptions = new Map<string, SessionSubscription>()
  /** Subscriptions whose new place is being looked for. */
  readonly #seeking = new Set<SessionSubscription>()
  readonly #produces: SessionProduces
  #unfinished: UnfinishedMessage | undefined
  #startCount = 0
  #heartbeatAtMs: number

  constructor(connection: WebSocketConnection, options: SessionOptions) {
    this.#connection = connection
    this.#options = options
    this.#heartbeatAtMs = options.timers.nowMs()
    const { parts, codec, requestId, host } = options
    this.#produces = new SessionProduces({
      parts,
      codec,
      connection,
      context: { ...parts.gateway, requestId, path: SESSION_PATH, search: '', params: [], host },
      sayError: (error, about, isIdempotent) => this.#sayError(error, about, isIdempotent),
      onIdle: () => {
        if (this.#produces.isFenced) this.close(CLOSE_CODE.FENCED, 'producer-fenced')
      },
    })
  }

  async run(): Promise<void> {
    const { parts, requestId } = this.#options
    const { options, ports } = parts.gateway
    const closed = this.#connection.closed()
    if (this.#options.isProtocolUnknown) {
      const hint = `Offer ${SUBPROTOCOLS.join(' or ')}, or none.`
      const error = new SynodError('not-acceptable', 'None of the subprotocols offered is known.', { hint })
      this.#refuse(error, {}, CLOSE_CODE.SUBPROTOCOL)
      return closed
    }
    this.#unfinished = this.#connection.watchUnfinished(parts.unfinished, () => this.#sayFull())
    this.#connection.onMessage((data, isBinary) => this.#take(data, isBinary))
    this.#send({
      type: 'welcome',
      session: requestId,
      broker: String(ports.cluster.broker),
      heartbeatMs: HEARTBEAT_MS,
      limits: {
        subscriptions: SUBSCRIPTIONS_MAX,
        frameBytes: parts.frameBytesMax,
        recordBytes: options.recordBytesMax,
      },
    })
    await closed
    this.#stop()
  }

  sweep(nowMs: number): void {
    this.#connection.sweep(nowMs)
    this.#checkUnfinished(nowMs)
    if (nowMs - this.#heartbeatAtMs < HEARTBEAT_MS) return
    this.#heartbeatAtMs = nowMs
    const subs = [...this.#subscriptions.values()].flatMap((subscription) => subscription.state() ?? [])
    this.#connection.writeIdly(this.#options.codec.frame({ type: 'heartbeat', subs }))
  }

  announceClose(inMs: number): boolean {
    this.#send({ type: 'moving', inMs })
    return this.#connection.isOpen
  }

  close(code: number, reason: string): void {
    this.#stop()
    this.#connection.close(code, reason)
  }

  terminate(): void {
    this.#connection.terminate()
  }

  #stop(): void {
    for (const subscription of this.#subscriptions.values()) subscription.stop()
    this.#subscriptions.clear()
  }

  #send(frame: ServerFrame): void {
    if (this.#connection.isOpen) this.#connection.write([this.#options.codec.frame(frame)])
  }

  /** A message of which nothing more comes must not keep its room from others. */
  #checkUnfinished(nowMs: number): void {
    const timeoutMs = this.#options.parts.gateway.options.bodyTimeoutMs
    if (this.#unfinished?.isLate(nowMs, timeoutMs) !== true) return
    const detail = `A frame did not end within ${timeoutMs} ms.`
    this.#giveUp(new SynodError('request-timeout', detail), CLOSE_CODE.FAILED)
  }

  #sayFull(): void {
    const detail = `All ${this.#options.parts.unfinished.bytesMax} bytes for frames on their way are taken.`
    this.#giveUp(new SynodError('overloaded', detail), CLOSE_CODE.TRY_LATER)
  }

  #giveUp(error: SynodError, code: number): void {
    if (!this.#connection.isOpen) return
    this.#sayError(error, {})
    this.#stop()
    this.#connection.giveUp(code, error.code)
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (!this.#connection.isOpen || this.#produces.isFenced) return
    let frame: ClientFrame
    try {
      frame = this.#options.codec.read(data, isBinary)
    } catch (error) {
      this.#refuse(error, {}, CLOSE_CODE.BAD_FRAME)
      return
    }
    this.#handle(frame, data)
  }

  #handle(frame: ClientFrame, data: Buffer): void {
    switch (frame.type) {
      case 'subscribe':
        return this.#subscribe(frame)
      case 'credit':
        // It may have been on its way when the subscription ended, so an unknown one is no fault.
        return this.#subscriptions.get(frame.sid)?.grant(frame)
      case 'produce':
        return void this.#produces.store(frame, data)
      case 'seek':
        return void this.#seek(frame)
      case 'unsubscribe':
        return this.#unsubscribe(frame)
      case 'ping':
        return this.#send({ type: 'pong', id: frame.id })
    }
  }

  #subscribe(frame: ClientFrameOf<'subscribe'>): void {
    const { id, sid } = frame
    if (this.#subscriptions.has(sid)) {
      const detail = `There is a subscription '${sid}' already.`
      this.#sayError(new SynodError('invalid-field', detail, { hint: 'Choose another sid.' }), { id })
      return
    }
    if (this.#subscriptions.size === SUBSCRIPTIONS_MAX) {
      const detail = `The session has its ${SUBSCRIPTIONS_MAX} subscriptions.`
      const error = new SynodError('overloaded', detail, { hint: 'Open another session for more.' })
      this.#refuse(error, { id }, CLOSE_CODE.TOO_MANY_SUBSCRIPTIONS)
      return
    }
    if (this.#startCount === STARTS_MAX) return this.#sayTooManyStarts(id)
    const { parts, timers, codec } = this.#options
    const subscription = new SessionSubscription({
      ports: parts.gateway.ports,
      timers,
      sid,
      connection: this.#connection,
      credit: frame.credit,
      send: (answer) => this.#send(answer),
      encode: (chunk, head) => codec.records(chunk, head),
      fanOut: parts.gateway.options.stages.fanOut,
      onFailed: (error) => {
        this.#drop(sid, subscription, error)
        this.#leaveToOthers(error)
      },
    })
    this.#subscriptions.set(sid, subscription)
    void this.#begin(subscription, frame, frame.topic, frame.partitions)
  }

  async #seek(frame: ClientFrameOf<'seek'>): Promise<void> {
    const { id, sid } = frame
    const subscription = this.#subscriptions.get(sid)
    const target = subscription?.target
    if (subscription === undefined || target === undefined) return this.#sayUnknown(id, sid)
    if (this.#seeking.has(subscription)) {
      const detail = `The subscription '${sid}' is looking for another place already.`
      return this.#sayError(new SynodError('overloaded', detail), { id })
    }
    if (this.#startCount === STARTS_MAX) return this.#sayTooManyStarts(id)
    this.#seeking.add(subscription)
    await this.#begin(subscription, frame, target.topicName, target.partitions)
    this.#seeking.delete(subscription)
  }

  /** A first start that is not found ends the subscription; a later one leaves it where it was. */
  async #begin(
    subscription: SessionSubscription,
    { type, id, sid, from, cursor }: ClientFrameOf<'subscribe' | 'seek'>,
    topicName: string,
    partitions: readonly number[] | undefined,
  ): Promise<void> {
    const { parts, timers, host } = this.#options
    this.#startCount++
    try {
      const request = { topicName, partitions, from, cursor, host }
      const start = await findStart({ ports: parts.gateway.ports, timers }, request)
      if (this.#subscriptions.get(sid) === subscription) subscription.begin(start, id)
    } catch (error) {
      if (this.#subscriptions.get(sid) !== subscription) return
      if (type === 'seek') this.#sayError(error, { id })
      else this.#drop(sid, subscription, error, id)
    } finally {
      this.#startCount--
    }
  }

  /** None of its subscriptions gets through, and nothing else is under way: the client is better off at another broker. */
  #leaveToOthers(error: unknown): void {
    if (this.#subscriptions.size > 0 || !this.#produces.isIdle || !findsNoQuorum(error)) return
    this.close(CLOSE_CODE.NO_QUORUM, 'no-quorum')
  }

  #unsubscribe({ id, sid }: ClientFrameOf<'unsubscribe'>): void {
    const subscription = this.#subscriptions.get(sid)
    if (subscription === undefined) return this.#sayUnknown(id, sid)
    subscription.stop()
    this.#subscriptions.delete(sid)
    this.#send({ type: 'end', id, sid })
  }

  #drop(sid: string, subscription: SessionSubscription, error: unknown, id?: string): void {
    if (this.#subscriptions.get(sid) !== subscription) return
    subscription.stop()
    this.#subscriptions.delete(sid)
    this.#sayError(error, { id, sid })
  }

  #sayTooManyStarts(id: string): void {
    const detail = `The session looks for ${STARTS_MAX} starts already.`
    this.#sayError(new SynodError('overloaded', detail, { hint: 'Wait for an answer first.' }), { id })
  }

  #sayUnknown(id: string, sid: string): void {
    const detail = `There is no subscription '${sid}' that has begun.`
    this.#sayError(new SynodError('not-found', detail, { hint: 'Subscribe first.' }), { id })
  }

  #sayError(
    error: unknown,
    about: { readonly id?: string | undefined; readonly sid?: string | undefined },
    isIdempotent = false,
  ): void {
    const { requestId, parts } = this.#options
    if (!(error instanceof SynodError))
      parts.gateway.options.log.error({ error, requestId }, 'A request of a session failed')
    const problem = toProblem(error, requestId, SESSION_PATH, isIdempotent)
    this.#send({ type: 'error', ...about, problem: { ...problem } })
  }

  #refuse(error: unknown, about: { readonly id?: string }, code: number): void {
    this.#sayError(error, about)
    this.close(code, error instanceof SynodError ? error.code : 'internal')
  }
}
