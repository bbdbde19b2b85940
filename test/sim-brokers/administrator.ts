import type { Topics } from '../../src/gateway/ports.ts'
import type { TopicConfig } from '../../src/types/topic.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { SimulatedBroker } from './broker.ts'
import type { Clients } from './clients.ts'
import { refusalOf, type Refusal } from './connection.ts'
import { sleep } from './scene.ts'

/** Topics that come and go; few, so that a name is used again and again. */
export const PASSING_NAMES: readonly string[] = ['passing-0', 'passing-1']

/** Creates, changes, deletes and looks up topics. Each request is sent once. */
export class Administrator {
  readonly #clients: Clients
  readonly #random: Random

  constructor(clients: Clients, random: Random) {
    this.#clients = clients
    this.#random = random
  }

  async run(): Promise<void> {
    const { scene } = this.#clients
    for (;;) {
      await sleep(scene, this.#random.exponential(scene.swarm.administerEveryMs))
      if (this.#clients.isOver) return
      const broker = this.#clients.anyBroker(this.#random)
      const name = this.#random.pick(PASSING_NAMES)
      const kind = this.#random.integer(8)
      if (kind < 3) await this.create(broker, name)
      else if (kind === 3) await this.#delete(broker, name)
      else if (kind === 4) await this.#alter(broker, name)
      else await this.#clients.find(broker, name)
    }
  }

  /** Whether the topic is there now. */
  async create(broker: SimulatedBroker, name: string): Promise<boolean> {
    const { scene, truth } = this.#clients
    const { swarm, queue } = scene
    const startMs = queue.nowMs
    const spec = {
      partitions: 1 + this.#random.integer(swarm.partitionsMax),
      replicationFactor: this.#replicationFactor(),
      config: {
        maxLagMs: swarm.maxLagMs,
        maxLagSlots: swarm.maxLagSlots,
        ...(this.#clients.mayBeTrimmed(name) ? { retentionMs: swarm.retentionMs } : {}),
      },
    }
    const answer = await this.#ask(broker, `create ${name}`, (topics) => topics.create(name, spec))
    if ('value' in answer)
      truth.created(answer.value.topic, answer.value.created, { startMs, endMs: queue.nowMs })
    else if (answer.refusal.code === 'topic-not-found') {
      // It was made, and deleted before it could be shown: somebody must have asked for that.
      scene.judge.demand(
        truth.mayBeDeleted(name),
        'metadata',
        () => `'${name}' was created and not found, though nobody deletes it`,
      )
      truth.perhapsCreated(name)
    } else if (!answer.refusal.isCertainNo) truth.perhapsCreated(name)
    return 'value' in answer || answer.refusal.code === 'topic-config-differs'
  }

  #replicationFactor(): number | undefined {
    const { swarm, replicasMin } = this.#clients.scene
    const { brokerCount } = swarm
    const asked = this.#random.pick([undefined, brokerCount, 1 + this.#random.integer(brokerCount)])
    return asked === undefined ? undefined : Math.max(replicasMin, asked)
  }

  async #delete(broker: SimulatedBroker, name: string): Promise<void> {
    const { scene, truth } = this.#clients
    const startMs = scene.queue.nowMs
    const by = { broker: broker.id, life: broker.life }
    // Those who look meanwhile may find it gone already.
    const settle = truth.beginsToDelete(name, startMs)
    const answer = await this.#ask(broker, `delete ${name}`, (topics) => topics.delete(name, undefined))
    if ('value' in answer) settle({ endMs: scene.queue.nowMs, by })
    else if (answer.refusal.isCertainNo) settle(undefined)
  }

  async #alter(broker: SimulatedBroker, name: string): Promise<void> {
    const random = this.#random
    const config: Partial<TopicConfig> = random.pick([
      {},
      { closed: true },
      { closed: false },
      { maxLagSlots: random.pick([2, 1_000]) },
    ])
    const partitions = random.chance(0.5) ? 1 + random.integer(6) : undefined
    const { truth } = this.#clients
    const answer = await this.#ask(broker, `alter ${name}`, (topics) =>
      topics.alter(name, { config, partitions }, undefined),
    )
    if ('value' in answer || answer.refusal.code === 'topic-not-found' || !answer.refusal.isCertainNo)
      truth.perhapsAltered(name)
  }

  async #ask<Value>(
    broker: SimulatedBroker,
    what: string,
    call: (topics: Topics) => Promise<Value>,
  ): Promise<{ readonly value: Value } | { readonly refusal: Refusal }> {
    const { trace, queue } = this.#clients.scene
    const note = (how: string): void =>
      trace.note(
        TRACED.CLIENT,
        broker.id,
        how.length,
        queue.nowMs,
        () => `${what} at broker ${broker.id}: ${how}`,
      )
    try {
      const value = await broker.ask(({ topics }) => call(topics))
      note('done')
      return { value }
    } catch (error) {
      const refusal = refusalOf(error)
      note(refusal.code)
      return { refusal }
    }
  }
}
