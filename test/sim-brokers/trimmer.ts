import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { sleep } from './scene.ts'

/** Trims partitions as an operator does, and looks where they begin. */
export class Trimmer {
  readonly #clients: Clients
  readonly #random: Random

  constructor(clients: Clients, random: Random) {
    this.#clients = clients
    this.#random = random
  }

  async run(): Promise<void> {
    const { scene, trims } = this.#clients
    const random = this.#random
    for (;;) {
      await sleep(scene, random.exponential(scene.swarm.trimEveryMs))
      if (this.#clients.isOver) return
      const topic = await this.#clients.anyTopic(random)
      if (topic === undefined || !this.#clients.mayBeTrimmed(topic.name)) continue
      const partition = random.integer(topic.partitions.length)
      const broker = this.#clients.anyBroker(random)
      const shownFrom = trims.shownFrom(topic, partition)
      try {
        if (random.chance(0.5)) {
          const beforeOffset = random.integer(this.#clients.histories.knownEnd(topic, partition) + 1)
          trims.ordered(topic, partition, beforeOffset)
          const logStart = await broker.ask(({ topics }) => topics.trim(topic, partition, beforeOffset))
          trims.done(topic, partition, logStart)
          scene.trace.note(
            TRACED.CLIENT,
            broker.id,
            logStart,
            scene.queue.nowMs,
            () => `${topic.name}/${partition} is trimmed below ${beforeOffset}: begins at ${logStart}`,
          )
          continue
        }
        const logStart = await broker.ask(({ log }) =>
          log.resolve(topic, partition, { kind: 'earliest' }, { consistency: 'linearizable' }),
        )
        trims.told(topic, partition, logStart)
        scene.judge.demand(
          logStart >= shownFrom,
          'retention',
          () => `${topic.name}/${partition} begins at ${logStart}, and was trimmed up to ${shownFrom} before`,
        )
      } catch (error) {
        refusalOf(error)
      }
    }
  }
}
