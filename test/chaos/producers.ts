import { WebSocket } from 'ws'
import {
  createSynodClient,
  NoAnswer,
  SynodProblem,
  type SynodClient,
} from '../../clients/typescript/src/client.ts'
import type { Outcome, ProducedRecord, ProduceOperation } from '../history/operation.ts'
import type { Random } from '../sim/random.ts'
import { isUnexpected, sendRecord, textOf, valueOf } from './sending.ts'

export interface ProducerOptions {
  readonly name: string
  readonly urls: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly random: Random
  /** Between two operations. */
  readonly pauseMs: number
  record(operation: ProduceOperation): void
  /** An answer that no fault explains. */
  unexpected(sentence: string): void
}

interface Sent {
  readonly outcome: Outcome
  readonly records: readonly ProducedRecord[]
}

/** Operations one after the other, from the start until `stop`. */
abstract class Producer {
  protected readonly options: ProducerOptions
  protected isStopping = false
  readonly #identity: ProduceOperation['identity']
  readonly #done: Promise<void>
  #turn: number

  constructor(options: ProducerOptions, identity: ProduceOperation['identity']) {
    this.options = options
    this.#identity = identity
    this.#turn = options.random.integer(options.urls.length)
    // Not before the constructors of the kinds have run.
    this.#done = Promise.resolve().then(() => this.#run())
  }

  get name(): string {
    return this.options.name
  }

  /** Finishes the operation under way. */
  async stop(): Promise<void> {
    this.isStopping = true
    await this.#done
  }

  protected abstract send(count: number): Promise<Sent>

  /** The address of the broker whose turn it is. */
  protected get path(): string {
    const { urls, topic } = this.options
    return `${urls[this.#turn % urls.length]}/v1/topics/${topic}/records`
  }

  protected next(): void {
    this.#turn++
  }

  async #run(): Promise<void> {
    for (let count = 0; !this.isStopping; count++) {
      const startMs = performance.now()
      const sent = await this.send(count)
      this.options.record({
        type: 'produce',
        producer: this.name,
        identity: this.#identity,
        startMs,
        endMs: performance.now(),
        ...sent,
      })
      await pause(sent.outcome === 'failed' ? AFTER_FAILURE_MS : this.options.pauseMs)
    }
  }
}

/** A refusal comes fast; so many of them say nothing new. */
const AFTER_FAILURE_MS = 200
const PLAIN_TRY_MS = 8_000
/** Shorter than a broker takes to say that it does not know: what recognises a record makes it safe not to wait. */
const REPEATED_TRY_MS = 2_000
const REPEAT_PAUSE_MS = 50
/** Even without healing an operation ends. */
const OPERATION_MS_MAX = 90_000

/** One try, no idempotency: what became of it may stay unknown. Goes from broker to broker. */
export class PlainProducer extends Producer {
  constructor(options: ProducerOptions) {
    super(options, 'none')
  }

  protected async send(count: number): Promise<Sent> {
    const text = textOf(`${this.name}-${count}`, this.options.random)
    const value = valueOf(text)
    const result = await sendRecord(this.path, text, { headers: {}, timeoutMs: PLAIN_TRY_MS })
    this.next()
    if (result.kind === 'stored')
      return { outcome: 'ok', records: [{ value, partition: result.partition, offset: result.offset }] }
    if (result.kind === 'refused' && isUnexpected(result.status))
      this.options.unexpected(`${this.name}: ${result.status} ${result.code} for ${value}.`)
    return { outcome: result.isUnclear ? 'unknown' : 'failed', records: [{ value }] }
  }
}

/** Sends again, to the next broker, until it is stored or patience ends. */
abstract class RepeatingProducer extends Producer {
  protected abstract headers(count: number): Readonly<Record<string, string>>
  protected abstract triesMax(): number

  /** Nobody knows whether the record is stored, and it is not sent again. */
  protected gaveUp(_count: number): void {
    // Nothing depends on it, mostly.
  }

