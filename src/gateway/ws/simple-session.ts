import type { StageTime } from '../../observability/stages.ts'
import type { Problem } from '../problem.ts'
import type { TopicFollower } from '../reading/follow.ts'
import { chunkFrames, type FrameStyle } from './batch-frames.ts'
import { closeCodeOf } from './close-code.ts'
import type { WebSocketConnection } from './connection.ts'
import { Flow } from './flow.ts'
import { textFrame } from './frame.ts'

export interface SimpleSessionOptions {
  readonly topicName: string
  readonly follower: TopicFollower
  readonly style: FrameStyle
  readonly describe: (error: unknown) => Problem
  readonly fanOut: StageTime
}

/** What the server holds of each open socket. */
export interface ServedSocket {
  /** Serves until the socket is closed. Never rejects. */
  run(): Promise<void>
  /** Looks after the connection; called every few seconds. */
  sweep(nowMs: number): void
  /** Says that the broker will close, so that the client can go before; false if it cannot be told. */
  announceClose(inMs: number): boolean
  close(code: number, reason: string): void
  terminate(): void
}

/** One subscription whose records are frames of their own, sent as fast as the socket takes them. */
export class SimpleSession implements ServedSocket {
  readonly #connection: WebSocketConnection
  readonly #options: SimpleSessionOptions
  readonly #flow: Flow

  constructor(connection: WebSocketConnection, options: SimpleSessionOptions) {
    this.#connection = connection
    this.#options = options
    const { follower, topicName, style, fanOut } = options
    this.#flow = new Flow({
      follower,
      connection,
      credit: undefined,
      encode: (chunk) => chunkFrames(topicName, chunk, style),
      fanOut,
    })
  }

  async run(): Promise<void> {
    const closed = this.#connection.closed()
    void closed.then(() => this.#flow.stop())
    try {
      await this.#flow.run()
    } catch (error) {
      this.#fail(error)
    }
    await closed
  }

  sweep(nowMs: number): void {
    this.#connection.sweep(nowMs)
  }

  announceClose(): boolean {
    return false
  }

  close(code: number, reason: string): void {
    this.#flow.stop()
    this.#connection.close(code, reason)
  }

  terminate(): void {
    this.#connection.terminate()
  }

  /** One last frame {"problem": …} says why. */
  #fail(error: unknown): void {
    if (!this.#connection.isOpen) return
    const problem = this.#options.describe(error)
    this.#connection.write([textFrame(JSON.stringify({ problem }))])
    this.#connection.close(closeCodeOf(error), problem.code)
  }
}
