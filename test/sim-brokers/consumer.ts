import type { Topic } from '../../src/types/topic.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { seenRecords } from './histories.ts'
import { sleep } from './scene.ts'

/** Reads of one partition before the consumer turns to another one. */
const READS_MAX = 40

/** Follows partitions from offset to offset, on one broker or another, fast or slowly. */
export class Consumer {
  readonly #name: string
  readonly #clients: Clients
  readonly #random: Random
  #followedCount = 0

  constructor(name: string, clients: Clients, random: Random) {
    this.#name = name
    this.#clients = clients
    this.#random = random
  }

  async run(): Promise<void> {
    const { scene } = this.#clients
    while (!this.#clients.isOver) {
      await sleep(scene, this.#random.exponential(scene.swarm.readEveryMs))
      const topic = await this.#clients.anyTopic(this.#random)
      if (topic !== undefined) await this.#follow(topic)
    }
  }

  async #follow(topic: Topic): Promise<void> {
    const { scene, histories } = this.#clients
    const random = this.#random
    const partition = random.integer(topic.partitions.length)
    const reader = `${this.#name}-${++this.#followedCount}`
    let position = random.chance(0.7) ? 0 : await this.#latest(topic, partition)
    if (position === undefined) return
    histories.reads(topic, reader, { [partition]: position })
    let broker = this.#clients.anyBroker(random)
    for (let count = 0; count < READS_MAX && !this.#clients.isOver; count++) {
      if (random.chance(0.2)) broker = this.#clients.anyBroker(random)
      const next = await this.#read(topic, partition, { reader, position, broker })
      if (next === undefined) return
      if (next === position) broker = this.#clients.anyBroker(random)
      position = next
      await sleep(scene, random.exponential(scene.swarm.readEveryMs))
    }
  }

  /** The next position; undefined when the topic is gone. */
  async #read(
    topic: Topic,
    partition: number,
    {
      reader,
      position,
      broker,
    }: { reader: string; position: number; broker: ReturnType<Clients['anyBroker']> },
  ): Promise<number | undefined> {
    const { scene, histories, truth, trims } = this.#clients
    const random = this.#random
    const request = {
      partition,
      fromOffset: position,
      recordsMax: random.pick([1, 5, 1_000]),
      bytesMax: random.pick([1, 1_000_000]),
      waitMs: random.pick([0, 200, 1_000]),
      signal: undefined,
    }
    try {
      const { batches, logStart, highWatermark } = await broker.ask(async (ports) =>
        ports.log.read({ ...request, topic: this.#clients.asKnownTo(ports, topic) }),
      )
      const records = seenRecords(partition, batches, position)
      const next = position + records.length
      const first = records[0]?.[1] ?? position
      histories.saw(topic, reader, records)
      histories.told(topic, partition, highWatermark)
      trims.told(topic, partition, logStart)
      scene.judge.demand(
        first === position && highWatermark >= next,
        'watermark',
        () =>
          `${reader} at ${position} was given ${records.length} records from ${first} on below ${highWatermark}`,
      )
      scene.trace.note(
        TRACED.CLIENT,
        broker.id,
        next,
        scene.queue.nowMs,
        () =>
          `${reader}: ${topic.name}/${partition} at broker ${broker.id} from ${position} to ${next} of ${highWatermark}`,
      )
      return next
    } catch (error) {
      const { code, logStart } = refusalOf(error)
      if (code === 'topic-deleted') {
        scene.judge.demand(
          truth.mayBeDeleted(topic.name),
          'metadata',
          () => `${reader} was told that ${topic.name} is deleted, which nobody asked for`,
        )
        return undefined
      }
      if (logStart !== undefined && logStart > position) {
        trims.told(topic, partition, logStart)
        histories.reads(topic, reader, { [partition]: logStart })
        return logStart
      }
      // All below the position was committed: nobody may say that there is less.
      scene.judge.demand(
        code !== 'offset-out-of-range' && code !== 'offset-trimmed',
        'watermark',
        () => `${reader} at ${position} of ${topic.name}/${partition} was told ${code}`,
      )
      return position
    }
  }

  async #latest(topic: Topic, partition: number): Promise<number | undefined> {
    const { scene, histories } = this.#clients
    const linearizable = this.#random.chance(0.5)
    const told = histories.knownEnd(topic, partition)
    try {
      const broker = this.#clients.anyBroker(this.#random)
      const end = await broker.ask(async (ports) =>
        ports.log.resolve(
          this.#clients.asKnownTo(ports, topic),
          partition,
          { kind: 'latest' },
          { consistency: linearizable ? 'linearizable' : 'local' },
        ),
      )
      scene.judge.demand(
        !linearizable || end >= told,
        'watermark',
        () => `the linearizable end of ${topic.name}/${partition} is ${end}; ${told} was known before`,
      )
      return end
    } catch (error) {
      refusalOf(error)
      return undefined
    }
  }
}
