import { invariant } from '../../types/invariant.ts'

/** Encoded and written in one turn of the event loop, over all readers: a few milliseconds. */
const TURN_BYTES_MAX = 512 * 1024

interface Waiting {
  readonly byteCount: number
  readonly resolve: () => void
}

/**
 * Spreads the work for readers over turns of the event loop. Hundreds of readers that catch up at once would otherwise keep
 * the loop busy for seconds, and a broker that is silent for so long is taken for dead. Who waits is served in order; there
 * is one who waits a connection, whose number is bounded.
 */
export class Turns {
  readonly #bytesMax: number
  #bytes = 0
  #waiting: Waiting[] = []
  #isScheduled = false

  constructor(bytesMax: number = TURN_BYTES_MAX) {
    invariant(bytesMax > 0, 'A turn has room for a byte.')
    this.#bytesMax = bytesMax
  }

  /** Call it before that much is encoded or written. Undefined: go on at once; else wait for the promise. */
  enter(byteCount: number): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#bytes < this.#bytesMax) {
      this.#bytes += byteCount
      this.#schedule()
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push({ byteCount, resolve }))
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#next())
  }

  /** Immediates of one round all run before the loop looks at its sockets, so a round lets in only what fits a turn. */
  #next(): void {
    this.#isScheduled = false
    this.#bytes = 0
    let count = 0
    while (count < this.#waiting.length && this.#bytes < this.#bytesMax) {
      const waiting = this.#waiting[count++]
      invariant(waiting !== undefined, 'Whoever is counted waits.')
      this.#bytes += waiting.byteCount
      waiting.resolve()
    }
    this.#waiting.splice(0, count)
    if (count > 0) this.#schedule()
  }
}

/** A process has one event loop, so all its readers share these. */
export const READER_TURNS = new Turns()
