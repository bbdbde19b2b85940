import type { GroupId, Replica as ReplicaId } from '../types/ids.ts'
import { NO_SLOT } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement, Topic, TopicConfig } from '../types/topic.ts'
import { initialState, type Configuration, type RecoveredState } from '../paxos/state.ts'
import type { LogStore, RecoveredGroup, Row } from '../storage/log-store.ts'
import { DamagedStoreError } from '../storage/storage-errors.ts'
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
      else this.#create(topic.config, placement)
    }
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
  settleLeftovers(fateOf: (group: GroupId) => 'placed' | 'deleted' | 'unknown'): void {
    for (const group of [...this.#recovered.keys()]) {
      if (fateOf(group) !== 'deleted') continue
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

  /**
   * The metadata as applied so far may be older than what the store went through: a group that was deleted here stays so, and
   * the command that deletes its topic follows.
   */
  #isHere(placement: PartitionPlacement): boolean {
    const { self, store } = this.#options
    return placement.replicas.includes(self.broker) && !store.wasDeleted(placement.group)
  }

  #delete(group: GroupId): void {
    const deletion = this.#options.store
      .deleteGroup(group)
      .catch((error: unknown) => this.#options.host.fatal(error))
    this.#deletions.add(deletion)
    void deletion.finally(() => this.#deletions.delete(deletion))
  }

  #create(config: TopicConfig, placement: PartitionPlacement): void {
    const state = initialState(this.#configuration(placement))
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
    registry.addPartition(
      new Partition({
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
      }),
    )
  }

  #configuration(placement: PartitionPlacement): Configuration {
    const voters = placement.replicas.map((broker) => {
      const store = this.#options.storeOf(broker)
      invariant(store !== undefined, `Broker ${broker} has replicas but is not registered.`)
      return { broker, store }
    })
    return { number: 1, voters, learners: [], fromSlot: NO_SLOT }
  }
}
