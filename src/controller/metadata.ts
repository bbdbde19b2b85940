import {
  NO_SLOT,
  storeId,
  topicId,
  type BrokerId,
  type GroupId,
  type Slot,
  type StoreId,
} from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation } from '../types/operation.ts'
import type { Member, PartitionPlacement, Topic } from '../types/topic.ts'
import {
  ENTRY_KIND,
  type AppliedPoint,
  type Entry,
  type Row,
  type StateMachine,
} from '../partition/state-machine.ts'
import { BROKERS_PER_CLUSTER_MAX, decodeCommand } from './commands.ts'
import type { Command, RegisterBroker, ReplaceStore } from './commands.ts'
import {
  brokerRow,
  clusterRow,
  decodeRow,
  formerRequestRow,
  operationRow,
  topicRow,
  type ClusterEntry,
} from './metadata-codec.ts'
import { FormerRequests, type FormerRequest } from './former-requests.ts'
import { sameBroker, unknownBroker } from './metadata-checks.ts'
import { MemberTable } from './member-table.ts'
import { applyOperationCommand } from './operation-commands.ts'
import { operationId, OperationTable } from './operation-table.ts'
import { refused, without, type MetadataApplied } from './outcomes.ts'
import type { BrokerLoad } from './placement.ts'
import { applyTopicCommand } from './topic-commands.ts'
import { onOtherStores, presentStore } from './store-replacement.ts'
import { TopicTable, type CarriedLoad } from './topic-table.ts'

const EMPTY_CLUSTER: ClusterEntry = { clusterId: '', nextGroup: 1, nextTopic: 1, nextOperation: 1 }

/**
 * Topics, their placement, the brokers of a cluster and its operations, as a pure state machine over the controller's group.
 * Ids of groups, topics and operations are counted up and never used again.
 */
export class Metadata implements StateMachine<MetadataApplied> {
  /** The metadata holds no records: what an index keeps beside rows stays empty. */
  readonly nextOffset = 0
  readonly lastAppendedAtMs = 0
  readonly mark = undefined
  readonly #topics = new TopicTable()
  readonly #members = new MemberTable()
  readonly #operations = new OperationTable()
  readonly #formerRequests = new FormerRequests()
  #cluster = EMPTY_CLUSTER
  #appliedSlot: Slot = NO_SLOT
  readonly #tables = {
    topics: this.#topics,
    members: this.#members,
    operations: this.#operations,
    formerRequests: this.#formerRequests,
    nextTopic: () => topicId(`t${this.#count('nextTopic', 1)}`),
    nextGroups: (count: number) => this.#count('nextGroup', count),
    nextOperation: () => operationId(this.#count('nextOperation', 1)),
  }
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

  /** Also one that was removed. */
  broker(id: BrokerId): Member | undefined {
    return this.#members.get(id)
  }

  /** The store that a broker runs on, as far as it has told: it may still wait for the votes of the registered one. */
  presentStore(id: BrokerId): StoreId | undefined {
    const member = this.#members.get(id)
    return member === undefined ? undefined : storeId(presentStore(member))
  }

  /** In order of their ids, those that were removed left out. */
  brokers(): readonly Member[] {
    return this.#members.allPresent()
  }

  removedBrokers(): readonly Member[] {
    return this.#members.all().filter(({ membership }) => membership === 'removed')
  }

