import type { BrokerId, GroupId, Replica, TopicId } from './ids.ts'

/** Every setting of a topic, with all values present. Units end a name. */
export interface TopicConfig {
  /** Age and size, of each partition, after which the oldest records are trimmed; null: never. */
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  /** `none`: neither age nor size trims anything, only an operator does. */
  readonly cleanup: 'delete' | 'none'
  /** What a partition of `retentionBytes` does: lets its oldest records go, or takes no more. */
  readonly onFull: 'trim' | 'reject'
  readonly recordBytesMax: number
  /** MaxLag, the largest delay of an in-sync replica, and its bound in slots (consensus 1.10). */
  readonly maxLagMs: number
  readonly maxLagSlots: number
  /** In-sync voters needed to accept a produce; null: a majority. */
  readonly minInSync: number | null
  readonly dedupWindowMs: number
  readonly dedupWindowCount: number
  /** A closed topic takes no more records. */
  readonly closed: boolean
}

export const DEFAULT_TOPIC_CONFIG: TopicConfig = {
  retentionMs: null,
  retentionBytes: null,
  cleanup: 'delete',
  onFull: 'trim',
  recordBytesMax: 1024 * 1024,
  maxLagMs: 10_000,
  maxLagSlots: 1_000,
  minInSync: null,
  dedupWindowMs: 600_000,
  dedupWindowCount: 100_000,
  closed: false,
}

export interface PartitionPlacement {
  readonly partition: number
  readonly group: GroupId
  /** The voters of the newest configuration on record. The first is the preferred leader. */
  readonly replicas: readonly BrokerId[]
  /** Number of the configuration whose voters `replicas` are, as last recorded; 1 when the partition is made. */
  readonly configuration: number
  /** The same voters with their stores. Undefined: the stores that the brokers are registered with. */
  readonly voters?: readonly Replica[] | undefined
  /**
   * Brokers that pull the log without a vote, usually none: replicas to be. One that was ordered to vote stays here until a
   * later configuration is on record: the order may yet prevail.
   */
  readonly learners: readonly BrokerId[]
  /** Undefined: the replicas stay where they are. */
  readonly change?: PlacementChange | undefined
}

/** Replicas on their way. While one is `learning` it can be called off; once `switching`, only turned round. */
export interface PlacementChange {
  /** The operation that wants it. */
  readonly operation: string
  /** The replicas that the partition is to have, the preferred leader first. */
  readonly target: readonly BrokerId[]
  readonly phase: 'learning' | 'switching'
}

/** A topic as the metadata holds it. */
export interface Topic {
  readonly id: TopicId
  readonly name: string
  readonly config: TopicConfig
  readonly partitions: readonly PartitionPlacement[]
  readonly createdAtMs: number
  /** Counts up at every change; the public ETag. */
  readonly revision: number
}

/** What a broker says of itself when it registers. */
export interface BrokerInfo {
  readonly id: BrokerId
  readonly store: string
  /** Where clients reach it. */
  readonly publicUrl: string
  readonly internalHost: string
  readonly internalPort: number
  readonly failureDomain: string
  readonly version: string
  /** It runs on this store now, which waits to be given the votes of the registered one. */
  readonly pendingStore?: string | undefined
}

/** A broker as the metadata holds it. A 'draining' one gets no new replicas; a 'removed' one is only remembered. */
export interface Member extends BrokerInfo {
  readonly membership: 'active' | 'draining' | 'removed'
}
