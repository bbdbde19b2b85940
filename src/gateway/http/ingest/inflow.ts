import type { IncomingMessage, ServerResponse } from 'node:http'
import { setMaxListeners } from 'node:events'

import { SynodError } from '../../../errors.ts'
import type { Timers } from '../../reading/timers.ts'
import type { RequestContext } from '../context.ts'

interface InflowParts {
  readonly context: RequestContext
  readonly timers: Timers
}

/**
 * The body of an ingest, taken no faster than there is room: for its lines, in the budget of all ingests, and for its receipts
 * on the way out. What is not taken stays in the client's hands: node reads no more of the socket.
 */
export class Inflow {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #parts: InflowParts
  /** Read from the socket, and waiting for room in the budget. */
  #chunk: Buffer | undefined
  #takenBytes = 0
  /** Since when one and the same line, or chunk, is waited for. */
  #stuckSinceMs: number | undefined
  #isOver = false
  #resolve: (() => void) | undefined
  readonly #wake = (): void => this.wake()

  constructor(request: IncomingMessage, response: ServerResponse, parts: InflowParts) {
    this.#request = request
    this.#response = response
    this.#parts = parts
    request.on('readable', this.#wake).on('end', this.#wake).on('close', this.#wake).on('error', this.#wake)
    response.on('drain', this.#wake).on('close', this.#wake).on('error', this.#wake)
    // Every ingest listens here, so the usual limit of listeners does not mean a leak.
    setMaxListeners(0, parts.context.closing)
    parts.context.closing.addEventListener('abort', this.#wake)
  }

  get isClientGone(): boolean {
    const isCutOff = this.#request.destroyed && !this.#request.readableEnded
    return this.#response.destroyed || isCutOff
  }

  /**
   * The next piece of the body, 'none' when there is none or no room for it now, or 'end'. `heldBytes`: of the line that has not
   * ended. Errors: 'request-timeout' for a line that does not end in time, 'overloaded' when no room comes.
   */
  next(state: { readonly isFull: boolean; readonly heldBytes: number }): Buffer | 'none' | 'end' {
    if (state.isFull || this.#response.writableNeedDrain) {
      // The log's pace, or the client's own: no line is late.
      this.#stuckSinceMs = undefined
      return 'none'
    }
    const chunk = this.#chunk ?? (this.#request.read() as Buffer | null)
    if (chunk === null) {
      if (this.#request.readableEnded) return 'end'
      if (state.heldBytes === 0) this.#stuckSinceMs = undefined
      else this.#checkTime('request-timeout', 'A line did not end in time.')
      return 'none'
    }
    if (!this.#parts.context.ingests.take(chunk.byteLength)) {
      this.#chunk = chunk
      this.#checkTime(
        'overloaded',
        `All ${this.#parts.context.ingests.bytesMax} bytes for ingests are taken.`,
      )
      this.#parts.context.ingests.onRoom(this.#wake)
      return 'none'
    }
    this.#chunk = undefined
    this.#takenBytes += chunk.byteLength
    if (state.heldBytes === 0 || chunk.includes(0x0a)) this.#stuckSinceMs = undefined
    return chunk
  }

  /** Lines are answered, or were blank. */
  give(byteCount: number): void {
    this.#takenBytes -= byteCount
    this.#parts.context.ingests.give(byteCount)
  }

  /** Resolves when anything has happened that may let the ingest go on. */
  async change(): Promise<void> {
    const { timers, context } = this.#parts
    const leftMs = context.options.bodyTimeoutMs - (timers.nowMs() - (this.#stuckSinceMs ?? 0))
    const cancel =
      this.#stuckSinceMs === undefined ? () => undefined : timers.after(Math.max(0, leftMs), this.#wake)
    await new Promise<void>((resolve) => (this.#resolve = resolve))
    cancel()
  }

  wake(): void {
    this.#resolve?.()
    this.#resolve = undefined
  }

  /** Gives all back that is still taken, and listens no more. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.give(this.#takenBytes)
    this.#parts.context.ingests.offRoom(this.#wake)
    for (const name of ['readable', 'end', 'close', 'error']) this.#request.off(name, this.#wake)
    for (const name of ['drain', 'close']) this.#response.off(name, this.#wake)
    this.#parts.context.closing.removeEventListener('abort', this.#wake)
  }

  #checkTime(code: 'request-timeout' | 'overloaded', detail: string): void {
    const nowMs = this.#parts.timers.nowMs()
    this.#stuckSinceMs ??= nowMs
    const timeoutMs = this.#parts.context.options.bodyTimeoutMs
    if (nowMs - this.#stuckSinceMs < timeoutMs) return
    throw new SynodError(code, detail, {
      hint: `Begin a line only when you have all of it: it has ${timeoutMs} ms to end.`,
    })
  }
}
