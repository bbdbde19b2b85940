import type { BrokerId } from '../types/ids.ts'
import type { Operation } from '../types/operation.ts'
import type { Member, Topic, TopicConfig } from '../types/topic.ts'
import type { CommittedBatch, Idempotency, RecordDraft } from '../types/record.ts'

/**
 * All that the gateway needs of the broker. Nothing inner is imported: `broker.ts` hands in what fulfils these, tests hand
 * in fakes. Errors are SynodErrors. Each call works on any broker: who does not lead forwards.
 */
export interface Ports {
  readonly log: Log
  readonly topics: Topics
  readonly cluster: ClusterView
  readonly operations: OperationsPort
}

export interface Log {
  /**
   * Stores all records as one atomic slot, or none. Resolves when a majority has them on disk.
   * Errors: 'no-leader', 'no-quorum', 'not-enough-in-sync', 'overloaded', 'draining' (nothing stored);
   * 'outcome-unknown' (may be stored); 'producer-fenced', 'sequence-gap' {expectedSeq}, 'idempotency-key-reused',
   * 'offset-mismatch' {highWatermark}, 'topic-closed', 'topic-deleted'.
   */
  append(request: AppendRequest): Promise<AppendReceipt>
  /**
   * Committed batches from the one that holds `fromOffset`. Waits up to `waitMs` for the first when there is none.
   * Errors: 'offset-trimmed' {logStart}, 'offset-out-of-range' {highWatermark}, 'topic-deleted', 'replica-behind',
   * 'replica-damaged', 'no-leader'.
   */
  read(request: ReadRequest): Promise<ReadResult>
  /**
   * The offset that a start position means now, in one partition. Errors, unless it is asked of a replica near by:
   * 'no-leader', 'no-quorum', 'offset-out-of-range' and 'replica-behind' for what it is to know.
   */
  resolve(topic: Topic, partition: number, position: StartPosition, freshness?: Freshness): Promise<number>
  /** Who leads the partition, as far as this broker knows: a hint. */
  leaderOf(topic: Topic, partition: number): BrokerId | undefined
}

/** How new an answer has to be. Left out: what a replica near by knows to be committed. */
export interface Freshness {
  /**
   * `leader`: what the leader knows to be committed. `linearizable`: not older than anything that anybody was told before this
   * call, which a majority confirms.
   */
  readonly consistency: 'local' | 'leader' | 'linearizable'
  /** Whoever answers has the record at this offset. */
  readonly afterOffset?: number | undefined
}

export interface AppendRequest {
  readonly topic: Topic
  readonly partition: number
  readonly records: readonly RecordDraft[]
  readonly idempotency: Idempotency | undefined
  /** The offset that the first record must get. */
  readonly expectedOffset: number | undefined
  readonly acks: 'majority' | 'all'
}

export interface AppendReceipt {
  /** Undefined for a duplicate so old that its place is no longer remembered; it was stored. */
  readonly baseOffset: number | undefined
  readonly recordCount: number
  readonly appendedAtMs: number
  readonly duplicate: boolean
  /** The broker that leads, for `Synod-Leader`. */
  readonly leader: BrokerId
}

export interface ReadRequest {
  readonly topic: Topic
  readonly partition: number
  readonly fromOffset: number
  /** Stops after the batch that reaches either bound; at least one batch when there is one. */
  readonly recordsMax: number
  readonly bytesMax: number
  readonly waitMs: number
  readonly signal: AbortSignal | undefined
  readonly freshness?: Freshness | undefined
}

export interface ReadResult {
  /** The first may begin before `fromOffset`: skip those records. */
  readonly batches: readonly CommittedBatch[]
  readonly logStart: number
  readonly highWatermark: number
  /** Whoever answered hears of no leader now, so that records may come elsewhere and not here. */
  readonly isLeaderless?: boolean
}

export type StartPosition =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** The last `count` records. */
  | { readonly kind: 'last'; readonly count: number }
  /** The first record appended at or after the time. */
  | { readonly kind: 'time'; readonly timeMs: number }

export interface TopicSpec {
  readonly partitions: number | undefined
  readonly replicationFactor: number | undefined
  readonly config: Partial<TopicConfig>
}