  protected async send(count: number): Promise<Sent> {
    const text = textOf(`${this.name}-${count}`, this.options.random)
    const value = valueOf(text)
    const headers = this.headers(count)
    const giveUpAtMs = performance.now() + OPERATION_MS_MAX
    const triesMax = this.triesMax()
    let isUnclear = false
    for (let tries = 1; ; tries++) {
      const result = await sendRecord(this.path, text, { headers, timeoutMs: REPEATED_TRY_MS })
      if (result.kind === 'stored')
        return { outcome: 'ok', records: [{ value, partition: result.partition, offset: result.offset }] }
      isUnclear ||= result.isUnclear
      this.next()
      const isWrong = result.kind === 'refused' && isUnexpected(result.status)
      if (isWrong) this.options.unexpected(`${this.name}: ${result.status} ${result.code} for ${value}.`)
      if (isWrong || tries >= triesMax || performance.now() > giveUpAtMs) {
        this.gaveUp(count)
        return { outcome: isUnclear ? 'unknown' : 'failed', records: [{ value }] }
      }
      await pause(REPEAT_PAUSE_MS)
    }
  }
}

/** Each record has a key of its own by which it is recognised. Sometimes it gives up after a try or two. */
export class KeyProducer extends RepeatingProducer {
  constructor(options: ProducerOptions) {
    super(options, 'key')
  }

  protected headers(count: number): Readonly<Record<string, string>> {
    return { 'idempotency-key': `${this.name}-${count}` }
  }

  protected triesMax(): number {
    return this.options.random.pick([1, 2, Infinity, Infinity, Infinity])
  }
}

/** Numbers its records in one partition, and never leaves one out: after one that it gave up it begins anew. */
export class SequenceProducer extends RepeatingProducer {
  #epoch = 0
  #epochFrom = 0

  constructor(options: ProducerOptions) {
    super(options, 'sequence')
  }

  protected headers(count: number): Readonly<Record<string, string>> {
    return {
      'producer-id': this.name,
      'producer-epoch': String(this.#epoch),
      'producer-seq': String(count - this.#epochFrom),
    }
  }

  protected override gaveUp(count: number): void {
    this.#epoch++
    this.#epochFrom = count + 1
  }

  protected triesMax(): number {
    return Infinity
  }
}

const BATCH_MS_MAX = 20_000

/** Batches over several partitions, by the TypeScript client. */
export class BatchProducer extends Producer {
  readonly #client: SynodClient

  constructor(options: ProducerOptions) {
    super(options, 'key')
    this.#client = createSynodClient(options.urls, { WebSocket, tryMs: REPEATED_TRY_MS })
  }

  protected async send(count: number): Promise<Sent> {
    const { random, topic, partitions } = this.options
    const inputs = Array.from({ length: 2 + random.integer(8) }, (_, index) => ({
      text: textOf(`${this.name}-${count}-${index}`, random),
      partition: random.integer(Math.min(partitions, 3)),
    }))
    const records = inputs.map(({ text, partition }) => ({ value: valueOf(text), partition }))
    try {
      const receipts = await this.#client.produce(topic, inputs, {
        timeoutMs: random.pick([1_000, BATCH_MS_MAX]),
      })
      return {
        outcome: 'ok',
        records: records.map((record, index) => ({ ...record, offset: receipts[index]!.offset })),
      }
    } catch (error) {
      return { outcome: this.#outcomeOf(error), records }
    }
  }

  #outcomeOf(error: unknown): Outcome {
    if (error instanceof NoAnswer) return 'unknown'
    if (!(error instanceof SynodProblem)) throw error
    if (isUnexpected(error.problem.status)) this.options.unexpected(`${this.name}: ${error.message}`)
    return error.problem.sideEffects === 'none' ? 'failed' : 'unknown'
  }
}

export type RunningProducer = Pick<Producer, 'name' | 'stop'>

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
