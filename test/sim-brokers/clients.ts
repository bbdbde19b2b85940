import type { Ports } from '../../src/gateway/ports.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { Random } from '../sim/random.ts'
import { Administrator, PASSING_NAMES } from './administrator.ts'
import type { SimulatedBroker } from './broker.ts'
import { refusalOf } from './connection.ts'
import { Consumer } from './consumer.ts'
import { mend } from './harm.ts'
import { Histories } from './histories.ts'
import { Operator } from './operator.ts'
import { Producer } from './producer.ts'
import { sleep, type BrokersScene } from './scene.ts'
import { TopicTruth } from './topic-truth.ts'
import { Trimmer } from './trimmer.ts'
import { TrimTruth } from './trim-truth.ts'

/** Topics that nobody deletes. */
export const LASTING_NAMES: readonly string[] = ['lasting-0', 'lasting-1']
export const ALL_NAMES: readonly string[] = [...LASTING_NAMES, ...PASSING_NAMES]
const RETRY_MS = 100

/** All who use the cluster in a run, and what they can know of it together. */
export class Clients {
  readonly scene: BrokersScene
  readonly histories = new Histories()
  readonly truth: TopicTruth
  readonly trims: TrimTruth
  readonly operator: Operator | undefined
  /** They finish what they do, and begin nothing more. */
  isOver = false
  /** Those who still do something. */
  readonly busy = new Set<string>()
  readonly #random: Random

  constructor(scene: BrokersScene, random: Random) {
    this.scene = scene
    this.truth = new TopicTruth(scene.judge)
    this.#random = random
    const { swarm } = scene
    this.trims = new TrimTruth({
      judge: scene.judge,
      latestWallMs: () => Math.max(...[...scene.brokers.values()].map((broker) => broker.latestWallMs)),
      retentionMs: (topic) => (this.mayBeTrimmed(topic) ? swarm.retentionMs : null),
    })
    for (const name of LASTING_NAMES) this.#go(name, this.#makeTopic(name))
    for (let number = 0; number < swarm.producerCount; number++) {
      const identity = (['key', 'sequence', 'none'] as const)[number % 3]!
      this.#go(
        `p${number}`,
        new Producer(`p${number}`, identity, this, random.fork(`producer ${number}`)).run(),
      )
    }
    for (let number = 0; number < swarm.consumerCount; number++)
      this.#go(`c${number}`, new Consumer(`c${number}`, this, random.fork(`consumer ${number}`)).run())
    for (let number = 0; number < swarm.administratorCount; number++)
      this.#go(`a${number}`, new Administrator(this, random.fork(`administrator ${number}`)).run())
    this.operator = swarm.operateEveryMs < Infinity ? new Operator(this, random.fork('operator')) : undefined
    if (this.operator !== undefined) this.#go('operator', this.operator.run())
    if (swarm.trimEveryMs < Infinity) this.#go('trimmer', new Trimmer(this, random.fork('trimmer')).run())
  }

  /** Of one topic everybody can read everything at the end. */
  mayBeTrimmed(topic: string): boolean {
    return topic !== LASTING_NAMES[0]
  }

  /** As the broker that is asked knows it: each request names the topic anew, and its replicas may have moved. */
  asKnownTo({ topics }: Ports, topic: Topic): Topic {
    const [known] = topics.list({ prefix: topic.name, after: '', limit: 1 })
    return known?.id === topic.id && known.partitions.length >= topic.partitions.length ? known : topic
  }

  anyBroker(random: Random): SimulatedBroker {
    const { brokers, absent } = this.scene
    const ids = [...brokers.keys()].filter((id) => !absent.has(id))
    return brokers.get(random.pick(ids)) as SimulatedBroker
  }

  /** Undefined when it is not there, or nobody could tell. */
  anyTopic(random: Random): Promise<Topic | undefined> {
    return this.find(
      this.anyBroker(random),
      random.pick([...LASTING_NAMES, ...LASTING_NAMES, ...PASSING_NAMES]),
    )
  }

  /** Somebody sees to it that a broker whose store is lost becomes a member again. */
  mend(victim: SimulatedBroker): void {
    if (!this.busy.has('mender')) this.#go('mender', mend(this, victim, this.#random.fork('mender')))
  }

  async find(broker: SimulatedBroker, name: string): Promise<Topic | undefined> {
    const { queue } = this.scene
    const startMs = queue.nowMs
    const linearizable = this.#random.chance(0.3)
    // A linearizable answer is as good as that of the broker that knows most.
    const by = linearizable ? undefined : { broker: broker.id, life: broker.life }
    try {
      const topic = await broker.ask(({ topics }) => topics.find(name, { linearizable }))
      this.truth.found(name, topic, { startMs, endMs: queue.nowMs }, by)
      return topic
    } catch (error) {
      refusalOf(error)
      return undefined
    }
  }

  async #makeTopic(name: string): Promise<void> {
    const administrator = new Administrator(this, this.#random.fork(name))
    while (!(await administrator.create(this.anyBroker(this.#random), name)))
      await sleep(this.scene, RETRY_MS)
  }

  #go(name: string, work: Promise<void>): void {
    this.busy.add(name)
    work.then(
      () => this.busy.delete(name),
      (error: unknown) => this.scene.failed(error),
    )
  }
}
