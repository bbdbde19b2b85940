import type { TopicId } from '../../src/types/ids.ts'
import type { ProduceOperation } from '../history/operation.ts'
import type { Random } from '../sim/random.ts'
import { TrimTruth } from '../sim-brokers/trim-truth.ts'
import { call, json } from '../system/api.ts'
import { isUnexpected } from './sending.ts'

interface TrimmerOptions {
  readonly urls: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly random: Random
  /** How long records are kept at least; null: until somebody orders otherwise. */
  readonly retentionMs: number | null
  /** Something is gone that nobody may have trimmed, or is shown though it is. */
  wrong(sentence: string): void
}

export interface TrimCounts {
  /** Orders that were answered as done, and that nobody knows of. */
  readonly done: number
  readonly unknown: number
  /** Why records are gone in some partition. */
  readonly reasons: ReadonlySet<'trim' | 'retention'>
}

const ROUND_MS = 200
const ORDER_MS_MAX = 5_000
/** Mostly readers that are up to date have what is trimmed. */
const TO_THE_END_CHANCE = 0.2

/** Trims every other partition as an operator does, and judges every first offset that anybody is told. */
export class Trimmer {
  readonly #options: TrimmerOptions
  readonly #truth: TrimTruth
  readonly #topic: { readonly id: TopicId; readonly name: string }
  /** One more than the highest offset that was acknowledged, by partition. */
  readonly #ends = new Map<number, number>()
  readonly #done: Promise<void>
  readonly #counts = { done: 0, unknown: 0 }
  #isStopping = false

  constructor(options: TrimmerOptions) {
    this.#options = options
    this.#topic = { id: options.topic as TopicId, name: options.topic }
    this.#truth = new TrimTruth({
      judge: {
        demand: (isKept, _rule, detail) => {
          if (!isKept) options.wrong(detail())
        },
      },
      latestWallMs: Date.now,
      retentionMs: () => options.retentionMs,
    })
    this.#done = this.#run()
  }

  /** Who stored something tells, so that it is known what may be gone. */
  stored({ outcome, startMs, records }: ProduceOperation): void {
    if (outcome !== 'ok') return
    const atMs = Date.now() - (performance.now() - startMs)
    for (const { partition, offset } of records) {
      if (partition === undefined || offset === undefined) continue
      this.#ends.set(partition, Math.max(this.#ends.get(partition) ?? 0, offset + 1))
      this.#truth.stored(this.#topic, partition, { offset, atMs })
    }
  }

  /** Somebody was told that the partition begins there. */
  told(partition: number, logStart: number): void {
    this.#truth.told(this.#topic, partition, logStart)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#done
  }

  /** Says of each partition below where nobody has to have seen anything. */
  finish(trimmed: (partition: number, below: number) => void): TrimCounts {
    const reasons = this.#truth.finish({
      trimmed: (_topic, partition, below) => trimmed(partition, below),
    })
    return { ...this.#counts, reasons }
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
      const { random, urls, topic, partitions } = this.#options
      const any = random.integer(partitions)
      const isOrder = random.chance(0.5)
      // The others show that nothing goes where nobody ordered it. A partition alone is trimmed too.
      const partition = isOrder ? Math.min(any | 1, partitions - 1) : any
      const path = `${random.pick(urls)}/v1/topics/${topic}/partitions/${partition}`
      await (isOrder ? this.#order(path, partition) : this.#look(path, partition))
    }
  }

  async #order(path: string, partition: number): Promise<void> {
    const { random } = this.#options
    const end = this.#ends.get(partition) ?? 0
    const begin = this.#truth.shownFrom(this.#topic, partition)
    const below = random.chance(TO_THE_END_CHANCE) ? end : Math.floor((begin + end) / 2)
    const beforeOffset = begin + random.integer(Math.max(0, below - begin) + 1)
    this.#truth.ordered(this.#topic, partition, beforeOffset)
    const answer = await this.#ask(`${path}/trim`, json('POST', { beforeOffset }))
    if (answer === undefined) {
      this.#counts.unknown++
      return
    }
    this.#truth.done(this.#topic, partition, Number(answer['logStart']))
    this.#counts.done++
  }

  /** Who asks now for the newest state is not shown what was trimmed before. */
  async #look(path: string, partition: number): Promise<void> {
    const shownFrom = this.#truth.shownFrom(this.#topic, partition)
    const answer = await this.#ask(`${path}/offsets?linearizable=true`, {})
    if (answer === undefined) return
    const earliest = Number(answer['earliest'])
    this.told(partition, earliest)
    if (earliest < shownFrom)
      this.#options.wrong(
        `Partition ${partition} begins at ${earliest}, and was trimmed up to ${shownFrom} before.`,
      )
  }

  /** Undefined where nobody knows. */
  async #ask(address: string, request: RequestInit): Promise<Record<string, unknown> | undefined> {
    try {
      const signal = AbortSignal.timeout(ORDER_MS_MAX)
      const { status, body } = await call(address, '', { ...request, signal })
      if (status === 200) return body
      if (isUnexpected(status)) this.#options.wrong(`${address} answered ${status}: ${JSON.stringify(body)}`)
    } catch {
      // The broker is away.
    }
    return undefined
  }
}
