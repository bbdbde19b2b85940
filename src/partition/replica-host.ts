import type { Stages } from '../observability/stages.ts'
import type { Place } from '../types/digest.ts'
import type { BrokerId, GroupId, Replica as ReplicaId } from '../types/ids.ts'
import type { Ballot } from '../paxos/ballot.ts'
import type { LinkView } from '../paxos/link-view.ts'
import type { Message } from '../paxos/messages.ts'
import type { PaxosTuning } from '../paxos/options.ts'
import type { Checksum, Entry, RecoveredState, Role } from '../paxos/state.ts'
import type { LogStore, OffsetMark } from '../storage/log-store.ts'
import type { Loop } from './loop.ts'
import type { QueuedBytes, Waiting } from './proposals.ts'
import type { StateMachine } from './state-machine.ts'

/** What all replicas of one broker share. */
export interface ReplicaHost {
  readonly loop: Loop
  readonly store: LogStore
  readonly checksum: Checksum
  readonly bootNumber: number
  readonly queued: QueuedBytes
  readonly stages: Pick<Stages, 'queue' | 'replication' | 'apply'>
  send(to: BrokerId, group: GroupId, message: Message): void
  /** The detector's view as of now; undefined before its first one. */
  links(): LinkView | undefined
  /** A replica stands here now; it is still in the middle of its step. */
  applied(place: Place): void
  /** A broken invariant or a damaged entry: the broker stops with this sentence. */
  fatal(error: unknown): void
}

/** What a group's owner wants to hear. All calls are synchronous and come from the loop. */
export interface ReplicaListener<Result> {
  /** What waits together, about to be proposed: the owner may make fewer values of it that answer for all. */
  join?(waiting: readonly Waiting<Result>[]): readonly Waiting<Result>[]
  /** Before a proposal is appended: the last chance to write the leader's time into its body. */
  stamp(body: Uint8Array): void
  applied(entry: Entry, result: Result): void
  /** Everything that this turn applied has been told. */
  turnEnded(): void
  roleChanged(role: Role, ballot: Ballot, leader: BrokerId | undefined): void
  /** The machine went on from a checkpoint: what was told of entries below is of a log that is not held any more. */
  wasReset?(): void
  /** When the owner wants a turn to end by itself, monotonic milliseconds; undefined: when something happens. */
  dueMs?(): number | undefined
}

/** The machine with the numbers that the index keeps beside its rows. */
export interface HostedMachine<Result> extends StateMachine<Result> {
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  /** Where the records of the entry applied last begin; undefined when it added none. */
  readonly mark: OffsetMark | undefined
}

export interface ReplicaOptions<Result> {
  readonly group: GroupId
  readonly self: ReplicaId
  readonly recovered: RecoveredState
  /** Bytes of all bodies up to `recovered.commit`, trimmed ones included. */
  readonly logBytes: number
  readonly machine: HostedMachine<Result>
  readonly tuning: PaxosTuning
  readonly host: ReplicaHost
  readonly listener: ReplicaListener<Result>
}
