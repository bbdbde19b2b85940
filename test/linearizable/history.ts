import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'

/** What a client asked and was told, as the checker reads it (checker/models.go). */
export interface Told {
  readonly action: 'create' | 'delete' | 'get' | 'append' | 'end'
  /** What came of it; 'unknown': it may take effect, perhaps later. */
  readonly outcome: 'created' | 'existed' | 'done' | 'found' | 'absent' | 'unknown'
  readonly id?: string
  readonly offset?: number
}

/** After everything else: when an operation ends of which nobody knows whether it took effect. */
const FOREVER_NS = 2 ** 52

/** One file of operations, times in nanoseconds since the history began. */
export class History {
  readonly path: string
  readonly #file: WriteStream
  readonly #startNs = process.hrtime.bigint()
  #count = 0

  constructor(path: string) {
    this.path = path
    this.#file = createWriteStream(path)
  }

  get count(): number {
    return this.#count
  }

  nowNs(): number {
    return Number(process.hrtime.bigint() - this.#startNs)
  }

  add(object: string, client: number, callNs: number, told: Told, returnNs = this.nowNs()): void {
    this.#count++
    const line = {
      object,
      client,
      ...told,
      callNs,
      returnNs: told.outcome === 'unknown' ? FOREVER_NS : returnNs,
    }
    this.#file.write(`${JSON.stringify(line)}\n`)
  }

  async close(): Promise<void> {
    this.#file.end()
    await once(this.#file, 'finish')
  }
}
