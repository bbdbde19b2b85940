import type { Random } from '../sim/random.ts'
import { readAll } from '../system/read-all.ts'
import { ask, type Answered, type Client } from './client.ts'
import type { History } from './history.ts'

interface Unknown {
  readonly partition: number
  readonly value: string
  readonly client: number
  readonly callNs: number
}

export interface EndOptions {
  readonly urls: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly random: Random
  /** Appends of each partition: the histories must stay short enough to check. */
  readonly appendsMax: number
}

/** Append single records to partitions, and ask where the partitions end, linearizably. */
export class EndClients {
  readonly #history: History
  readonly #options: EndOptions
  readonly #unknown: Unknown[] = []
  readonly #counts: number[]
  #isOver = false

  constructor(history: History, options: EndOptions) {
    this.#history = history
    this.#options = options
    this.#counts = Array.from({ length: options.partitions }, () => 0)
  }

  stop(): void {
    this.#isOver = true
  }

  async append(client: Client, name: string): Promise<void> {
    const { urls, topic, random, partitions, appendsMax } = this.#options
    for (let turn = 0; !this.#isOver; turn++) {
      const partition = random.integer(partitions)
      if (++this.#counts[partition]! > appendsMax) return
      const value = `${name}-${turn}`
      const callNs = this.#history.nowNs()
      const path = `${random.pick(urls)}/v1/topics/${topic}/records?partition=${partition}`
      const answer = await ask(path, {
        method: 'POST',
        body: value,
        headers: { 'content-type': 'text/plain' },
      })
      if (isUnknown(answer)) {
        const number = client.next({ action: 'append', outcome: 'unknown' })
        this.#unknown.push({ partition, value, client: number, callNs })
      } else if (answer.status === 201) {
        const told = { action: 'append', outcome: 'done', offset: Number(answer.body['offset']) } as const
        this.#history.add(objectOf(partition), client.next(told), callNs, told)
      }
      await client.rest()
    }
  }

  async look(client: Client): Promise<void> {
    const { urls, topic, random, partitions } = this.#options
    while (!this.#isOver) {
      const partition = random.integer(partitions)
      const callNs = this.#history.nowNs()
      const path = `/v1/topics/${topic}/partitions/${partition}/offsets?linearizable=true`
      const answer = await ask(random.pick(urls) + path, {})
      if (answer !== 'unknown' && answer.status === 200) {
        const told = { action: 'end', outcome: 'found', offset: Number(answer.body['latest']) } as const
        this.#history.add(objectOf(partition), client.next(told), callNs, told)
      }
      await client.rest()
    }
  }

  /** Appends that nobody was told of: the log says which are there, and at which offset. Called when all is healed. */
  async resolveUnknown(): Promise<{ readonly stored: number; readonly absent: number }> {
    const { urls, topic, partitions } = this.#options
    const records = await readAll(urls[0]!, topic, partitions)
    const places = new Map(records.map(({ partition, offset, value }) => [`${partition} ${value}`, offset]))
    let stored = 0
    for (const { partition, value, client, callNs } of this.#unknown) {
      const offset = places.get(`${partition} ${value}`)
      if (offset === undefined) continue
      stored++
      const told = { action: 'append', outcome: 'done', offset } as const
      // It took effect at some time until now.
      this.#history.add(objectOf(partition), client, callNs, told)
    }
    return { stored, absent: this.#unknown.length - stored }
  }
}

function objectOf(partition: number): string {
  return `partition-${partition}`
}

function isUnknown(answer: Answered | 'unknown'): answer is 'unknown' {
  return answer === 'unknown' || answer.body['sideEffects'] === 'possible'
}
