import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { eventually } from '../support/eventually.ts'

/** What a producer was told about one value. */
export interface Acknowledged {
  readonly value: string
  readonly partition: number
  readonly offset: number
}

interface Problem {
  readonly code?: string
  readonly retryable?: boolean
}

/**
 * Produces numbered values one after the other until told to stop, each with idempotency fields, and sends again what a
 * problem says may be sent again, to the next broker. So every value must end up stored exactly once.
 */
export class LoadProducer {
  readonly acknowledged: Acknowledged[] = []
  /** Longest time between two acknowledgements, ms. */
  longestGapMs = 0
  #urls: () => readonly string[]
  readonly #topic: string
  readonly #name: string
  readonly #form: 'key' | 'sequence'
  readonly #done: Promise<void>
  #isStopping = false
  #isAbandoned = false
  #turn = 0

  /** `form`: how a value is recognised when it is sent again, by a key of its own or by the producer's numbers. */
  constructor(options: {
    urls: () => readonly string[]
    topic: string
    name: string
    form?: 'key' | 'sequence'
  }) {
    this.#urls = options.urls
    this.#topic = options.topic
    this.#name = options.name
    this.#form = options.form ?? 'key'
    this.#done = this.#run()
  }

  /** Brokers that came up at other addresses. */
  redirect(urls: () => readonly string[]): void {
    this.#urls = urls
  }

  /** Finishes the value under way. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#done
  }

  /** Gives the value under way up: a test that fails must not leave somebody behind who tries for ever. */
  abandon(): void {
    this.#isStopping = true
    this.#isAbandoned = true
    this.#done.catch(() => {})
  }

  async #run(): Promise<void> {
    let lastMs = performance.now()
    for (let i = 0; !this.#isStopping; i++) {
      const value = `${this.#name}-${i}`
      this.acknowledged.push(await this.#store(value, this.#identity(i)))
      const nowMs = performance.now()
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - lastMs)
      lastMs = nowMs
    }
  }

  #identity(sequence: number): Record<string, string> {
    if (this.#form === 'key') return { 'idempotency-key': randomUUID() }
    return { 'producer-id': this.#name, 'producer-epoch': '0', 'producer-seq': String(sequence) }
  }

  async #store(value: string, identity: Record<string, string>): Promise<Acknowledged> {
    for (;;) {
      if (this.#isAbandoned) throw new Error(`The producer of ${value} was abandoned.`)
      const urls = this.#urls()
      const url = urls[this.#turn % urls.length]!
      try {
        const response = await fetch(`${url}/v1/topics/${this.#topic}/records`, {
          method: 'POST',
          body: value,
          headers: { 'content-type': 'text/plain', ...identity },
          signal: AbortSignal.timeout(8_000),
        })
        const body = (await response.json()) as Acknowledged & Problem
        if (response.ok) return { value, partition: body.partition, offset: body.offset }
        if (body.retryable !== true && body.code !== 'outcome-unknown')
          throw new Error(`${response.status} ${JSON.stringify(body)}`)
      } catch (error) {
        // A broker that is gone breaks the connection; its idempotency fields make it safe to try the next one.
        if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error
      }
      this.#turn++
      await new Promise((done) => setTimeout(done, 10))
    }
  }
}

/** Waits until the producers together have more than `count` acknowledgements. */
export async function acknowledgedBeyond(producers: readonly LoadProducer[], count: number): Promise<void> {
  await eventually(
    () => {
      const done = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
      assert.ok(done > count, `${done} of ${count} are acknowledged`)
    },
    { timeoutMs: 30_000 },
  )
}
