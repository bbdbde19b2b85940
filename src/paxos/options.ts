import type { BrokerId, Replica } from '../types/ids.ts'
import type { Checksum } from './state.ts'

/** Times in milliseconds of the host's monotonic clock. Defaults: consensus 1.6-1.10. */
export interface PaxosTuning {
  readonly maxLagMs: number
  readonly maxLagSlots: number
  /** In-sync voters needed to admit a proposal; undefined: a majority. */
  readonly minInSync: number | undefined
  /** Spread of the delay before a canvass, and the extra delay per rank in the voters' list. */
  readonly canvassJitterMs: number
  readonly canvassRankMs: number
  /** A candidacy or canvass without an answer is given up after this. */
  readonly electionTimeoutMs: number
  readonly retransmitMs: number
  /**
   * Commit is told by itself when no Accept carries it within this time, and once more when the group goes idle. So much later do
   * followers show a record that nothing follows: with 5 ms it took 6.8 ms from a produce to a reader there, with 1 ms 2.3 ms.
   */
  readonly learnDelayMs: number
  readonly idleLearnMs: number
  /** A leader that is not quorum-connected, or whose proposal stays undecided, for so long resigns. */
  readonly quorumLossMs: number
  readonly undecidedMs: number
  /** A transfer of leadership that has not come off within this is given up (consensus 1.13). */
  readonly transferMs: number
  /** Per follower: messages and bytes under way. */
  readonly windowMessagesMax: number
  readonly windowBytesMax: number
  /** Not yet chosen entries of the group. */
  readonly uncommittedSlotsMax: number
  readonly uncommittedBytesMax: number
  /** Chosen entries kept in memory for followers that are a little behind. */
  readonly tailBytesMax: number
}

export const DEFAULT_TUNING: PaxosTuning = {
  maxLagMs: 10_000,
  maxLagSlots: 1_000,
  minInSync: undefined,
  canvassJitterMs: 300,
  canvassRankMs: 75,
  electionTimeoutMs: 1_000,
  retransmitMs: 500,
  learnDelayMs: 1,
  idleLearnMs: 50,
  quorumLossMs: 1_000,
  undecidedMs: 5_000,
  transferMs: 1_000,
  windowMessagesMax: 64,
  windowBytesMax: 8 * 1024 * 1024,
  uncommittedSlotsMax: 1_024,
  uncommittedBytesMax: 32 * 1024 * 1024,
  tailBytesMax: 1024 * 1024,
}

export interface PaxosOptions {
  readonly self: Replica
  readonly tuning: PaxosTuning
  readonly checksum: Checksum
  /** Differs at each start (drawn by the host), so that read ids are never used twice. */
  readonly bootNumber: number
}

/** A leader's view of one voter or learner, for people and metrics. A learner is in sync when it could become a voter. */
export interface VoterProgress {
  readonly broker: BrokerId
  readonly acceptedSlot: number
  readonly lagSlots: number
  readonly lagMs: number
  readonly inSync: boolean
  readonly state: 'leader' | 'synced' | 'preparing' | 'syncing' | 'learner' | 'unreachable'
}
