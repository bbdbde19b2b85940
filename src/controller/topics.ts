import { CONTROLLER_GROUP, type TopicId } from '../types/ids.ts'
import type { BrokerInfo, Topic, TopicConfig } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { decodeJson, encodeJson } from '../partition/forward.ts'
import type { Router } from '../partition/router.ts'
import type { Controller } from './controller.ts'
import type { MetadataGroup } from './metadata-group.ts'
import type { ControllerAnswer, ControllerRequest } from './requests.ts'

const CONTROLLER_TIMEOUT_MS = 6_000
/** How long an answer waits for this broker to learn what the controller decided. */
const LEARN_TIMEOUT_MS = 3_000

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
  readonly #controller: Controller
  readonly #router: Router
  readonly #drawRequestId: () => string
  readonly #creating = new Map<string, Promise<{ readonly topic: Topic; readonly created: boolean }>>()
  #asking: Promise<void> | undefined
  #askingNext: Promise<void> | undefined

  constructor(options: {
    group: MetadataGroup
    controller: Controller
    router: Router
    /** By it a command that is sent again is known: no two requests have the same. */
    drawRequestId: () => string
  }) {
    this.#group = options.group
    this.#controller = options.controller
    this.#router = options.router
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
    await this.#catchUp()
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
    const { topicId } = await this.#change({
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
    await this.#change({ kind: 'deleteTopic', name, ifRevision: ifRevision ?? null })
  }

  /** Tells the cluster where this broker is reached. */
  async register(broker: BrokerInfo): Promise<void> {
    await this.#change({ kind: 'registerBroker', broker })
  }

  async #create(
    name: string,
    spec: TopicSpec,
  ): Promise<{ readonly topic: Topic; readonly created: boolean }> {
    const { created, topicId } = await this.#change({
      kind: 'createTopic',
      name,
      requestId: this.#drawRequestId(),
      partitions: spec.partitions ?? null,
      replicationFactor: spec.replicationFactor ?? null,
      config: spec.config,
    })
    return { topic: this.#mustFind(name, topicId), created }
  }

  async #change(request: ControllerRequest): Promise<ControllerAnswer> {
    const answer = await this.#ask(request)
    try {
      await this.#group.reached(answer.slot, LEARN_TIMEOUT_MS)
    } catch (error) {
      // The cluster has decided it: whatever keeps this broker from knowing, it must not be told as undone.
      throw new SynodError('outcome-unknown', 'The change is made, but this broker has not learned it yet.', {
        hint: 'Look in a moment whether it is there, or ask another broker.',
        retryAfterMs: 1_000,
        cause: error,
      })
    }
    return answer
  }

  /**
   * Asks how far the controller is, and waits until this broker is as far. Those who come while a question is under way share
   * the next one: an answer given before they asked could be too old for them.
   */
  #catchUp(): Promise<void> {
    const asking = this.#asking
    if (asking === undefined) {
      this.#asking = this.#ask({ kind: 'position' })
        .then(({ slot }) => this.#group.reached(slot, LEARN_TIMEOUT_MS))
        .finally(() => (this.#asking = undefined))
      return this.#asking
    }
    this.#askingNext ??= asking
      .catch(() => {})
      .then(() => {
        this.#askingNext = undefined
        return this.#catchUp()
      })
    return this.#askingNext
  }

  #ask(request: ControllerRequest): Promise<ControllerAnswer> {
    return this.#router.atLeader(
      { group: CONTROLLER_GROUP, replicas: this.#group.voters },
      {
        kind: 'controller',
        changes: changesOf(request),
        local: () => this.#controller.handle(request),
        body: () => encodeJson(request),
        decode: (answer) => decodeJson(answer) as ControllerAnswer,
      },
      CONTROLLER_TIMEOUT_MS,
    )
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

/** A delete that is sent again could delete a topic that was made anew in between. */
function changesOf({ kind }: ControllerRequest): 'nothing' | 'once' | 'each-time' {
  if (kind === 'position') return 'nothing'
  return kind === 'deleteTopic' ? 'each-time' : 'once'
}
