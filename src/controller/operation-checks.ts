import type { BrokerId } from '../types/ids.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import type { MemberTable } from './member-table.ts'
import type { Refused } from './outcomes.ts'
import { configProblem } from './topic-config.ts'
import type { TopicTable } from './topic-table.ts'

type Problem = Omit<Refused, 'kind'>

/** Why these brokers cannot be a partition's replicas; undefined when they can. */
export function targetProblem(
  target: readonly BrokerId[],
  topic: Topic,
  members: MemberTable,
): Problem | undefined {
  if (new Set(target).size < target.length) {
    const detail = 'A broker would hold two replicas of one partition.'
    return { code: 'not-enough-brokers', detail, hint: 'Name different brokers.' }
  }
  for (const broker of target) {
    const membership = members.get(broker)?.membership
    if (membership === 'active') continue
    const detail =
      membership === 'draining'
        ? `Broker ${broker} is being drained: it gets no replicas.`
        : `There is no broker ${broker}.`
    return { code: 'not-enough-brokers', detail, hint: 'GET /v1/brokers tells which brokers there are.' }
  }
  const invalid = configProblem(topic.config, target.length)
  return invalid === undefined
    ? undefined
    : { code: 'invalid-config', detail: invalid.detail, hint: invalid.hint }
}

export function inProgress(subject: string, operation: string): Problem {
  return {
    code: 'reassignment-in-progress',
    detail: `${subject} is being changed by operation ${operation}.`,
    hint: `Wait for it: GET /v1/operations/${operation}; or cancel it: POST /v1/operations/${operation}/cancel.`,
  }
}

export function noBroker(broker: BrokerId): Problem {
  return {
    code: 'not-found',
    detail: `There is no broker '${broker}'.`,
    hint: 'List them with GET /v1/brokers.',
  }
}

/** Why the replicas of a broker cannot all go to others; undefined when they can. */
export function leavingProblem(
  broker: BrokerId,
  isForced: boolean,
  tables: { readonly topics: TopicTable; readonly members: MemberTable },
): Problem | undefined {
  const others = tables.members.active().filter(({ id }) => id !== broker).length
  if (others === 0) {
    const detail = `Broker ${broker} is the only one that can hold replicas.`
    return { code: 'not-enough-brokers', detail, hint: 'Add another broker first.' }
  }
  for (const topic of tables.topics.all()) {
    for (const placement of topic.partitions) {
      if (!placement.replicas.includes(broker)) continue
      const problem = leavingOne(topic, placement, { others, isForced, broker })
      if (problem !== undefined) return problem
    }
  }
  return undefined
}

function leavingOne(
  topic: Topic,
  { partition, replicas }: PartitionPlacement,
  about: { readonly others: number; readonly isForced: boolean; readonly broker: BrokerId },
): Problem | undefined {
  const where = `Partition ${partition} of '${topic.name}'`
  if (about.isForced) {
    if (replicas.length > 1) return undefined
    const detail = `${where} has its only copy on broker ${about.broker}.`
    return { code: 'would-lose-quorum', detail, hint: 'Bring that broker back, or delete the topic.' }
  }
  if (replicas.length <= about.others) return undefined
  const detail = `${where} has ${replicas.length} replicas; without broker ${about.broker} there are ${about.others} brokers to hold them.`
  return { code: 'not-enough-brokers', detail, hint: 'Add a broker first, or move it to fewer replicas.' }
}
