import type { BrokerId, TopicId } from '../types/ids.ts'
import type { Topic, TopicConfig } from '../types/topic.ts'
import { DEFAULT_TOPIC_CONFIG } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { PARTITIONS_PER_TOPIC_MAX, REPLICATION_FACTOR_MAX, type Command } from './commands.ts'
import type { MetadataGroup } from './metadata-group.ts'
import type { MetadataOutcome } from './outcomes.ts'
import { place } from './placement.ts'
import { checkAdmission } from './operation-admission.ts'
import type { ControllerAnswer, ControllerRequest } from './requests.ts'
import { configError, configProblem, isTopicName, mergeConfig } from './topic-config.ts'

const REPLICATION_FACTOR_DEFAULT = 3
const COMMAND_TIMEOUT_MS = 5_000

export interface ControllerOptions {
  readonly group: MetadataGroup
  readonly clusterId: () => string
  readonly wallMs: () => number
  readonly random: () => number
  isAlive(broker: BrokerId): boolean
}

/** What the broker that leads the metadata does for all: checks, places, and puts commands into the log. */
export class Controller {
  readonly #options: ControllerOptions

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Errors: 'no-leader' when this broker is not the controller (any more), and what the request itself deserves. */
  async handle(request: ControllerRequest): Promise<ControllerAnswer> {
    const { group } = this.#options
    // A controller that was elected just now may not have applied all that was decided before it.
    const known = await group.replica.readBarrier()
    if (request.kind === 'position') return { slot: known, created: false, topicId: undefined }
    await group.reached(known, COMMAND_TIMEOUT_MS)
    const before = this.#before(request, known)
    if (before !== undefined) return before
    await this.#nameCluster()
    const { outcome, slot } = await group.submit(this.#command(request), COMMAND_TIMEOUT_MS)
    throwIfRefused(outcome)
    return {
      slot,
      created: outcome.kind === 'created' || (outcome.kind === 'repeated' && outcome.created),
      topicId: topicIdOf(outcome),
      operation: outcome.kind === 'operation' ? outcome.operation.id : undefined,
    }
  }

  /**
   * The answer to a request that was carried out before: it is not checked again, for what it asks for may be impossible by now,
   * and then its second copy would say that nothing was done.
   */
  #before(request: ControllerRequest, slot: number): ControllerAnswer | undefined {
    if (!('requestId' in request)) return undefined
    const { metadata } = this.#options.group
    const former = metadata.formerRequest(request.requestId)
    if (former !== undefined) return { slot, created: former.created, topicId: former.topicId }
    const operation = metadata.operationStartedBy(request.requestId)
    if (operation === undefined) return undefined
    return { slot, created: false, topicId: undefined, operation: operation.id }
  }

