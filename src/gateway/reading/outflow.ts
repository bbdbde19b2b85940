import type { Socket } from 'node:net'

/**
 * Whether bytes still leave a socket. A slow reader is fine as long as some do; only one that takes none is given up.
 * `writeQueueSize` is what Node's own socket timeout looks at: it falls while a single large write is taken in pieces,
 * which no public counter shows.
 */
export class Outflow {
  readonly #socket: Socket
  #sentBytesMax = 0
  #queuedBytes = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes that were written and have not left this process. */
  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  /** True if some byte left since the last call. `ignoredBytes`: written so far and no sign of life, like pings. */
  moved(ignoredBytes = 0): boolean {
    const queuedBytes = queueOf(this.#socket)
    const sentBytes = this.#socket.bytesWritten - this.#socket.writableLength - ignoredBytes
    const hasMoved = sentBytes > this.#sentBytesMax || queuedBytes < this.#queuedBytes
    this.#sentBytesMax = Math.max(this.#sentBytesMax, sentBytes)
    this.#queuedBytes = queuedBytes
    return hasMoved
  }
}

function queueOf(socket: Socket): number {
  const handle = (socket as { _handle?: { writeQueueSize?: number } | null })._handle
  return handle?.writeQueueSize ?? 0
}
