import type { AppendReceipt } from '../../src/gateway/ports.ts'
import type { Idempotency, RecordDraft } from '../../src/types/record.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { Outcome } from '../history/operation.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { Clients } from './clients.ts'
import { refusalOf, type Refusal } from './connection.ts'
import type { SimulatedBroker } from './broker.ts'
import { sleep } from './scene.ts'

type Identity = 'key' | 'sequence' | 'none'

/** Sending the same again would come to the same. */
const FINAL: ReadonlySet<ErrorCode | 'refused' | 'lost'> = new Set(['topic-deleted', 'topic-closed'])
/** A client that does everything right is never told so. */
const WRONG: ReadonlySet<ErrorCode | 'refused' | 'lost'> = new Set([
  'producer-fenced',
  'sequence-gap',
  'idempotency-key-reused',
  'offset-mismatch',
  'topic-not-found',
])
/** Tries of a producer whose records nobody could recognise, after certain refusals only. */
const PLAIN_TRIES_MAX = 4

interface Batch {
  readonly topic: Topic
  readonly partition: number
  readonly values: readonly string[]
  readonly records: readonly RecordDraft[]
  readonly idempotency: Idempotency | undefined
  readonly acks: 'majority' | 'all'
  readonly tryCountMax: number
}

interface Result {
  readonly outcome: Outcome
  readonly receipt: AppendReceipt | undefined
}

/** Sends one batch after the other, each until its outcome is known as well as it can be. */
export class Producer {
  readonly #name: string
  readonly #clients: Clients
  readonly #random: Random
  readonly #identity: Identity
  #sentCount = 0
  /** For producers with sequence numbers: the stream that goes on, in one partition. */
  #stream: { readonly id: string; readonly topic: Topic; readonly partition: number; seq: number } | undefined

  constructor(name: string, identity: Identity, clients: Clients, random: Random) {
    this.#name = name
    this.#identity = identity
    this.#clients = clients
    this.#random = random
  }

  async run(): Promise<void> {
    const { scene } = this.#clients
    for (;;) {
      await sleep(scene, this.#random.exponential(scene.swarm.produceEveryMs))
      if (this.#clients.isOver) return
      const topic = this.#stream?.topic ?? (await this.#clients.anyTopic(this.#random))
      if (topic !== undefined)
        await this.produce(topic, this.#stream?.partition ?? this.#random.integer(topic.partitions.length))
    }
  }

  /** Sends one batch; resolves when its outcome is known as well as it can be. */
  async produce(topic: Topic, partition: number): Promise<void> {
    const { scene, histories, trims } = this.#clients
    const batch = this.#batch(topic, partition)
    const startMs = scene.queue.nowMs
    const { outcome, receipt } = await this.#send(batch)
    const base = receipt?.baseOffset
    scene.trace.note(
      TRACED.CLIENT,
      batch.partition,
      base ?? batch.values.length,
      scene.queue.nowMs,
      () =>
        `${this.#name}: ${batch.values.join(' ')} in ${topic.name}/${batch.partition}: ${outcome} ${base}`,
    )
    if (outcome !== 'ok') this.#stream = undefined
    else if (this.#stream !== undefined) this.#stream.seq += batch.records.length
    if (base !== undefined && receipt !== undefined)
      for (const place of batch.values.keys())
        trims.stored(topic, partition, { offset: base + place, atMs: receipt.appendedAtMs })
    histories.produced(topic, {
      type: 'produce',
      producer: this.#name,
      identity: this.#identity,
      startMs,
      endMs: scene.queue.nowMs,
      outcome,
      records: batch.values.map((value, place) => ({
        value,
        partition: batch.partition,
        offset: base === undefined ? undefined : base + place,
      })),
    })
  }

  async #send(batch: Batch): Promise<Result> {
    const { scene } = this.#clients
    let isPerhapsStored = false
    for (let tries = 1; ; tries++) {
      const answer = await this.#try(this.#clients.anyBroker(this.#random), batch)
      if ('receipt' in answer) return { outcome: 'ok', receipt: answer.receipt }
      const { code, isCertainNo } = answer.refusal
      scene.trace.note(
        TRACED.CLIENT,
        batch.partition,
        tries,
        scene.queue.nowMs,
        () => `${this.#name}: ${batch.values[0]} in ${batch.topic.name}/${batch.partition}: ${code}`,
      )
      scene.judge.demand(!WRONG.has(code), 'refusal', () => `${this.#name} was told ${code}`)
      isPerhapsStored ||= !isCertainNo
      const isOver = FINAL.has(code) || (this.#identity === 'none' && isPerhapsStored)
      if (isOver || tries >= batch.tryCountMax)
        return { outcome: isPerhapsStored ? 'unknown' : 'failed', receipt: undefined }
      await sleep(scene, this.#random.exponential(scene.swarm.retryAfterMs))
    }
  }

  async #try(
    broker: SimulatedBroker,
    batch: Batch,
  ): Promise<{ readonly receipt: AppendReceipt } | { readonly refusal: Refusal }> {
    const { topic, partition, records, idempotency, acks } = batch
    try {
      const receipt = await broker.ask(async (ports) =>
        ports.log.append({
          topic: this.#clients.asKnownTo(ports, topic),
          partition,
          records,
          idempotency,
          expectedOffset: undefined,
          acks,
        }),
      )
      return { receipt }
    } catch (error) {
      return { refusal: refusalOf(error) }
    }
  }

  #batch(topic: Topic, partition: number): Batch {
    const { swarm } = this.#clients.scene
    const random = this.#random
    const values = Array.from(
      { length: 1 + random.integer(swarm.recordsMax) },
      () => `${this.#name}-${++this.#sentCount}`,
    )
    if (this.#identity === 'sequence')
      this.#stream ??= { id: `${this.#name}-${this.#sentCount}`, topic, partition, seq: 0 }
    const padding = ' '.repeat(1 + random.integer(swarm.valueBytesMax + 1))
    return {
      topic,
      partition,
      values,
      records: values.map((value) => textRecord(value + padding)),
      idempotency: this.#idempotency(values[0] as string),
      acks: random.chance(swarm.allAcksRate) ? 'all' : 'majority',
      tryCountMax: this.#identity === 'none' ? PLAIN_TRIES_MAX : Infinity,
    }
  }

  #idempotency(key: string): Idempotency | undefined {
    if (this.#stream !== undefined) {
      const { id, seq } = this.#stream
      return { kind: 'producer', id, epoch: 0, seq }
    }
    return this.#identity === 'key' ? { kind: 'key', key, fingerprint: FINGERPRINT } : undefined
  }
}

const FINGERPRINT = new Uint8Array(32).fill(7)

export function textRecord(text: string): RecordDraft {
  return {
    form: 'text',
    key: undefined,
    value: Buffer.from(text, 'latin1'),
    contentType: undefined,
    timestampMs: undefined,
    headers: [],
  }
}
