import type { BrokerId, TopicId } from '../types/ids.ts'
import type { BrokerInfo, Topic, TopicConfig } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { ControllerCalls } from './controller-calls.ts'
import type { MetadataGroup } from './metadata-group.ts'

export interface TopicSpec {
  readonly partitions: number | undefined
  readonly replicationFactor: number | undefined
  readonly config: Partial<TopicConfig>
}

/**
 * Topics as any broker offers them: reads from its own copy of the metadata, changes through the controller. A change is
 * answered when this broker knows it too, so that the next request here finds it.
 */
export class TopicDirectory {
  readonly #group: MetadataGroup
  readonly #calls: ControllerCalls
  readonly #drawRequestId: () => string
  readonly #creating = new Map<string, Promise<{ readonly topic: Topic; readonly created: boolean }>>()

  constructor(options: {
    group: MetadataGroup
    calls: ControllerCalls
    /** By it a command that is sent again is known: no two requests have the same. */
    drawRequestId: () => string
  }) {
    this.#group = options.group
    this.#calls = options.calls
    this.#drawRequestId = options.drawRequestId
  }

  /**
   * A name that is not known here may have been created on another broker a moment ago: the controller is asked how far it is.
   * One that is known may have been deleted there, which only a linearizable answer rules out.
   */
  async find(
    name: string,
    { linearizable }: { readonly linearizable: boolean } = { linearizable: false },
  ): Promise<Topic | undefined> {
    const known = this.#group.metadata.topic(name)
    if (known !== undefined && !linearizable) return known
    await this.#calls.catchUp()
    return this.#group.metadata.topic(name)
  }

  list(query: { readonly prefix: string; readonly after: string; readonly limit: number }): readonly Topic[] {
    return this.#group.metadata.listTopics(query)
  }

  suggest(name: string): string | undefined {
    return this.#group.metadata.suggest(name)
  }

  /** Requests for the same new name with nothing special asked share one command: many first produces at once are common. */
  create(name: string, spec: TopicSpec): Promise<{ readonly topic: Topic; readonly created: boolean }> {
    const isPlain =
      spec.partitions === undefined &&
      spec.replicationFactor === undefined &&
      Object.keys(spec.config).length === 0
    const underWay = isPlain ? this.#creating.get(name) : undefined
    if (underWay !== undefined) return underWay.then(({ topic }) => ({ topic, created: false }))
    const creating = this.#create(name, spec)
    if (isPlain) {
      this.#creating.set(name, creating)
      const forget = () => this.#creating.delete(name)
      creating.then(forget, forget)
    }
    return creating
  }

  async alter(
    name: string,
    change: { readonly config: Partial<TopicConfig>; readonly partitions: number | undefined },
    ifRevision: number | undefined,
  ): Promise<Topic> {
    const { topicId } = await this.#calls.change({
      kind: 'alterTopic',
      name,
      requestId: this.#drawRequestId(),
      config: change.config,
      partitions: change.partitions ?? null,
      ifRevision: ifRevision ?? null,
    })
    return this.#mustFind(name, topicId)
  }

  async delete(name: string, ifRevision: number | undefined): Promise<void> {
    await this.#calls.change({ kind: 'deleteTopic', name, ifRevision: ifRevision ?? null })
  }

  /**
   * Tells the cluster where this broker is reached. One that takes itself for a member and hears too few of the others may have
   * been removed while it was away, and nobody sends it heartbeats any more: it asks whoever it knows of (broker seed 27589).
   * `isUnheard`: it is known beforehand that it hears none.
   */
  async register(broker: BrokerInfo, isUnheard = false): Promise<void> {
    const request = { kind: 'registerBroker', broker } as const
    const { replica, metadata } = this.#group
    const isKnown = replica.paxos.isVoter || metadata.broker(broker.id) !== undefined
    if (isKnown && !isUnheard)
      try {
        await this.#calls.change(request)
        return
      } catch (error) {
        if (!(error instanceof SynodError) || error.code !== 'no-quorum') throw error
      }
    await this.#calls.introduce(request)
  }

  /** Asks that this store be given the votes of the broker's registered one. */
  async replaceStore(broker: BrokerId, store: string): Promise<void> {
    await this.#calls.change({ kind: 'replaceStore', broker, store })
  }

  async #create(
    name: string,
    spec: TopicSpec,
  ): Promise<{ readonly topic: Topic; readonly created: boolean }> {
    const { created, topicId } = await this.#calls.change({
      kind: 'createTopic',
      name,
      requestId: this.#drawRequestId(),
      partitions: spec.partitions ?? null,
      replicationFactor: spec.replicationFactor ?? null,
      config: spec.config,
    })
    return { topic: this.#mustFind(name, topicId), created }
  }

  /** A topic of the same name that was made since is another one. */
  #mustFind(name: string, id: TopicId | undefined): Topic {
    const topic = this.#group.metadata.topic(name)
    if (topic !== undefined && topic.id === id) return topic
    throw new SynodError('topic-not-found', `Topic '${name}' was deleted in the meantime.`, {
      hint: 'Create it again if it is still needed.',
    })
  }
}
