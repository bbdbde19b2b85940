import type { BrokerId, GroupId, Replica as ReplicaId } from '../types/ids.ts'
import { NO_SLOT } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement, Topic, TopicConfig } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { initialState, type RecoveredState, type StateRecord } from '../paxos/state.ts'
import type { LogStore, RecoveredGroup, Row } from '../storage/log-store.ts'
import { DamagedStoreError } from '../storage/storage-errors.ts'
import { topicDeleted } from './log.ts'
import { Partition } from './partition.ts'
import type { Registry } from './registry.ts'
import type { ReplicaHost } from './replica-host.ts'
import type { TailCache } from './tail-cache.ts'

export interface HostingOptions {
  readonly self: ReplicaId
  readonly registry: Registry
  readonly host: ReplicaHost
  readonly cache: TailCache
  readonly store: LogStore
  readonly wallMs: () => number
  /** The store of a broker, as the metadata registered it: all brokers make a group with the same first voters. */
  registeredStore(broker: number): ReplicaId['store'] | undefined
  /** The one that it runs on, as far as it has told: it learns with that one. */
  presentStore(broker: number): ReplicaId['store'] | undefined
  warn(sentence: string): void
}

interface FoundGroup extends RecoveredGroup {
  readonly rows: readonly Row[]
}

/** The metadata, when this broker knows all of it that was decided before its start. */
export interface KnownMetadata {
  topics(): Iterable<Topic>
  fateOf(group: GroupId): 'placed' | 'deleted' | 'unknown'
}

/**
 * Keeps this broker's replicas equal to what the metadata places here. A partition's first state record is written when the
 * metadata that creates it is applied, so before the index can say so; at a start it is either there or created again.
 *
 * Who votes is the replicas' own business: a replica begins with the voters that its group was created with, or as a learner
 * in configuration 0, and learns the rest from its log. While metadata is applied again at a start, it may be older than what
 * the store went through since; so a replica is deleted, or made where one had been deleted, only when all of it is known.
 */
export class Hosting {
  readonly #options: HostingOptions
  readonly #recovered = new Map<GroupId, FoundGroup>()
  readonly #deletions = new Set<Promise<void>>()
  #isMetadataKnown = false

  constructor(options: HostingOptions) {
    this.#options = options
  }

  /** What a start found in the store, except the controller's group. Partitions take their part when the metadata names them. */
  async addRecovered(groups: readonly RecoveredGroup[]): Promise<void> {
    for (const group of groups)
      this.#recovered.set(group.group, { ...group, rows: await this.#options.store.recoverRows(group.group) })
  }