  /** The first command of all gives the metadata the name that the stores already have. */
  async #nameCluster(): Promise<void> {
    const { group, clusterId } = this.#options
    if (group.metadata.clusterId === '')
      await group.submit({ kind: 'formCluster', clusterId: clusterId() }, COMMAND_TIMEOUT_MS)
  }

  #command(request: Exclude<ControllerRequest, { kind: 'position' }>): Command {
    const { group, isAlive, wallMs } = this.#options
    switch (request.kind) {
      case 'startOperation':
        checkAdmission(request.wish, group.metadata, isAlive)
        return { ...request, startedAtMs: wallMs() }
      case 'cancelOperation':
        return { ...request, atMs: wallMs() }
      case 'activateBroker':
        return request
      case 'registerBroker':
        return { kind: 'registerBroker', broker: request.broker }
      case 'replaceStore':
        return { kind: 'replaceStore', broker: request.broker, store: request.store }
      case 'createTopic':
        return this.#createTopic(request)
      case 'alterTopic':
        return this.#alterTopic(request)
      case 'deleteTopic':
        return {
          kind: 'deleteTopic',
          name: request.name,
          ifRevision: request.ifRevision ?? undefined,
          topicId: this.#existing(request.name).id,
        }
    }
  }

  #createTopic(request: Extract<ControllerRequest, { kind: 'createTopic' }>): Command {
    const { group, wallMs } = this.#options
    if (!isTopicName(request.name)) throw invalidName(request.name)
    const existing = group.metadata.topic(request.name)
    // Of a topic that exists only what the request names is compared; its placement is not chosen again.
    const partitions =
      existing?.partitions.map(({ replicas }) => replicas) ??
      this.#place(request.partitions ?? 1, request.replicationFactor)
    const config = mergeConfig(DEFAULT_TOPIC_CONFIG, request.config)
    checkConfig(config, partitions[0]!.length)
    return {
      kind: 'createTopic',
      name: request.name,
      requestId: request.requestId,
      createdAtMs: wallMs(),
      partitions,
      config,
      asked: {
        partitions: request.partitions ?? undefined,
        replicationFactor: request.replicationFactor ?? undefined,
        config: request.config,
      },
    }
  }

  #alterTopic(request: Extract<ControllerRequest, { kind: 'alterTopic' }>): Command {
    const topic = this.#existing(request.name)
    const before = topic.partitions.length
    const asked = request.partitions ?? before
    if (asked < before) {
      throw new SynodError(
        'invalid-config',
        `Topic '${topic.name}' has ${before} partitions; ${asked} is fewer.`,
        {
          hint: 'Partitions can be added, not taken away: make a new topic instead.',
        },
      )
    }
    const replicationFactor = topic.partitions[0]!.replicas.length
    const added =
      asked > before
        ? { after: before, replicas: this.#place(asked - before, replicationFactor, before) }
        : undefined
    return {
      kind: 'alterTopic',
      name: topic.name,
      requestId: request.requestId,
      ifRevision: request.ifRevision ?? undefined,
      config: request.config,
      addPartitions: added,
    }
  }

  #existing(name: string): Topic {
    const { metadata } = this.#options.group
    const topic = metadata.topic(name)
    if (topic !== undefined) return topic
    const near = metadata.suggest(name)
    throw new SynodError('topic-not-found', `There is no topic '${name}'.`, {
      hint: near === undefined ? `Create it: curl -X PUT …/v1/topics/${name}` : `Did you mean '${near}'?`,
    })
  }

  /** Brokers that are up are preferred; when they are too few for the factor, all that are registered count. */
  #place(partitionCount: number, asked: number | null, already = 0): readonly (readonly BrokerId[])[] {
    const { group, isAlive, random } = this.#options
    if (
      !Number.isInteger(partitionCount) ||
      partitionCount < 1 ||
      already + partitionCount > PARTITIONS_PER_TOPIC_MAX
    ) {
      throw new SynodError(
        'invalid-config',
        `A topic has 1 to ${PARTITIONS_PER_TOPIC_MAX} partitions, not ${already + partitionCount}.`,
        {
          hint: 'Use more topics, or fewer partitions.',
        },
      )
    }
    const loads = group.metadata.loads()
    const replicationFactor =
      asked ?? Math.min(REPLICATION_FACTOR_DEFAULT, Math.max(loads.length, group.voters.length))
    if (
      !Number.isInteger(replicationFactor) ||
      replicationFactor < 1 ||
      replicationFactor > REPLICATION_FACTOR_MAX
    ) {
      throw new SynodError(
        'invalid-config',
        `A replication factor is 1 to ${REPLICATION_FACTOR_MAX}, not ${replicationFactor}.`,
        {
          hint: `3 survives the loss of one broker, 5 of two.`,
        },
      )
    }
    const alive = loads.filter((load) => isAlive(load.id))
    const brokers = alive.length >= replicationFactor ? alive : loads
    return place({ partitionCount, replicationFactor, brokers, seed: Math.floor(random() * 2 ** 32) })
  }
}

function checkConfig(config: TopicConfig, replicationFactor: number): void {
  const problem = configProblem(config, replicationFactor)
  if (problem !== undefined) throw configError(problem)
}

function invalidName(name: string): SynodError {
  return new SynodError('invalid-parameter', `'${name}' is not a topic name.`, {
    hint: 'A name begins with a letter or digit and has up to 249 letters, digits, dots, dashes and underscores.',
  })
}

/** Of the topic that the command was about, as it was meant. */
function topicIdOf(outcome: MetadataOutcome): TopicId | undefined {
  if ('topic' in outcome) return outcome.topic.id
  return outcome.kind === 'repeated' ? outcome.topicId : undefined
}

/** What changed nothing because it must not, as the error that it is. */
function throwIfRefused(outcome: MetadataOutcome): void {
  switch (outcome.kind) {
    case 'refused':
      throw new SynodError(outcome.code, outcome.detail, { hint: outcome.hint })
    case 'store-differs':
      throw new SynodError(
        'internal',
        `Broker ${outcome.registered.id} is registered with store ${outcome.registered.store}; its data folder is another one now.`,
        {
          hint: 'Start it with its old data folder, or have its store replaced.',
          facts: { registeredStore: outcome.registered.store },
        },
      )
    case 'removed':
      throw new SynodError(
        'internal',
        `Broker ${outcome.registered.id} was removed from the cluster; its store takes no part any more.`,
        {
          hint: 'Start it with an empty data folder to join again as a new broker.',
          facts: { removed: true },
        },
      )
    case 'exists-different':
      throw new SynodError(
        'topic-config-differs',
        `Topic '${outcome.topic.name}' exists and is not as asked for.`,
        {
          hint: `Change it with PATCH /v1/topics/${outcome.topic.name}, or leave out what may differ.`,
          facts: { differences: outcome.differences },
        },
      )
    case 'not-found':
      throw new SynodError('topic-not-found', `There is no topic '${outcome.name}'.`, {
        hint: 'It was deleted in the meantime.',
      })
    case 'etag-mismatch':
      throw new SynodError(
        'etag-mismatch',
        `Topic '${outcome.topic.name}' has changed; its revision is ${outcome.topic.revision}.`,
        {
          hint: 'Read it again and send the new ETag in If-Match.',
          facts: { revision: outcome.topic.revision },
        },
      )
    case 'partitions-differ':
      throw new SynodError('etag-mismatch', `Topic '${outcome.topic.name}' got partitions in the meantime.`, {
        hint: 'Read it again, then ask again.',
      })
    default:
      return
  }
}
