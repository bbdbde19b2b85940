import type { BrokerId, Replica, Slot } from '../types/ids.ts'
import type { Ballot } from './ballot.ts'
import type { Promised } from './messages.ts'
import type { Checkpoint, Configuration, Entry } from './state.ts'

/** A pre-vote round that is under way (consensus 1.9). */
export interface Canvassing {
  readonly attempt: number
  readonly endorsed: Set<BrokerId>
  readonly refused: Set<BrokerId>
  readonly deadlineMs: number
}

/** Phase 1 under way (consensus 1.6). */
export interface Candidacy {
  readonly ballot: Ballot
  /** The persist that makes the own promise durable; the Prepares wait for it, and the own promise counts from then. */
  readonly persistId: number
  /** What the Prepares say of the own log. */
  readonly accepted: Ballot
  readonly through: Slot
  readonly commit: Slot
  isOwnPromiseDurable: boolean
  /** Counted promises of others. */
  readonly promises: Map<BrokerId, Promised>
  /** Promises that do not count; their senders are brought to the log after the election. */
  readonly spare: Map<BrokerId, Promised>
  retransmitAtMs: number
  readonly deadlineMs: number
}

/**
 * What a leader knows of another voter. `preparing`: its promise is awaited; `syncing`: an AcceptSync is under way;
 * `pulling`: beyond MaxLag, it fetches chosen entries by itself; `synced`: it holds this ballot's log and gets Accepts.
 */
export type PeerState = 'preparing' | 'syncing' | 'pulling' | 'synced'

/** A leader's book on one other voter. */
export interface Peer {
  readonly broker: BrokerId
  state: PeerState
  /** Where its log is known to agree with this ballot's before it is synced (the base of consensus 1.7). */
  base: Slot
  /** Durable there at this ballot. */
  accepted: Slot
  /** The last slot sent to it. */
  next: Slot
  /** The highest commit told to it. */
  toldCommit: Slot
  /** Accepts under way, oldest first; bounded by windowMessagesMax and windowBytesMax. */
  readonly inflight: { readonly end: Slot; readonly bytes: number }[]
  inflightBytes: number
  /** When it was last sent something that wants an answer, or last moved. */
  activeAtMs: number
  /** A gap was answered by sending again; the next sign of one is ignored until it moves. */
  isRewound: boolean
  isInSync: boolean
}

/** A linearizable read that waits for a probe (consensus 1.11). */
export interface WaitingRead {
  readonly token: number
  /** Commit when it arrived. */
  readonly slot: Slot
  readonly arrivedAtMs: number
}

/** The leader's reads: those of the probe under way, and those that came after it left. */
export interface Reads {
  waiting: WaitingRead[]
  probed: WaitingRead[]
  /** Of the probe under way; 0 when none is. */
  readId: number
  readonly acknowledged: Set<BrokerId>
  retryAtMs: number
}

/** When slots were chosen, in steps of a sixteenth of maxLagMs: enough to tell how late a voter is. */
export interface ChosenMark {
  /** The first slot chosen in the step. */
  readonly firstSlot: number
  readonly atMs: number
}

/** Leadership on its way to another voter (consensus 1.13). */
export interface Transfer {
  readonly to: BrokerId
  readonly id: number
  readonly deadlineMs: number
  /** Until then the other replicas in sync are waited for too; NEVER when they are not any more. */
  patienceEndMs: number
  /** The end of the log that TransferNow named; undefined until the target holds all of it. */
  sentThrough: Slot | undefined
}

/** Leadership of one ballot. */
export interface Leadership {
  readonly ballot: Ballot
  /** End of the log taken over in phase 1: reads wait until it is chosen. */
  readonly adopted: Slot
  /** The log that was taken over, by which a promiser's own is compared (consensus 1.7). */
  readonly bestAccepted: Ballot
  readonly bestThrough: Slot
  readonly peers: readonly Peer[]
  /** Durable here at this ballot. */
  ownAccepted: Slot
  /** Own writes under way, oldest first. */
  readonly ownWrites: { readonly persistId: number; readonly through: Slot }[]
  marks: ChosenMark[]
  /** The entries of the last Accept built, for the next follower that lacks the same. */
  lastBatch:
    { readonly after: number; readonly entries: readonly Entry[]; readonly bytes: number } | undefined
  readonly reads: Reads
  /** Nothing is admitted while there is one. */
  transfer: Transfer | undefined
  learnAtMs: number
  idleAtMs: number
  retransmitAtMs: number
  quorumLossAtMs: number
  undecidedAtMs: number
}

/** A replica without a vote that pulls, and the last slot that it is known to hold. */
export interface Learner {
  readonly replica: Replica
  commit: number
}

/** What a configuration that was taken up in this step has to know of the one before it. */
export interface Activation {
  readonly formerVoters: readonly BrokerId[]
  readonly formerLeader: BrokerId | undefined
}

/** An order to change the voters, until its outcome is known. */
export interface AskedConfiguration {
  readonly token: number
  readonly number: number
  readonly voters: readonly Replica[]
}

/** A catch-up under way: one request at a time (consensus 1.10). */
export interface Pull {
  from: BrokerId
  /** The highest commit heard of since it began. */
  target: number
  /** It ends when no more than so many slots are missing. */
  readonly slack: number
  /** The leader asked for it and waits to hear of its end. */
  readonly isRequired: boolean
  /** A request was not answered in time, and no later one has brought anything. */
  isUnanswered: boolean
  retryAtMs: number
}

/** A TRIM entry that is being applied, with what will not be known any more when the state machine has told its part. */
export interface OpenMark {
  readonly slot: Slot
  readonly chain: number
  readonly configuration: Configuration
  /** The log may begin at the checkpoint of the mark at this slot; 0: this one only marks. */
  readonly upTo: number
}

/** A checkpoint that another replica sends, part by part. */
export interface Gathering {
  readonly from: BrokerId
  readonly checkpoint: Checkpoint
  /** In order. */
  readonly parts: Uint8Array[]
}
