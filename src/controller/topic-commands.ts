import { groupId, type TopicId } from '../types/ids.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import type { AlterTopic, CreateTopic, DeleteTopic, Replicas } from './commands.ts'
import type { FormerRequests } from './former-requests.ts'
import type { MemberTable } from './member-table.ts'
import { groupCountProblem, placementProblem, topicDifferences } from './metadata-checks.ts'
import type { TopicEntry } from './metadata-codec.ts'
import { refused, without, type MetadataApplied, type MetadataEvent } from './outcomes.ts'
import { changeProblem, configProblem, mergeConfig, sameConfig } from './topic-config.ts'
import type { TopicTable } from './topic-table.ts'

/** What the commands about topics work on. Ids are counted up and never used again. */
export interface TopicTables {
  readonly topics: TopicTable
  readonly members: MemberTable
  readonly formerRequests: FormerRequests
  nextTopic(): TopicId
  /** The first of so many new group ids; none are taken for a count of 0. */
  nextGroups(count: number): number
}

/** Applies a command about topics; a part of the metadata, as deterministic as all of it. */
export function applyTopicCommand(
  command: CreateTopic | AlterTopic | DeleteTopic,
  tables: TopicTables,
): MetadataApplied {
  const former = command.kind === 'deleteTopic' ? undefined : tables.formerRequests.get(command.requestId)
  if (former !== undefined)
    return without({ kind: 'repeated', topicId: former.topicId, created: former.created })
  switch (command.kind) {
    case 'createTopic':
      return create(command, tables)
    case 'alterTopic':
      return alter(command, tables)
    case 'deleteTopic':
      return remove(command, tables)
  }
}

function create(command: CreateTopic, tables: TopicTables): MetadataApplied {
  const existing = tables.topics.get(command.name)
  if (existing !== undefined) return compare(existing, command)
  const replicationFactor = command.partitions[0]!.length
  const problem =
    placementProblem(command.partitions, replicationFactor, tables.members) ??
    groupCountProblem({
      before: 0,
      added: command.partitions.length,
      inCluster: tables.topics.partitionCount,
      nextGroup: tables.nextGroups(0),
    })
  if (problem !== undefined) return refused(problem)
  const invalid = configProblem(command.config, replicationFactor)
  if (invalid !== undefined)
    return refused({ code: 'invalid-config', detail: invalid.detail, hint: invalid.hint })
  const { name, config, createdAtMs, requestId } = command
  const id = tables.nextTopic()
  const partitions = newPartitions(0, command.partitions, tables)
  const topic: Topic = { id, name, config, partitions, createdAtMs, revision: 1 }
  tables.topics.put({ topic, createdBy: requestId, alteredBy: undefined })
  return {
    outcome: { kind: 'created', topic },
    events: [{ kind: 'partitions-created', topic, placements: partitions }],
  }
}

/** The command that created the topic may come twice: then it has created it. */
function compare({ topic, createdBy }: TopicEntry, { requestId, asked }: CreateTopic): MetadataApplied {
  if (createdBy === requestId) return without({ kind: 'created', topic })
  const differences = topicDifferences(topic, asked)
  return without(
    differences.length === 0
      ? { kind: 'exists-same', topic }
      : { kind: 'exists-different', topic, differences },
  )
}

function alter(command: AlterTopic, tables: TopicTables): MetadataApplied {
  const { name, requestId, ifRevision, addPartitions } = command
  const entry = tables.topics.get(name)
  if (entry === undefined) return without({ kind: 'not-found', name })
  const { topic } = entry
  if (entry.alteredBy === requestId) return without({ kind: 'altered', topic })
  if (ifRevision !== undefined && ifRevision !== topic.revision)
    return without({ kind: 'etag-mismatch', topic })
  const replicationFactor = topic.partitions[0]!.replicas.length
  const config = mergeConfig(topic.config, command.config ?? {})
  const invalid = changeProblem(topic.config, config, replicationFactor)
  if (invalid !== undefined)
    return refused({ code: 'invalid-config', detail: invalid.detail, hint: invalid.hint })
  if (addPartitions !== undefined) {
    const before = topic.partitions.length
    if (addPartitions.after !== before) return without({ kind: 'partitions-differ', topic })
    const problem =
      placementProblem(addPartitions.replicas, replicationFactor, tables.members) ??
      groupCountProblem({
        before,
        added: addPartitions.replicas.length,
        inCluster: tables.topics.partitionCount,
        nextGroup: tables.nextGroups(0),
      })
    if (problem !== undefined) return refused(problem)
  }
  const isConfigSame = sameConfig(topic.config, config)
  if (isConfigSame && addPartitions === undefined) return without({ kind: 'unchanged', topic })
  const added = newPartitions(topic.partitions.length, addPartitions?.replicas ?? [], tables)
  const altered: Topic = {
    ...topic,
    config,
    partitions: [...topic.partitions, ...added],
    revision: topic.revision + 1,
  }
  rememberAlteration(entry, tables)
  tables.topics.put({ ...entry, topic: altered, alteredBy: requestId })
  const events: MetadataEvent[] = []
  if (!isConfigSame) events.push({ kind: 'topic-altered', topic: altered })
  if (added.length > 0) events.push({ kind: 'partitions-created', topic: altered, placements: added })
  return { outcome: { kind: 'altered', topic: altered }, events }
}

function remove({ name, ifRevision, topicId: meant }: DeleteTopic, tables: TopicTables): MetadataApplied {
  const { topics, formerRequests } = tables
  const entry = topics.get(name)
  if (entry === undefined || (meant !== undefined && meant !== entry.topic.id))
    return without({ kind: 'not-found', name })
  const { topic, createdBy } = entry
  if (ifRevision !== undefined && ifRevision !== topic.revision)
    return without({ kind: 'etag-mismatch', topic })
  formerRequests.remember({ requestId: createdBy, topicId: topic.id, created: true })
  rememberAlteration(entry, tables)
  topics.delete(name)
  const groups = topic.partitions.map((placement) => placement.group)
  return { outcome: { kind: 'deleted', topic }, events: [{ kind: 'topic-deleted', topic, groups }] }
}

function rememberAlteration({ topic, alteredBy }: TopicEntry, { formerRequests }: TopicTables): void {
  if (alteredBy !== undefined)
    formerRequests.remember({ requestId: alteredBy, topicId: topic.id, created: false })
}

function newPartitions(first: number, replicas: Replicas, tables: TopicTables): PartitionPlacement[] {
  const firstGroup = tables.nextGroups(replicas.length)
  return replicas.map((brokers, index) => ({
    partition: first + index,
    group: groupId(firstGroup + index),
    replicas: [...brokers],
    configuration: 1,
    learners: [],
    change: undefined,
  }))
}