  /** What each broker carries that may get replicas, for `place`. In order of their ids. */
  loads(): readonly BrokerLoad[] {
    return this.#members
      .active()
      .map(({ id, failureDomain }) => ({ id, failureDomain, ...this.#topics.load(id) }))
  }

  /** What a broker carries, whatever its membership. */
  load(broker: BrokerId): CarriedLoad {
    return this.#topics.load(broker)
  }

  /** Partitions whose replicas are on their way. */
  changing(): readonly PartitionPlacement[] {
    return this.#topics.changing()
  }

  operation(id: string): Operation | undefined {
    return this.#operations.get(id)
  }

  /** The operation that works on a broker as a whole now. */
  operationOn(broker: BrokerId): Operation | undefined {
    return this.#operations.runningOn(broker)
  }

  /** In the order of their start. */
  operations(): readonly Operation[] {
    return this.#operations.all()
  }

  runningOperations(): readonly Operation[] {
    return this.#operations.running()
  }

  /** The operation that a request started. */
  operationStartedBy(requestId: string): Operation | undefined {
    return this.#operations.startedBy(requestId)
  }

  /** A request that changed a topic before others did. */
  formerRequest(requestId: string): FormerRequest | undefined {
    return this.#formerRequests.get(requestId)
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
      case 'alterTopic':
      case 'deleteTopic':
        return applyTopicCommand(command, this.#tables)
      default:
        return applyOperationCommand(command, this.#tables)
    }
  }

  #form(clusterId: string): MetadataApplied {
    if (this.#cluster.clusterId !== '')
      return without({ kind: 'already-formed', clusterId: this.#cluster.clusterId })
    this.#setCluster({ ...this.#cluster, clusterId })
    return { outcome: { kind: 'formed', clusterId }, events: [{ kind: 'cluster-formed', clusterId }] }
  }

  /**
   * Addresses may change, the store may not: a broker with another store has forgotten what it promised. One that was removed
   * is the other way round: its store is done with, and with a new one it joins as a new broker.
   */
  #register({ broker }: RegisterBroker): MetadataApplied {
    const before = this.#members.get(broker.id)
    if (before?.membership === 'removed' && before.store === broker.store)
      return without({ kind: 'removed', registered: before })
    const known = this.#members.present(broker.id)
    if (known !== undefined && known.store !== broker.store)
      return without({ kind: 'store-differs', registered: known })
    if (before === undefined && this.#members.size >= BROKERS_PER_CLUSTER_MAX) {
      return refused({
        code: 'overloaded',
        detail: `A cluster has at most ${BROKERS_PER_CLUSTER_MAX} brokers.`,
        hint: undefined,
      })
    }
    if (known !== undefined && sameBroker(known, { ...broker, ...this.#waiting(known) }))
      return without({ kind: 'registered', broker: known })
    return this.#changedMember({
      ...broker,
      membership: known?.membership ?? 'active',
      ...this.#waiting(known),
    })
  }

  /**
   * A broker that comes back with its registered store takes a wish for another one back; where that votes already, its own is
   * to vote again.
   */
  #waiting(known: Member | undefined): Pick<Member, 'pendingStore'> {
    if (known?.pendingStore === undefined) return {}
    const isElsewhere = onOtherStores(this.#topics.all(), known, known.store).next().done !== true
    return isElsewhere ? { pendingStore: known.store } : {}
  }

  /** Records the wish; its votes move group by group. Asked again it is the same, and the newest store counts. */
  #replaceStore({ broker, store }: ReplaceStore): MetadataApplied {
    const known = this.#members.present(broker)
    if (known === undefined) return refused(unknownBroker(broker))
    if (known.store === store || known.pendingStore === store)
      return without({ kind: 'registered', broker: known })
    return this.#changedMember({ ...known, pendingStore: store })
  }

  #changedMember(member: Member): MetadataApplied {
    this.#members.put(member)
    return {
      outcome: { kind: 'registered', broker: member },
      events: [{ kind: 'broker-changed', broker: member }],
    }
  }

  /** The first of so many numbers that were never used. */
  #count(counter: 'nextGroup' | 'nextTopic' | 'nextOperation', count: number): number {
    const first = this.#cluster[counter]
    if (count > 0) this.#setCluster({ ...this.#cluster, [counter]: first + count })
    return first
  }

  #setCluster(cluster: ClusterEntry): void {
    this.#cluster = cluster
    this.#isClusterChanged = true
  }

  takeRows(): readonly Row[] {
    const rows: Row[] = []
    if (this.#isClusterChanged) rows.push(clusterRow(this.#cluster))
    for (const member of this.#members.takeChanged()) rows.push(brokerRow(member))
    for (const [id, entry] of this.#operations.takeChanged()) rows.push(operationRow(id, entry))
    for (const [number, entry] of this.#formerRequests.takeChanged())
      rows.push(formerRequestRow(number, entry))
    for (const [name, entry] of this.#topics.takeChanged()) rows.push(topicRow(name, entry))
    this.#isClusterChanged = false
    return rows
  }

  restore(rows: readonly Row[], applied: AppliedPoint): void {
    this.#topics.clear()
    this.#members.clear()
    this.#operations.clear()
    this.#formerRequests.clear()
    this.#cluster = EMPTY_CLUSTER
    this.#appliedSlot = applied.slot
    for (const row of rows) {
      const stored = decodeRow(row)
      if (stored.kind === 'cluster') this.#cluster = stored.cluster
      else if (stored.kind === 'broker') this.#members.restore(stored.broker)
      else if (stored.kind === 'operation') this.#operations.restore(stored.entry)
      else if (stored.kind === 'former-request') this.#formerRequests.restore(stored.entry)
      else this.#topics.restore(stored.entry)
    }
    this.#isClusterChanged = false
  }
}
