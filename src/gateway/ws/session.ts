import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { SynodError } from '../../errors.ts'
import type { Problem } from '../problem.ts'
import { drained } from '../reading/drained.ts'
import type { Chunk, TopicFollower } from '../reading/follow.ts'
import { Outflow } from '../reading/outflow.ts'
import { READER_TURNS } from '../reading/turns.ts'
import { chunkFrames, type FrameStyle } from './batch-frames.ts'

/** Beyond this much in the socket's buffer nothing more is read from the log for this subscriber. */
const BUFFERED_BYTES_MAX = 1024 * 1024
const PING_MS = 20_000
/** Without anything coming in or any byte going out for so long, the other side is gone. */
const SILENCE_MS_MAX = 40_000
/** An empty ping from the server. */
const PING_BYTES = 2
/** A client's pings are answered at once only up to here; behind more data, only the latest is. */
const PONG_BACKLOG_BYTES_MAX = 64 * 1024

/**
 * Close codes (api: 4100-4199 ask to reconnect with backoff, 4500-4599 not to). After a failure one text frame
 * {"problem": …} says why, then the socket closes: FAILED when trying again may help, ENDED when it does not
 * (the topic was deleted, the offset is trimmed), GOING_AWAY when this broker stops.
 */
export const CLOSE_CODE = { GOING_AWAY: 1001, FAILED: 4100, ENDED: 4507 } as const

export interface SessionOptions {
  readonly topicName: string
  readonly follower: TopicFollower
  readonly style: FrameStyle
  readonly startedAtMs: number
  readonly describe: (error: unknown) => Problem
}

/**
 * One subscriber: pulls records and writes them as frames. Frames go straight into the socket, many at once and shared
 * with other subscribers, beside those that `ws` writes itself; both write whole frames, so they never mix.
 */
export class SubscribeSession {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  readonly #options: SessionOptions
  readonly #outflow: Outflow
  #isCorked = false
  #pingBytes = 0
  #isPingWaiting = false
  #latePong: Buffer | undefined
  #bytesRead: number
  #pingedAtMs: number
  #aliveAtMs: number

  constructor(webSocket: WebSocket, socket: Socket, options: SessionOptions) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#options = options
    this.#outflow = new Outflow(socket)
    this.#outflow.moved()
    this.#bytesRead = socket.bytesRead
    this.#pingedAtMs = options.startedAtMs
    this.#aliveAtMs = options.startedAtMs
    // What the client sends has no meaning here; `ws` answers what breaks the protocol and closes.
    webSocket.on('error', () => undefined)
    webSocket.on('ping', (data: Buffer) => this.#answerPing(data))
    webSocket.once('close', () => options.follower.stop())
  }

  /** Sends records until the subscriber goes or the log ends the subscription; resolves when the socket is closed. */
  async run(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#webSocket.once('close', () => resolve()))
    await this.#pump()
    await closed
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const chunk = await this.#options.follower.next()
        if (chunk === undefined) return
        const turn = READER_TURNS.enter(chunk.byteLength)
        if (turn !== undefined) await turn
        if (!this.#isOpen()) return
        this.#write(chunk)
        await this.#roomForMore()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#options.follower.stop()
    }
  }

  /** Looks after the connection; called every few seconds. */
  sweep(nowMs: number): void {
    const hasHeard = this.#socket.bytesRead !== this.#bytesRead
    const hasSent = this.#outflow.moved(this.#pingBytes)
    this.#bytesRead = this.#socket.bytesRead
    if (hasHeard || hasSent) this.#aliveAtMs = nowMs
    if (nowMs - this.#aliveAtMs >= SILENCE_MS_MAX) {
      this.#webSocket.terminate()
      return
    }
    if (nowMs - this.#pingedAtMs < PING_MS || this.#isPingWaiting || !this.#isOpen()) return
    this.#pingedAtMs = nowMs
    this.#pingBytes += PING_BYTES
    this.#isPingWaiting = true
    this.#webSocket.ping('', false, () => (this.#isPingWaiting = false))
  }

  close(code: number, reason: string): void {
    this.#options.follower.stop()
    this.#webSocket.close(code, reason)
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  #isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** All chunks of one turn leave in one write: partitions that wake together don't cost a system call each. */
  #write(chunk: Chunk): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#socket.uncork()
      })
    }
    for (const frames of chunkFrames(this.#options.topicName, chunk, this.#options.style)) {
      this.#socket.write(frames)
    }
  }

  async #roomForMore(): Promise<void> {
    if (this.#outflow.waitingBytes <= BUFFERED_BYTES_MAX) return
    await drained(this.#socket)
    this.#answerLatePing()
  }

  /** A client that pings and does not read must not grow the buffer: RFC 6455 lets the latest pong answer for all. */
  #answerPing(data: Buffer): void {
    if (!this.#isOpen()) return
    if (this.#outflow.waitingBytes <= PONG_BACKLOG_BYTES_MAX) {
      this.#webSocket.pong(data)
      return
    }
    const isFirst = this.#latePong === undefined
    this.#latePong = Buffer.from(data)
    if (isFirst) this.#socket.once('drain', () => this.#answerLatePing())
  }

  #answerLatePing(): void {
    const data = this.#latePong
    this.#latePong = undefined
    if (data !== undefined && this.#isOpen()) this.#webSocket.pong(data)
  }

  #fail(error: unknown): void {
    if (!this.#isOpen()) return
    const problem = this.#options.describe(error)
    this.#webSocket.send(JSON.stringify({ problem }))
    this.#webSocket.close(closeCodeOf(error), problem.code)
  }
}

function closeCodeOf(error: unknown): number {
  if (!(error instanceof SynodError)) return CLOSE_CODE.FAILED
  if (error.code === 'draining') return CLOSE_CODE.GOING_AWAY
  return error.code === 'internal' ? CLOSE_CODE.FAILED : CLOSE_CODE.ENDED
}