  /** At a start: every partition that the metadata as applied so far places here. */
  openAll(topics: Iterable<Topic>): void {
    for (const topic of topics) {
      for (const placement of topic.partitions)
        if (this.#isHere(placement) && !this.#hasRetired(placement)) this.#open(topic.config, placement)
    }
  }

  /** A topic or more partitions were created. */
  created(topic: Topic, placements: readonly PartitionPlacement[]): void {
    for (const placement of placements) {
      if (this.#isHere(placement)) this.#follow(topic.config, placement)
    }
  }

  /** Its configuration or its placement is another one. */
  altered(topic: Topic): void {
    for (const placement of topic.partitions) {
      this.#options.registry.partition(placement.group)?.configure(topic.config)
      this.#follow(topic.config, placement)
    }
  }

  /** Its replicas are on their way. */
  placed(topic: Topic, placement: PartitionPlacement): void {
    this.#follow(topic.config, placement)
  }

  /** A broker runs on another store: where it holds replicas that one learns. */
  storeChanged(broker: BrokerId, topics: Iterable<Topic>): void {
    for (const topic of topics)
      for (const placement of topic.partitions)
        if (placement.replicas.includes(broker) || placement.learners.includes(broker))
          this.#tellLearners(this.#options.registry.partition(placement.group), placement)
  }

  /** The topic is gone: its groups stop at once and their data leaves the disk in the background. */
  deleted(topicName: string, groups: readonly GroupId[]): void {
    const gone = topicDeleted(topicName)
    for (const group of groups) {
      const partition = this.#options.registry.remove(group)
      partition?.stop(gone)
      if (partition === undefined && !this.#recovered.delete(group)) continue
      this.#delete(group)
    }
  }

  /**
   * All of the metadata is known now: replicas that it places elsewhere are deleted, and those made that it places here again.
   * Groups of deleted topics, whose deletion a stop cut short, are freed; groups that no metadata ever named are reported,
   * never deleted (architecture, 'Group ids').
   */
  settleLeftovers(metadata: KnownMetadata): void {
    this.#isMetadataKnown = true
    for (const topic of metadata.topics())
      for (const placement of topic.partitions) this.#follow(topic.config, placement)
    for (const group of [...this.#recovered.keys()]) {
      if (metadata.fateOf(group) !== 'deleted') continue
      this.#recovered.delete(group)
      this.#delete(group)
    }
    if (this.#recovered.size === 0) return
    const groups = [...this.#recovered.keys()].slice(0, 10).join(', ')
    this.#options.warn(
      `The store holds ${this.#recovered.size} groups that the metadata does not name: ${groups}. They are kept.`,
    )
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#deletions)
  }

  /** What a placement asks of this broker now. */
  #follow(config: TopicConfig, placement: PartitionPlacement): void {
    const { registry } = this.#options
    const { group } = placement
    const partition = registry.partition(group)
    if (!this.#isHere(placement)) this.#leave(placement)
    else if (partition !== undefined) this.#tellLearners(partition, placement)
    // Made before a crash that the index of the metadata did not survive: it comes back with all it holds.
    else if (this.#recovered.has(group)) this.#open(config, placement)
    else if (this.#isMetadataKnown || !this.#hasRetired(placement)) this.#make(config, placement)
  }

  /** Whoever is among the first voters and was never here has promised nothing, so it may be one of them. */
  #make(config: TopicConfig, placement: PartitionPlacement): void {
    const { replicas, configuration } = placement
    const isFirst = configuration === 1 && replicas.includes(this.#options.self.broker)
    if (isFirst && !this.#hasRetired(placement)) this.#create(config, placement)
    else this.#learn(config, placement)
  }

  /**
   * The metadata as applied so far may be older than what the store went through: a group that was deleted here stays so, and
   * the command that deletes its topic follows.
   */
  #isHere({ group, replicas, learners }: PartitionPlacement): boolean {
    const { self, store } = this.#options
    return (replicas.includes(self.broker) || learners.includes(self.broker)) && !store.wasDeleted(group)
  }

  /** A replica was here and is deleted, and no other has been made. */
  #hasRetired({ group }: PartitionPlacement): boolean {
    return this.#options.store.retiredAt(group) > 0
  }

  /**
   * Deletes a replica that the metadata places here no more. What may vote here one day has forgotten what this one promised, so
   * it votes only above the configurations that this one has known (consensus 1.12 step 6).
   */
  #leave({ group, configuration }: PartitionPlacement): void {
    if (!this.#isMetadataKnown) return
    const { registry, store } = this.#options
    const partition = registry.remove(group)
    partition?.stop(movedAway())
    const known = partition?.replica.paxos.configuration ?? this.#recovered.get(group)?.state.configuration
    if (known === undefined) return
    this.#recovered.delete(group)
    this.#await(store.retireGroup(group, Math.max(1, known.number, configuration)))
  }

  #delete(group: GroupId): void {
    this.#await(this.#options.store.deleteGroup(group))
  }

  #await(ending: Promise<void>): void {
    const deletion = ending.catch((error: unknown) => this.#options.host.fatal(error))
    this.#deletions.add(deletion)
    void deletion.finally(() => this.#deletions.delete(deletion))
  }

  /** As a voter of the group's first configuration. */
  #create(config: TopicConfig, placement: PartitionPlacement): void {
    const { registeredStore } = this.#options
    const voters = replicasOf(placement.replicas, registeredStore)
    this.#begin(config, placement, initialState({ number: 1, voters, learners: [], fromSlot: NO_SLOT }))
  }

  /** As a learner, which asks the voters on record. It votes when its log says so. */
  #learn(config: TopicConfig, placement: PartitionPlacement): void {
    const voters = replicasOf(placement.replicas, this.#options.presentStore)
    const configuration = { number: 0, voters, learners: [], fromSlot: NO_SLOT }
    this.#begin(
      config,
      placement,
      initialState(configuration, this.#options.store.retiredAt(placement.group)),
    )
  }

  #begin(config: TopicConfig, placement: PartitionPlacement, state: StateRecord): void {
    this.#options.store.append({
      group: placement.group,
      writes: [{ kind: 'state', state }],
      onDurable: () => {},
    })
    this.#start(config, placement, { state, commit: NO_SLOT, chainAtCommit: 0, tail: [] }, [], {
      nextOffset: 0,
      lastAppendedAtMs: 0,
      logBytes: 0,
    })
  }

  #open(config: TopicConfig, placement: PartitionPlacement): void {
    const found = this.#recovered.get(placement.group)
    this.#recovered.delete(placement.group)
    if (found === undefined) {
      throw new DamagedStoreError(
        `The store has nothing of group ${placement.group}, which the metadata placed here: the folder is incomplete, and this broker must not vote with it.`,
      )
    }
    const recovered = {
      state: found.state,
      commit: found.applied.slot,
      chainAtCommit: found.chainAtApplied,
      tail: found.tail,
      damaged: found.damaged,
    }
    this.#start(config, placement, recovered, found.rows, found.applied)
  }

  #start(
    config: TopicConfig,
    placement: PartitionPlacement,
    recovered: RecoveredState,
    rows: readonly Row[],
    applied: { readonly nextOffset: number; readonly lastAppendedAtMs: number; readonly logBytes: number },
  ): void {
    const { self, host, cache, registry, wallMs } = this.#options
    const { group } = placement
    const partition = new Partition({
      group,
      self,
      recovered,
      rows,
      nextOffset: applied.nextOffset,
      lastAppendedAtMs: applied.lastAppendedAtMs,
      logBytes: applied.logBytes,
      config,
      host,
      cache,
      wallMs,
      onLeaderChange: () => registry.leaderChanged(group),
    })
    registry.addPartition(partition)
    this.#tellLearners(partition, placement)
  }

  /**
   * Whoever holds a replica and does not vote by its own log, or by the leader's, learns. The metadata may be ahead of this log:
   * who is a learner beside the configuration on record may still vote here, in one before it (broker seed 80303).
   */
  #tellLearners(partition: Partition | undefined, placement: PartitionPlacement): void {
    const { replicas, learners, configuration } = placement
    const holders = replicasOf([...new Set([...replicas, ...learners])], this.#options.presentStore)
    partition?.replica.setLearners(holders, configuration)
  }
}

function replicasOf(
  brokers: readonly BrokerId[],
  storeOf: (broker: number) => ReplicaId['store'] | undefined,
): readonly ReplicaId[] {
  return brokers.map((broker) => {
    const store = storeOf(broker)
    invariant(store !== undefined, `Broker ${broker} has replicas but is not registered.`)
    return { broker, store }
  })
}

function movedAway(): SynodError {
  return new SynodError('no-leader', 'This broker holds no replica of the partition any more.', {
    retryAfterMs: 200,
  })
}
