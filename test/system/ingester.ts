import { request, type IncomingMessage } from 'node:http'
import type { Acknowledged } from './producers.ts'

/** Lines that are sent and have no receipt. */
const WINDOW_LINES = 300
const ANSWER_MS_MAX = 15_000

interface Line {
  readonly partition?: number
  readonly offset?: number
  readonly duplicate?: boolean
  readonly end?: boolean
  readonly problem?: { readonly code: string; readonly retryable: boolean }
}

/** How one connection ended: by its last line, or without one. */
type Ending = Line | undefined

/**
 * Ingests numbered values, one after the other. With numbers it goes on after any break, at the next broker, with the first
 * value that it has no receipt for; without, it ends where its first connection does.
 */
export class Ingester {
  readonly acknowledged: Acknowledged[] = []
  /** Values with a receipt, of which some may not say where they are. */
  receiptCount = 0
  /** How often it had to begin anew. */
  breakCount = 0
  readonly done: Promise<Ending>
  readonly #urls: () => readonly string[]
  readonly #options: { readonly topic: string; readonly name: string; readonly isNumbered: boolean }
  #isStopping = false
  #turn: number

  /** `first`: which of the brokers it begins with. */
  constructor(
    urls: () => readonly string[],
    first: number,
    options: { readonly topic: string; readonly name: string; readonly isNumbered: boolean },
  ) {
    this.#urls = urls
    this.#turn = first
    this.#options = options
    this.done = this.#run()
    // Whoever waits for it hears of a failure; a test that failed before does not.
    this.done.catch(() => {})
  }

  /** Sends no further value; `done` resolves when all that were sent have receipts. */
  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<Ending> {
    for (;;) {
      const urls = this.#urls()
      const ending = await this.#connect(urls[this.#turn % urls.length]!)
      if (ending?.end === true || !this.#options.isNumbered) return ending
      const { problem } = ending ?? {}
      if (problem !== undefined && !problem.retryable) throw new Error(JSON.stringify(problem))
      this.breakCount++
      this.#turn++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #connect(url: string): Promise<Ending> {
    const { topic, name, isNumbered } = this.#options
    const numbers = {
      'Producer-Id': name,
      'Producer-Epoch': '0',
      'Producer-Seq': String(this.receiptCount),
    }
    return new Promise((resolve) => {
      let ending: Ending
      const sent = request(`${url}/v1/topics/${topic}/ingest`, {
        method: 'POST',
        agent: false,
        headers: { 'Content-Type': 'application/x-ndjson', ...(isNumbered ? numbers : {}) },
        // A broker that is up answers or ends the connection.
        timeout: ANSWER_MS_MAX,
      })
      sent.on('timeout', () => sent.destroy())
      sent.on('error', () => undefined)
      sent.on('close', () => resolve(ending))
      sent.on('response', (response) => {
        this.#exchange(
          response,
          (text) => (text === undefined ? sent.end() : sent.write(text)),
          (line) => {
            ending = line
            sent.end()
          },
        )
      })
      sent.flushHeaders()
    })
  }

  /** Keeps the window full while receipts come. `send` without a text ends the body. */
  #exchange(
    response: IncomingMessage,
    send: (text: string | undefined) => void,
    onLast: (line: Line) => void,
  ): void {
    let next = this.receiptCount
    let hasEnded = false
    const fill = (): void => {
      for (; !this.#isStopping && next < this.receiptCount + WINDOW_LINES; next++)
        send(`${JSON.stringify({ text: `${this.#options.name}-${next}` })}\n`)
      if (this.#isStopping && !hasEnded) {
        hasEnded = true
        send(undefined)
      }
    }
    let rest = ''
    response.on('error', () => undefined)
    response.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) {
        const line = JSON.parse(text) as Line
        if (line.end === true || line.problem !== undefined) onLast(line)
        else this.#note(line)
      }
      fill()
    })
    fill()
  }

  #note({ partition, offset }: Line): void {
    const value = `${this.#options.name}-${this.receiptCount++}`
    if (partition !== undefined && offset !== undefined) this.acknowledged.push({ value, partition, offset })
  }
}