export interface Topics {
  /**
   * Asks the controller before it says undefined, so that a topic made a moment ago on another broker is found; linearizable:
   * asks it in any case, so that one deleted a moment ago is not. Errors of asking: 'no-leader', 'no-quorum'.
   */
  find(name: string, options?: { readonly linearizable: boolean }): Promise<Topic | undefined>
  /** In name order, names above `after` only. */
  list(query: { readonly prefix: string; readonly after: string; readonly limit: number }): readonly Topic[]
  /** A near name that exists. */
  suggest(name: string): string | undefined
  /** Errors: 'topic-config-differs' {differences}, 'not-enough-brokers', 'invalid-config'. */
  create(name: string, spec: TopicSpec): Promise<{ readonly topic: Topic; readonly created: boolean }>
  /** `ifRevision`: only if nothing changed since ('etag-mismatch'). More partitions, never fewer. */
  alter(
    name: string,
    change: { readonly config: Partial<TopicConfig>; readonly partitions: number | undefined },
    ifRevision: number | undefined,
  ): Promise<Topic>
  /** Error: 'topic-not-found'. */
  delete(name: string, ifRevision: number | undefined): Promise<void>
  /** Each partition's live state, asked of its leader where another broker leads; unknown parts are undefined. */
  describe(topic: Topic): Promise<readonly PartitionState[]>
  /**
   * Orders a partition's leader to hand over; resolves when that has begun. Errors: 'not-a-replica', 'not-enough-in-sync' when
   * the broker cannot lead now, 'overloaded', 'no-leader', 'no-quorum'.
   */
  moveLeader(topic: Topic, partition: number, to: BrokerId): Promise<void>
  /**
   * Shows no records below `beforeOffset` any more, rounded down to where a batch begins; resolves with the first offset that
   * is shown. Errors: 'offset-out-of-range' {highWatermark}, 'no-leader', 'no-quorum', 'not-enough-in-sync', 'overloaded',
   * 'draining', 'replica-damaged', 'outcome-unknown'.
   */
  trim(topic: Topic, partition: number, beforeOffset: number): Promise<number>
  /** How a partition decides, by its leader if reachable, else by this broker's own replica. */
  paxos(topic: Topic, partition: number): Promise<PaxosState>
}

export interface PartitionState {
  readonly partition: number
  readonly leader: BrokerId | undefined
  readonly replicas: readonly BrokerId[]
  readonly inSync: readonly BrokerId[] | undefined
  readonly logStart: number | undefined
  readonly highWatermark: number | undefined
  readonly sizeBytes: number | undefined
}

/** Slots are numbers, ballots strings. */
export interface PaxosState {
  readonly answeredBy: BrokerId
  readonly ballot: string
  readonly leader: BrokerId | undefined
  readonly role: 'leader' | 'candidate' | 'follower' | 'retired'
  readonly promised: string
  readonly accepted: string
  readonly acceptedSlot: number
  readonly chosen: number
  readonly highWatermark: number
  /** Of the leader's view; only itself when a follower answers. */
  readonly replicas: readonly ReplicaState[]
}

export interface ReplicaState {
  readonly broker: BrokerId
  readonly acceptedSlot: number
  readonly lagMs: number
  readonly lagSlots: number
  readonly inSync: boolean
  readonly state: 'leader' | 'synced' | 'preparing' | 'syncing' | 'learner' | 'unreachable'
}

export interface ClusterView {
  readonly broker: BrokerId
  readonly clusterId: string
  /** Who leads the controller's group, as far as this broker knows. */
  controller(): BrokerId | undefined
  brokers(): readonly BrokerState[]
  /** Recovered, member of a cluster and in touch with a controller at least once. */
  health(): {
    readonly live: boolean
    readonly ready: boolean
    readonly started: boolean
    readonly reason: string | undefined
  }
}

export interface BrokerState extends Member {
  readonly state: 'alive' | 'draining' | 'dead' | 'outsider'
  /** Why it is an outsider, in a sentence. */
  readonly reason?: string | undefined
  readonly leaderCount: number
  readonly replicaCount: number
  /** Free bytes of the disk; only known of this broker. */
  readonly diskFreeBytes: number | undefined
  /** Of its replica that is furthest behind, among those of partitions that this broker leads. */
  readonly lag?: { readonly slots: number; readonly ms: number } | undefined
}

/** Long changes. Each call resolves when the operation has begun; errors besides 'no-leader', 'no-quorum', 'outcome-unknown': */
export interface OperationsPort {
  /** The newest first, as far as this broker knows. */
  list(): readonly Operation[]
  /** Asks the controller before it says undefined. */
  find(id: string): Promise<Operation | undefined>
  /** 'reassignment-in-progress', 'not-enough-brokers', 'invalid-config', 'topic-not-found'. */
  moveReplicas(topic: Topic, partition: number, target: readonly BrokerId[]): Promise<Operation>
  /** 'not-found', 'reassignment-in-progress', 'would-lose-quorum', 'not-enough-brokers'. */
  drain(broker: BrokerId): Promise<Operation>
  /** The same, and 'invalid-parameter' for a broker that is alive and needs no force. */
  remove(broker: BrokerId, isForced: boolean): Promise<Operation>
  /** Takes a drained broker back. 'not-found', 'reassignment-in-progress'. */
  activate(broker: BrokerId): Promise<void>
  /** 'not-found', 'operation-ended'. */
  cancel(id: string): Promise<Operation>
}
