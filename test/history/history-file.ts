import { once } from 'node:events'
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { HistoryChecker, type Verdict } from './check-history.ts'
import type { Operation } from './operation.ts'

/** A history on disk, one operation a line, so that a long run costs no memory and a failed one can be looked at. */
export class HistoryFile {
  readonly path: string
  readonly #stream: WriteStream

  constructor(path: string) {
    this.path = path
    this.#stream = createWriteStream(path)
  }

  add(operation: Operation): void {
    this.#stream.write(`${JSON.stringify(operation)}\n`)
  }

  async close(): Promise<void> {
    this.#stream.end()
    await once(this.#stream, 'close')
  }
}

/** Checks the history in a file that is closed. */
export async function checkHistoryFile(path: string): Promise<Verdict> {
  const checker = new HistoryChecker()
  for await (const line of createInterface({ input: createReadStream(path) }))
    checker.add(JSON.parse(line) as Operation)
  return checker.finish()
}
