import { once } from 'node:events'
import { WebSocket } from 'ws'
import { SessionClient } from '../gateway/ws/session-client.ts'
import { eventually } from '../support/eventually.ts'
import type { Acknowledged } from './producers.ts'

/** Stores numbered values over one session, each under its producer's next number, and sends again what may be sent again. */
export class SessionProducer {
  readonly acknowledged: Acknowledged[] = []
  readonly #client: SessionClient
  readonly #topic: string
  readonly #name: string
  readonly #done: Promise<void>
  #isStopping = false

  private constructor(client: SessionClient, topic: string, name: string) {
    this.#client = client
    this.#topic = topic
    this.#name = name
    this.#done = this.#run()
    // Whoever stops it hears of it.
    this.#done.catch(() => undefined)
  }

  static async open(url: string, topic: string, name: string): Promise<SessionProducer> {
    const client = new SessionClient(new WebSocket(`${url.replace('http:', 'ws:')}/v1/ws`))
    await once(client.socket, 'open')
    return new SessionProducer(client, topic, name)
  }

  /** Finishes the value under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#done
    this.#client.socket.close()
  }

  terminate(): void {
    this.#isStopping = true
    this.#client.socket.terminate()
  }

  async #run(): Promise<void> {
    for (let seq = 0; !this.#isStopping; seq++) {
      const value = `${this.#name}-${seq}`
      for (let attempt = 0; ; attempt++) {
        const stored = await this.#store(`${seq}/${attempt}`, value, seq)
        if (stored === undefined) continue
        this.acknowledged.push({ value, ...stored })
        break
      }
    }
  }

  /** Undefined if it has to be sent again. */
  async #store(
    id: string,
    value: string,
    seq: number,
  ): Promise<{ readonly partition: number; readonly offset: number } | undefined> {
    const client = this.#client
    const producer = { id: this.#name, epoch: 0, seq }
    client.send({ type: 'produce', id, topic: this.#topic, records: [{ text: value }], producer })
    const answer = await eventually(
      () => {
        const found = [...client.of('produced'), ...client.of('error')].find((frame) => frame.id === id)
        if (found === undefined) throw new Error(`Nothing is said of ${value}.`)
        return found
      },
      { timeoutMs: 20_000 },
    )
    if (answer.type === 'error') {
      if (answer.problem.retryable) return undefined
      throw new Error(`${value} is refused: ${JSON.stringify(answer.problem)}`)
    }
    const [receipt] = answer.results
    if (receipt?.offset === undefined) throw new Error(`${value} has no offset.`)
    return { partition: receipt.partition, offset: receipt.offset }
  }
}
