import { groupId, NO_SLOT, topicId, type BrokerId, type GroupId, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { BrokerInfo, PartitionPlacement, Topic } from '../types/topic.ts'
import {
  ENTRY_KIND,
  type AppliedPoint,
  type Entry,
  type Row,
  type StateMachine,
} from '../partition/state-machine.ts'
import { BROKERS_PER_CLUSTER_MAX, decodeCommand } from './commands.ts'
import type {
  AlterTopic,
  Command,
  CreateTopic,
  DeleteTopic,
  RegisterBroker,
  ReplaceStore,
  Replicas,
} from './commands.ts'
import {
  brokerRow,
  clusterRow,
  decodeRow,
  topicRow,
  type ClusterEntry,
  type TopicEntry,
} from './metadata-codec.ts'
import {
  groupCountProblem,
  placementProblem,
  sameBroker,
  topicDifferences,
  unknownBroker,
} from './metadata-checks.ts'
import { refused, without, type MetadataApplied, type MetadataEvent } from './outcomes.ts'
import type { BrokerLoad } from './placement.ts'
import { changeProblem, configProblem, mergeConfig, sameConfig } from './topic-config.ts'
import { TopicTable } from './topic-table.ts'

const EMPTY_CLUSTER: ClusterEntry = { clusterId: '', nextGroup: 1, nextTopic: 1 }
/**
 * Topics, their placement and the brokers of a cluster, as a pure state machine over the controller's group. Ids of groups
 * and topics are counted up and never used again.
 */
export class Metadata implements StateMachine<MetadataApplied> {
  /** The metadata holds no records: what an index keeps beside rows stays empty. */
  readonly nextOffset = 0
  readonly lastAppendedAtMs = 0
  readonly mark = undefined
  readonly #topics = new TopicTable()
  readonly #brokers = new Map<BrokerId, BrokerInfo>()
  #cluster = EMPTY_CLUSTER
  #appliedSlot: Slot = NO_SLOT
  readonly #changedTopics = new Set<string>()
  readonly #changedBrokers = new Set<BrokerId>()
  #isClusterChanged = false

  get appliedSlot(): Slot {
    return this.#appliedSlot
  }

  /** '' before the cluster is formed. */
  get clusterId(): string {
    return this.#cluster.clusterId
  }

  get partitionCount(): number {
    return this.#topics.partitionCount
  }

  get topicCount(): number {
    return this.#topics.topicCount
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)?.topic
  }

  /** In name order. */
  topics(): IterableIterator<Topic> {
    return this.#topics.all()
  }

  /** In name order, names above `after` only, at most `limit`. */
  listTopics(query: {
    readonly prefix: string
    readonly after: string
    readonly limit: number
  }): readonly Topic[] {
    return this.#topics.list(query)
  }

  /** A near name that exists. */
  suggest(name: string): string | undefined {
    return this.#topics.suggest(name)
  }

  partition(group: GroupId): { readonly topic: Topic; readonly placement: PartitionPlacement } | undefined {
    return this.#topics.partition(group)
  }

  /** 'deleted' groups were named once; 'unknown' ones never, as far as this replica has applied. */
  fateOf(group: GroupId): 'placed' | 'deleted' | 'unknown' {
    if (this.#topics.partition(group) !== undefined) return 'placed'
    return group >= 1 && group < this.#cluster.nextGroup ? 'deleted' : 'unknown'
  }

  broker(id: BrokerId): BrokerInfo | undefined {
    return this.#brokers.get(id)
  }

  /** In order of their ids. */
  brokers(): readonly BrokerInfo[] {
    return [...this.#brokers.values()].sort((a, b) => a.id - b.id)
  }

  /** What each broker carries, for `place`. In order of their ids. */
  loads(): readonly BrokerLoad[] {
    return this.brokers().map(({ id, failureDomain }) => ({ id, failureDomain, ...this.#topics.load(id) }))
  }

  apply(entry: Entry): MetadataApplied {
    invariant(entry.slot === this.#appliedSlot + 1, `Slot ${entry.slot} comes after ${this.#appliedSlot}.`)
    this.#appliedSlot = entry.slot
    if (entry.kind !== ENTRY_KIND.DATA) return without({ kind: 'control' })
    const read = decodeCommand(entry.body)
    if ('problem' in read)
      return refused({ code: 'malformed-request', detail: read.problem, hint: undefined })
    return this.#run(read.command)
  }

  #run(command: Command): MetadataApplied {
    if (command.kind === 'formCluster') return this.#form(command.clusterId)
    if (this.#cluster.clusterId === '') {
      return refused({ code: 'internal', detail: 'The cluster is not formed yet.', hint: undefined })
    }
    switch (command.kind) {
      case 'registerBroker':
        return this.#register(command)
      case 'replaceStore':
        return this.#replaceStore(command)
      case 'createTopic':
        return this.#create(command)
      case 'alterTopic':
        return this.#alter(command)
      case 'deleteTopic':
        return this.#delete(command)
    }
  }

  #form(clusterId: string): MetadataApplied {
    if (this.#cluster.clusterId !== '')
      return without({ kind: 'already-formed', clusterId: this.#cluster.clusterId })
    this.#setCluster({ ...this.#cluster, clusterId })
    return { outcome: { kind: 'formed', clusterId }, events: [{ kind: 'cluster-formed', clusterId }] }
  }

  /** Addresses may change, the store may not: a broker with another store has forgotten what it promised. */
  #register({ broker }: RegisterBroker): MetadataApplied {
    const known = this.#brokers.get(broker.id)
    if (known !== undefined && known.store !== broker.store)
      return without({ kind: 'store-differs', registered: known })
    if (known === undefined && this.#brokers.size >= BROKERS_PER_CLUSTER_MAX) {
      return refused({
        code: 'overloaded',
        detail: `A cluster has at most ${BROKERS_PER_CLUSTER_MAX} brokers.`,
        hint: undefined,
      })
    }
    if (known !== undefined && sameBroker(known, broker))
      return without({ kind: 'registered', broker: known })
    this.#brokers.set(broker.id, broker)
    this.#changedBrokers.add(broker.id)
    return { outcome: { kind: 'registered', broker }, events: [{ kind: 'broker-changed', broker }] }
  }

  /** Records the wish; its votes move group by group. Asked again it is the same, and the newest store counts. */
  #replaceStore({ broker: id, store }: ReplaceStore): MetadataApplied {
    const known = this.#brokers.get(id)
    if (known === undefined) return refused(unknownBroker(id))
    const isSame = known.store === store || known.pendingStore === store
    if (isSame) return without({ kind: 'registered', broker: known })
    const broker = { ...known, pendingStore: store }
    this.#brokers.set(id, broker)
    this.#changedBrokers.add(id)
    return { outcome: { kind: 'registered', broker }, events: [{ kind: 'broker-changed', broker }] }
  }

  #create(command: CreateTopic): MetadataApplied {
    const existing = this.#topics.get(command.name)
    if (existing !== undefined) return this.#compare(existing, command)
    const replicationFactor = command.partitions[0]!.length
    const problem =
      placementProblem(command.partitions, replicationFactor, this.#brokers) ??
      groupCountProblem({
        before: 0,
        added: command.partitions.length,
        inCluster: this.#topics.partitionCount,
        nextGroup: this.#cluster.nextGroup,
      })
    if (problem !== undefined) return refused(problem)
    const invalid = configProblem(command.config, replicationFactor)
    if (invalid !== undefined)
      return refused({ code: 'invalid-config', detail: invalid.detail, hint: invalid.hint })
    const { name, config, createdAtMs, requestId } = command
    const id = topicId(`t${this.#cluster.nextTopic}`)
    this.#setCluster({ ...this.#cluster, nextTopic: this.#cluster.nextTopic + 1 })
    const partitions = this.#newPartitions(0, command.partitions)
    const topic: Topic = { id, name, config, partitions, createdAtMs, revision: 1 }
    this.#putTopic({ topic, createdBy: requestId, alteredBy: undefined })
    return {
      outcome: { kind: 'created', topic },
      events: [{ kind: 'partitions-created', topic, placements: partitions }],
    }
  }

  /** The command that created the topic may come twice: then it has created it. */
  #compare({ topic, createdBy }: TopicEntry, { requestId, asked }: CreateTopic): MetadataApplied {
    if (createdBy === requestId) return without({ kind: 'created', topic })
    const differences = topicDifferences(topic, asked)
    return without(
      differences.length === 0
        ? { kind: 'exists-same', topic }
        : { kind: 'exists-different', topic, differences },
    )
  }

  #alter(command: AlterTopic): MetadataApplied {
    const { name, requestId, ifRevision, addPartitions } = command
    const entry = this.#topics.get(name)
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
        placementProblem(addPartitions.replicas, replicationFactor, this.#brokers) ??
        groupCountProblem({
          before,
          added: addPartitions.replicas.length,
          inCluster: this.#topics.partitionCount,
          nextGroup: this.#cluster.nextGroup,
        })
      if (problem !== undefined) return refused(problem)
    }
    const isConfigSame = sameConfig(topic.config, config)
    if (isConfigSame && addPartitions === undefined) return without({ kind: 'unchanged', topic })
    const added = this.#newPartitions(topic.partitions.length, addPartitions?.replicas ?? [])
    const altered: Topic = {
      ...topic,
      config,
      partitions: [...topic.partitions, ...added],
      revision: topic.revision + 1,
    }
    this.#putTopic({ ...entry, topic: altered, alteredBy: requestId })
    const events: MetadataEvent[] = []
    if (!isConfigSame) events.push({ kind: 'topic-altered', topic: altered })
    if (added.length > 0) events.push({ kind: 'partitions-created', topic: altered, placements: added })
    return { outcome: { kind: 'altered', topic: altered }, events }
  }

  #delete({ name, ifRevision, topicId: meant }: DeleteTopic): MetadataApplied {
    const topic = this.#topics.get(name)?.topic
    if (topic === undefined || (meant !== undefined && meant !== topic.id))
      return without({ kind: 'not-found', name })
    if (ifRevision !== undefined && ifRevision !== topic.revision)
      return without({ kind: 'etag-mismatch', topic })
    this.#topics.delete(name)
    this.#changedTopics.add(name)
    const groups = topic.partitions.map((placement) => placement.group)
    return { outcome: { kind: 'deleted', topic }, events: [{ kind: 'topic-deleted', topic, groups }] }
  }

  #newPartitions(first: number, replicas: Replicas): PartitionPlacement[] {
    const { nextGroup } = this.#cluster
    if (replicas.length > 0) this.#setCluster({ ...this.#cluster, nextGroup: nextGroup + replicas.length })
    return replicas.map((brokers, index) => ({
      partition: first + index,
      group: groupId(nextGroup + index),
      replicas: [...brokers],
      configuration: 1,
      learners: [],
    }))
  }

  #putTopic(entry: TopicEntry): void {
    this.#topics.put(entry)
    this.#changedTopics.add(entry.topic.name)
  }

  #setCluster(cluster: ClusterEntry): void {
    this.#cluster = cluster
    this.#isClusterChanged = true
  }

  takeRows(): readonly Row[] {
    const rows: Row[] = []
    if (this.#isClusterChanged) rows.push(clusterRow(this.#cluster))
    for (const id of this.#changedBrokers) rows.push(brokerRow(this.#brokers.get(id)!))
    for (const name of this.#changedTopics) rows.push(topicRow(name, this.#topics.get(name)))
    this.#forgetChanges()
    return rows
  }

  restore(rows: readonly Row[], applied: AppliedPoint): void {
    this.#topics.clear()
    this.#brokers.clear()
    this.#cluster = EMPTY_CLUSTER
    this.#appliedSlot = applied.slot
    for (const row of rows) {
      const stored = decodeRow(row)
      if (stored.kind === 'cluster') this.#cluster = stored.cluster
      else if (stored.kind === 'broker') this.#brokers.set(stored.broker.id, stored.broker)
      else this.#topics.put(stored.entry)
    }
    this.#forgetChanges()
  }

  #forgetChanges(): void {
    this.#changedTopics.clear()
    this.#changedBrokers.clear()
    this.#isClusterChanged = false
  }
}
