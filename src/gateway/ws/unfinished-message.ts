import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { invariant } from '../../types/invariant.ts'
import type { ByteBudget } from '../http/byte-budget.ts'

/** As much as one read of a socket brings; so much of each client needs no room in the budget. */
const FREE_BYTES = 64 * 1024
/** A frame of a client: two bytes, more for longer payloads, and four of mask. */
const HEADER_BYTES = 6
const LENGTH_16_BYTES = 2
const LENGTH_64_BYTES = 8

/**
 * What a client has sent of a message that has not ended. `ws` keeps it until it ends, for each client by itself; together they
 * must not take more than the budget.
 */
export class UnfinishedMessage {
  readonly #budget: ByteBudget
  readonly #onFull: () => void
  #heldBytes = 0
  #takenBytes = 0
  #lastChunkBytes = 0
  /** Since which look one message has been taking room. */
  #sinceMs: number | undefined
  #isOver = false

  /** `onFull` is called, once, when there is no room for more. Gives all back when the socket closes. */
  constructor(
    ends: { readonly webSocket: WebSocket; readonly socket: Socket },
    budget: ByteBudget,
    onFull: () => void,
  ) {
    this.#budget = budget
    this.#onFull = onFull
    const { webSocket, socket } = ends
    // Before `ws` takes the chunk, and with it the end of the message.
    socket.prependListener('data', (chunk: Buffer) => this.#add(chunk.byteLength))
    for (const name of ['message', 'ping', 'pong'] as const)
      webSocket.on(name, (data: Buffer) => this.#end(data.byteLength))
    webSocket.once('close', () => {
      this.#isOver = true
      this.#budget.give(this.#takenBytes)
      this.#takenBytes = 0
    })
  }

  /** Whether messages have kept room from others for so long. Called every few seconds. */
  isLate(nowMs: number, timeoutMs: number): boolean {
    if (this.#takenBytes === 0) return false
    this.#sinceMs ??= nowMs
    return nowMs - this.#sinceMs >= timeoutMs
  }

  #add(byteCount: number): void {
    this.#heldBytes += byteCount
    this.#lastChunkBytes = byteCount
    this.#settle()
  }

  /** What follows the end came in the last chunk. That also forgets the headers of fragments, which nobody tells of. */
  #end(payloadBytes: number): void {
    const left = this.#heldBytes - frameBytes(payloadBytes)
    this.#heldBytes = Math.max(0, Math.min(left, this.#lastChunkBytes))
    this.#sinceMs = undefined
    this.#settle()
  }

  #settle(): void {
    if (this.#isOver) return
    const wanted = Math.max(0, this.#heldBytes - FREE_BYTES)
    if (wanted <= this.#takenBytes) {
      this.#budget.give(this.#takenBytes - wanted)
    } else if (!this.#budget.take(wanted - this.#takenBytes)) {
      this.#isOver = true
      this.#budget.give(this.#takenBytes)
      this.#takenBytes = 0
      this.#onFull()
      return
    }
    this.#takenBytes = wanted
    invariant(this.#takenBytes <= this.#heldBytes, 'Only what is held takes room.')
  }
}

function frameBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return HEADER_BYTES + payloadBytes
  return HEADER_BYTES + payloadBytes + (payloadBytes < 65_536 ? LENGTH_16_BYTES : LENGTH_64_BYTES)
}
