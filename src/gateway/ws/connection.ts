import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ByteBudget } from '../http/byte-budget.ts'
import { drained } from '../reading/drained.ts'
import { Outflow } from '../reading/outflow.ts'
import { CLOSE_CODE } from './close-code.ts'
import { UnfinishedMessage } from './unfinished-message.ts'

/** Beyond this much in the socket's buffer nothing more is read from the log for this client, nor from the client. */
const BUFFERED_BYTES_MAX = 1024 * 1024
const PING_MS = 20_000
/** Without anything coming in or any byte going out for so long, the other side is gone. */
const SILENCE_MS_MAX = 40_000
/** An empty ping from the server. */
const PING_BYTES = 2
/** A client's pings are answered at once, and heartbeats sent, only up to here; behind more data, only the latest pong is. */
const CONTROL_BACKLOG_BYTES_MAX = 64 * 1024

/**
 * The socket of one client: whether it lives, what waits in it, and whole frames written into it. Frames go straight into
 * the socket, many at once and shared with other clients, beside those that `ws` writes itself; both write whole frames, so
 * they never mix.
 */
export class WebSocketConnection {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  readonly #outflow: Outflow
  #isCorked = false
  #isGivenUp = false
  /** Bytes that this side writes by itself: that they leave is no sign of life. */
  #idleBytes = 0
  #isPingWaiting = false
  #latePong: Buffer | undefined
  #room: Promise<void> | undefined
  #bytesRead: number
  #pingedAtMs: number
  #aliveAtMs: number

  constructor(webSocket: WebSocket, socket: Socket, startedAtMs: number) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#outflow = new Outflow(socket)
    this.#outflow.moved()
    this.#bytesRead = socket.bytesRead
    this.#pingedAtMs = startedAtMs
    this.#aliveAtMs = startedAtMs
    // `ws` answers what breaks the protocol and closes.
    webSocket.on('error', () => undefined)
    webSocket.on('ping', (data: Buffer) => this.#answerPing(data))
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** Resolves when the socket is closed, by whomever. Ask before anything else is awaited. */
  closed(): Promise<void> {
    return new Promise((resolve) => this.#webSocket.once('close', () => resolve()))
  }

  /**
   * Writes whole frames. All of one turn of the event loop leave in one write: partitions that wake together don't cost a
   * system call each. `whenGone` is called when the last of them has left this process.
   */
  write(frames: readonly Buffer[], whenGone?: () => void): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#socket.uncork()
      })
    }
    for (const [index, frame] of frames.entries()) {
      if (whenGone !== undefined && index === frames.length - 1) this.#socket.write(frame, whenGone)
      else this.#socket.write(frame)
    }
  }

  /** Writes what the client did not ask for, unless much waits already. Its leaving says nothing about the client. */
  writeIdly(frame: Buffer): void {
    if (!this.isOpen || this.#outflow.waitingBytes > CONTROL_BACKLOG_BYTES_MAX) return
    this.#idleBytes += frame.length
    this.write([frame])
  }

  /** Undefined while there is room for more; else resolves when there is again, or when the socket is closed. */
  room(): Promise<void> | undefined {
    if (this.#outflow.waitingBytes <= BUFFERED_BYTES_MAX) return undefined
    this.#room ??= drained(this.#socket).finally(() => {
      this.#room = undefined
      this.#answerLatePing()
    })
    return this.#room
  }

  /** Messages of the client; while too many answers wait in the socket, nothing more is read from it. */
  onMessage(take: (data: Buffer, isBinary: boolean) => void): void {
    this.#webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      take(data, isBinary)
      const room = this.room()
      if (room === undefined || this.#webSocket.isPaused) return
      this.#webSocket.pause()
      void room.then(() => this.#webSocket.resume())
    })
  }

  /** Counts what the client has sent of a message that has not ended, within a budget of all clients. */
  watchUnfinished(budget: ByteBudget, onFull: () => void): UnfinishedMessage {
    return new UnfinishedMessage({ webSocket: this.#webSocket, socket: this.#socket }, budget, onFull)
  }

  /** Looks after the connection; called every few seconds. */
  sweep(nowMs: number): void {
    const hasHeard = this.#socket.bytesRead !== this.#bytesRead
    const hasSent = this.#outflow.moved(this.#idleBytes)
    this.#bytesRead = this.#socket.bytesRead
    if (hasHeard || hasSent) this.#aliveAtMs = nowMs
    if (this.#isGivenUp) return this.#webSocket.terminate()
    if (nowMs - this.#aliveAtMs >= SILENCE_MS_MAX)
      return this.giveUp(CLOSE_CODE.SILENT, 'Nothing came and nothing left')
    if (nowMs - this.#pingedAtMs < PING_MS || this.#isPingWaiting || !this.isOpen) return
    this.#pingedAtMs = nowMs
    this.#idleBytes += PING_BYTES
    this.#isPingWaiting = true
    this.#webSocket.ping('', false, () => (this.#isPingWaiting = false))
  }

  /** Who is there after all reads why before the end; nobody waits longer than to the next look for it. */
  giveUp(code: number, reason: string): void {
    this.#isGivenUp = true
    this.#webSocket.close(code, reason)
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  /** A client that pings and does not read must not grow the buffer: RFC 6455 lets the latest pong answer for all. */
  #answerPing(data: Buffer): void {
    if (!this.isOpen) return
    if (this.#outflow.waitingBytes <= CONTROL_BACKLOG_BYTES_MAX) {
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
    if (data !== undefined && this.isOpen) this.#webSocket.pong(data)
  }
}
