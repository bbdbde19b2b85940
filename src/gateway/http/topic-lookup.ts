import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { Topic } from '../../types/topic.ts'
import type { GatewayContext, RequestContext } from './context.ts'

export const TOPIC_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,248}$/

/** Errors: 'invalid-parameter' for a text that no topic can have as its name. */
export function checkTopicName(name: string): void {
  if (TOPIC_NAME.test(name)) return
  throw new SynodError('invalid-parameter', `'${name.slice(0, 260)}' cannot be the name of a topic.`, {
    hint: 'A name is 1 to 249 letters, digits, dots, underscores and dashes, and begins with a letter or a digit.',
  })
}

/** Errors: 'topic-not-found' with a near name or the command that would create it. */
export async function findTopic(
  context: RequestContext,
  name: string,
  options?: { readonly linearizable: boolean },
): Promise<Topic> {
  checkTopicName(name)
  const topic = await context.ports.topics.find(name, options)
  if (topic !== undefined) return topic
  const near = context.ports.topics.suggest(name)
  const create = `curl -X PUT http://${context.host}/v1/topics/${name}`
  throw new SynodError('topic-not-found', `There is no topic '${name}'.`, {
    hint:
      near === undefined ? `Create it: ${create}` : `Did you mean '${near}'? If not, create it: ${create}`,
    facts: near === undefined ? {} : { suggestion: near },
  })
}

/** Errors: 'invalid-parameter', 'partition-not-found'. */
export function findPartition(topic: Topic, text: string): number {
  const partition = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(partition))
    throw new SynodError('invalid-parameter', `'${text}' is not the number of a partition.`, {
      hint: `Topic '${topic.name}' has the partitions 0 to ${topic.partitions.length - 1}.`,
    })
  if (partition < topic.partitions.length) return partition
  throw new SynodError('partition-not-found', `Topic '${topic.name}' has no partition ${partition}.`, {
    hint: `It has the partitions 0 to ${topic.partitions.length - 1}.`,
  })
}

const CREATING_MAX = 1_000

/** Creates topics on first use where that is wanted; requests that come meanwhile wait for the same creation. */
export class TopicCreator {
  readonly #gateway: GatewayContext
  readonly #creating = new Map<string, Promise<Topic>>()

  constructor(gateway: GatewayContext) {
    this.#gateway = gateway
  }

  /** Errors: as `findTopic`; 'overloaded', and what creating says. */
  async findOrCreate(context: RequestContext, name: string): Promise<Topic> {
    const { ports, options } = this.#gateway
    if (!options.autoCreateTopics) return findTopic(context, name)
    checkTopicName(name)
    return (await ports.topics.find(name)) ?? (await this.#create(name))
  }

  #create(name: string): Promise<Topic> {
    const underWay = this.#creating.get(name)
    if (underWay !== undefined) return underWay
    if (this.#creating.size >= CREATING_MAX)
      return Promise.reject(new SynodError('overloaded', `${CREATING_MAX} topics are being created already.`))
    const spec = { partitions: undefined, replicationFactor: undefined, config: {} }
    const created = this.#gateway.ports.topics
      .create(name, spec)
      .then(({ topic }) => topic)
      .finally(() => {
        invariant(this.#creating.delete(name), 'A creation under way is known by its name.')
      })
    this.#creating.set(name, created)
    return created
  }
}
