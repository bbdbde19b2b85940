import { SynodError } from '../../errors.ts'
import type { Topic } from '../../types/topic.ts'
import { checkTopicName, findPartition } from '../http/topic-lookup.ts'
import type { Topics } from '../ports.ts'
import { decodeCursor, type Cursor } from './cursor.ts'
import { CURSOR_PREFIX, parseFrom, type StartPlan } from './start-position.ts'

/** What a page, a stream or a subscription reads. */
export interface ReadTarget {
  readonly topic: Topic
  readonly plan: StartPlan
  /** No partition was named, so those that are added later belong to it too. */
  readonly isWholeTopic: boolean
  /** The partition that a page serves first, as the cursor has it. */
  readonly turn: number
}

export interface TargetRequest {
  readonly topicName: string
  /** The one partition that is read, as the address has it; undefined: all of them. */
  readonly partition: string | undefined
  /** Several of them, by number. */
  readonly partitions?: readonly number[] | undefined
  readonly from: string | undefined
  readonly fallback: 'earliest' | 'latest'
  /** The Host header, for hints that can be copied. */
  readonly host: string
}

/** Finds the topic and what `partition` and `from` mean in it. Errors: 'topic-not-found', 'partition-not-found', those of `parseFrom`. */
export async function findTarget(topics: Topics, request: TargetRequest): Promise<ReadTarget> {
  checkTopicName(request.topicName)
  const topic = await findFor(topics, request)
  if (topic === undefined) throw notFound(topics, request)
  const named =
    request.partition === undefined
      ? request.partitions?.map((partition) => findPartition(topic, String(partition)))
      : [findPartition(topic, request.partition)]
  const partitions = named ?? topic.partitions.map(({ partition }) => partition)
  const plan = parseFrom(request.from, { topic, partitions, fallback: request.fallback })
  const turn = cursorOf(request)?.turn ?? 0
  return { topic, plan, isWholeTopic: named === undefined, turn: turn < topic.partitions.length ? turn : 0 }
}

/**
 * A cursor that comes from another broker may know of a topic, or of partitions, that this one has not heard of yet: then the
 * controller is asked, before a place is taken for gone or for a new one.
 */
async function findFor(topics: Topics, request: TargetRequest): Promise<Topic | undefined> {
  const { topicName } = request
  const topic = await topics.find(topicName)
  const cursor = cursorOf(request)
  if (topic === undefined || cursor === undefined) return topic
  const isKnown = cursor.topicId === topic.id && Math.max(...cursor.places.keys()) < topic.partitions.length
  return isKnown ? topic : topics.find(topicName, { linearizable: true })
}

function cursorOf({ from }: TargetRequest): Cursor | undefined {
  return from?.startsWith(CURSOR_PREFIX) === true ? decodeCursor(from.slice(CURSOR_PREFIX.length)) : undefined
}

function notFound(topics: Topics, { topicName, host }: TargetRequest): SynodError {
  const near = topics.suggest(topicName)
  const create = `curl -X PUT http://${host}/v1/topics/${topicName}`
  return new SynodError('topic-not-found', `There is no topic '${topicName}'.`, {
    hint:
      near === undefined ? `Create it: ${create}` : `Did you mean '${near}'? If not, create it: ${create}`,
    facts: near === undefined ? {} : { suggestion: near },
  })
}
