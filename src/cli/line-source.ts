import { StringDecoder } from 'node:string_decoder'
import { CommandError, EXIT } from './exit-codes.ts'

export interface LineLimits {
  /** At least 1. */
  readonly countMax: number
  readonly bytesMax: number
}

/** A longer line is refused, because a reader that waits for its end would keep all of it in memory. */
const LINE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Lines of a byte stream, taken in groups: as many as are there, but never waiting for more than the first. So a slow
 * stream is passed on line by line and a fast one in large groups. Reads from the stream only when asked.
 */
export class LineSource {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #decoder = new StringDecoder('utf8')
  readonly #lines: string[] = []
  #rest = ''
  #hasEnded = false
  #bytesRead = 0

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  /** The next lines without their ends; empty at the end of the stream. */
  async take(limits: LineLimits): Promise<readonly string[]> {
    while (this.#lines.length === 0 && !this.#hasEnded) await this.#read()
    let bytes = 0
    let count = 0
    for (const line of this.#lines) {
      bytes += line.length
      if (count >= limits.countMax || (count > 0 && bytes > limits.bytesMax)) break
      count++
    }
    return this.#lines.splice(0, count)
  }

  async #read(): Promise<void> {
    const chunk = await this.#chunks.next()
    if (chunk.done === true) {
      this.#hasEnded = true
      this.#rest += this.#decoder.end()
      if (this.#rest !== '') this.#lines.push(this.#rest)
      return
    }
    this.#bytesRead += chunk.value.byteLength
    const parts = (this.#rest + this.#decoder.write(Buffer.from(chunk.value))).split('\n')
    this.#rest = parts.pop() ?? ''
    if (this.#rest.length > LINE_BYTES_MAX) {
      throw new CommandError(EXIT.refused, `A line is longer than ${LINE_BYTES_MAX} bytes.`)
    }
    for (const part of parts) this.#lines.push(part.endsWith('\r') ? part.slice(0, -1) : part)
  }
}
