import type { PartitionPlacement, Topic } from '../../src/types/topic.ts'
import { majority } from '../../src/paxos/quorum.ts'
import type { Random } from '../sim/random.ts'
import type { Clients } from './clients.ts'
import { Producer } from './producer.ts'
import { topicsOf } from './settled.ts'
import type { BrokersScene } from './scene.ts'

/** While some brokers are away: whether every partition that has a majority without them takes a record, and topics are made. */
export class Probes {
  readonly #scene: BrokersScene
  readonly #clients: Clients
  readonly #random: Random
  #open: string[] | undefined

  constructor(scene: BrokersScene, clients: Clients, random: Random) {
    this.#scene = scene
    this.#clients = clients
    this.#random = random
  }

  whyNotDone(): string | undefined {
    this.#open ??= this.#begin()
    if (this.#open === undefined) return 'no broker is ready'
    return this.#open.length === 0
      ? undefined
      : `without ${[...this.#scene.absent].join(', ')} nothing is stored in ${this.#open.join(', ')}`
  }

  /** One record for each such partition, sent until it is stored. */
  #begin(): string[] | undefined {
    const ready = [...this.#scene.brokers.values()].find(
      (broker) => broker.isReady && !this.#scene.absent.has(broker.id),
    )
    if (ready?.process === undefined) return undefined
    const open: string[] = []
    for (const topic of topicsOf(ready.process))
      for (const placement of topic.partitions)
        if (this.#hasMajority(placement) && !topic.config.closed) this.#probe(topic, placement, open)
    return open
  }

  #hasMajority({ replicas }: PartitionPlacement): boolean {
    const present = replicas.filter((id) => !this.#scene.absent.has(id)).length
    return present >= majority(replicas.length)
  }

  #probe(topic: Topic, { partition, group }: PartitionPlacement, open: string[]): void {
    const name = `${topic.name}/${partition}`
    open.push(name)
    const producer = new Producer(`probe-${group}`, 'key', this.#clients, this.#random.fork(name))
    producer.produce(topic, partition).then(
      () => open.splice(open.indexOf(name), 1),
      (error: unknown) => this.#scene.failed(error),
    )
  }
}
