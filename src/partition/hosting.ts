import type { BrokerId, GroupId, Replica as ReplicaId } from '../types/ids.ts'
import { NO_SLOT } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement, Topic, TopicConfig } from '../types/topic.ts'
import { initialState, type Configuration, type RecoveredState } from '../paxos/state.ts'
import type { LogStore, RecoveredGroup, Row } from '../storage/log-store.ts'
import { notLeader } from './forward.ts'
import { topicDeleted } from './log.ts'
import { Partition } from './partition.ts'
import type { Registry } from './registry.ts'
import type { ReplicaHost } from './replica.ts'
import type { TailCache } from './tail-cache.ts'

export interface HostingOptions {
  readonly self: ReplicaId
  readonly registry: Registry
  readonly host: ReplicaHost
  readonly cache: TailCache
  readonly store: LogStore
  readonly wallMs: () => number
  /** The store of a broker, as the metadata registered it. */
  storeOf(broker: number): ReplicaId['store'] | undefined
  warn(sentence: string): void
}

/** Of a new partition's configuration, and of one that only says whom a new replica learns from. */
const FIRST_NUMBER = 1
const LEARNER_NUMBER = 0

interface FoundGroup extends RecoveredGroup {
  readonly rows: readonly Row[]
}

/**
 * Keeps this broker's replicas equal to what the metadata places here. A partition's first state record is written when the
 * metadata that creates it is applied, so before the index can say so; at a start it is either there or created again.
 */
export class Hosting {
  readonly #options: HostingOptions
  readonly #recovered = new Map<GroupId, FoundGroup>()
  readonly #deletions = new Set<Promise<void>>()

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
        if (this.#isHere(placement)) this.#open(topic.config, placement)
    }
  }

  /** A topic or more partitions were created. */
  created(topic: Topic, placements: readonly PartitionPlacement[]): void {
    for (const placement of placements) {
      if (!this.#isHere(placement) || this.#options.registry.partition(placement.group) !== undefined)
        continue
      // Created before a crash that the index of the metadata did not survive: it comes back with all it holds.
      if (this.#recovered.has(placement.group)) this.#open(topic.config, placement)
      else this.#create(topic.config, placement, FIRST_NUMBER)
    }
  }

  /**
   * The replicas of a partition are on their way. A new one begins empty and without a vote; one that is no longer needed is
   * freed, and this store remembers up to which configuration it must not vote again (consensus 1.12 step 6).
   */
  placed(topic: Topic, placement: PartitionPlacement): void {
    const { registry } = this.#options
    const partition = registry.partition(placement.group)
    if (this.#isHere(placement)) {
      if (partition !== undefined) partition.replica.setLearners(this.#replicasOf(placement.learners))
      else this.#open(topic.config, placement)
      return
    }
    if (partition === undefined && !this.#recovered.delete(placement.group)) return
    registry.remove(placement.group)
    partition?.stop(notLeader(undefined))
    this.#retire(placement, partition?.replica.paxos.configuration.number ?? 0)
  }

  altered(topic: Topic): void {
    for (const { group } of topic.partitions) this.#options.registry.partition(group)?.configure(topic.config)
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
   * What is left in the store when the metadata is known: groups of deleted topics, whose deletion a stop cut short, are freed
   * now; groups that no metadata ever named are reported, never deleted (architecture, 'Group ids').
   */
  settleLeftovers(metadata: {
    fateOf(group: GroupId): 'placed' | 'deleted' | 'unknown'
    partition(group: GroupId): { readonly placement: PartitionPlacement } | undefined
  }): void {
    for (const [group, { state }] of [...this.#recovered]) {
      const fate = metadata.fateOf(group)
      if (fate === 'unknown') continue
      this.#recovered.delete(group)
      if (fate === 'deleted') this.#delete(group)
      else this.#retire(metadata.partition(group)!.placement, state.configuration.number)
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

  /**
   * The metadata as applied so far may be older than what the store went through: a group that was deleted here stays so, and
   * the command that deletes its topic follows.
   */
  #isHere(placement: PartitionPlacement): boolean {
    const { self, store } = this.#options
    return holdersOf(placement).includes(self.broker) && !store.wasDeleted(placement.group)
  }

  #delete(group: GroupId): void {
    const deletion = this.#options.store
      .deleteGroup(group)
      .catch((error: unknown) => this.#options.host.fatal(error))
    this.#deletions.add(deletion)
    void deletion.finally(() => this.#deletions.delete(deletion))
  }

  /** Nothing of the group is left but the configuration up to which it does not vote. */
  #retire({ group, configuration }: PartitionPlacement, own: number): void {
    const retiring = this.#options.store
      .retireGroup(group, Math.max(configuration, own))
      .catch((error: unknown) => this.#options.host.fatal(error))
    this.#deletions.add(retiring)
    void retiring.finally(() => this.#deletions.delete(retiring))
  }

  #create(config: TopicConfig, placement: PartitionPlacement, number: number): void {
    const { store } = this.#options
    const state = initialState(this.#configuration(placement, number), store.retiredAt(placement.group))
    this.#options.store.append({
      group: placement.group,
      writes: [{ kind: 'state', state }],
      onDurable: () => {},
    })
    this.#start(config, placement, { state, commit: NO_SLOT, chainAtCommit: 0, tail: [] }, [], {
      nextOffset: 0,
      lastAppendedAtMs: 0,
    })
  }

  #open(config: TopicConfig, placement: PartitionPlacement): void {
    const found = this.#recovered.get(placement.group)
    this.#recovered.delete(placement.group)
    const { self } = this.#options
    if (found === undefined && placement.learners.includes(self.broker))
      return this.#create(config, placement, LEARNER_NUMBER)
    if (found === undefined) {
      throw new Error(
        `The store has nothing of group ${placement.group}, which the metadata placed here: the folder is incomplete, and this broker must not vote with it.`,
      )
    }
    const recovered = {
      state: found.state,
      commit: found.applied.slot,
      chainAtCommit: found.chainAtApplied,
      tail: found.tail,
    }
    this.#start(config, placement, recovered, found.rows, found.applied)
  }

  #start(
    config: TopicConfig,
    placement: PartitionPlacement,
    recovered: RecoveredState,
    rows: readonly Row[],
    applied: { readonly nextOffset: number; readonly lastAppendedAtMs: number },
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
      config,
      host,
      cache,
      wallMs,
      onLeaderChange: () => registry.leaderChanged(group),
    })
    registry.addPartition(partition)
    if (placement.learners.length > 0) partition.replica.setLearners(this.#replicasOf(placement.learners))
  }

  #configuration({ replicas }: PartitionPlacement, number: number): Configuration {
    return { number, voters: this.#replicasOf(replicas), learners: [], fromSlot: NO_SLOT }
  }

  #replicasOf(brokers: readonly BrokerId[]): ReplicaId[] {
    return brokers.map((broker) => {
      const store = this.#options.storeOf(broker)
      invariant(store !== undefined, `Broker ${broker} has replicas but is not registered.`)
      return { broker, store }
    })
  }
}

function holdersOf({ replicas, learners }: PartitionPlacement): readonly BrokerId[] {
  return [...replicas, ...learners]
}
