import type { Slot } from '../types/ids.ts'
import type { Ballot } from './ballot.ts'
import type { Checkpoint, Entry } from './state.ts'

/**
 * What replicas of one group say to each other (consensus 1.5). Sender, receiver and group travel in the envelope.
 * `commit` is always the sender's highest slot known to be chosen.
 */
export type Message =
  | Canvass
  | Endorse
  | Refuse
  | Prepare
  | Promised
  | PrepareRequest
  | AcceptSync
  | Accept
  | Accepted
  | Nack
  | Learn
  | SyncRequired
  | SyncRequest
  | SyncChunk
  | SyncReset
  | Resign
  | ReadProbe
  | ReadAck
  | TransferNow
  | RepairRequest
  | RepairResponse
  | RepairTrimmed

export type MessageKind = Message['kind']

/** Pre-vote: would you support me? Promises nothing. */
export interface Canvass {
  readonly kind: 'canvass'
  readonly configNumber: number
  readonly commit: Slot
  readonly accepted: Ballot
  readonly through: Slot
  /** 1, 2, … of this candidacy; the MaxLag condition is waived from the third. */
  readonly attempt: number
}
export interface Endorse {
  readonly kind: 'endorse'
  readonly configNumber: number
  readonly attempt: number
  readonly commit: Slot
}
export interface Refuse {
  readonly kind: 'refuse'
  readonly configNumber: number
  readonly attempt: number
  readonly commit: Slot
  readonly promised: Ballot
}

/** Phase 1a, over all slots above commit. */
export interface Prepare {
  readonly kind: 'prepare'
  readonly ballot: Ballot
  readonly accepted: Ballot
  readonly through: Slot
  readonly commit: Slot
}
/** Phase 1b (the name Promise belongs to the language). */
export interface Promised {
  readonly kind: 'promise'
  readonly ballot: Ballot
  readonly accepted: Ballot
  readonly through: Slot
  readonly commit: Slot
  /** The suffix holds the slots (base, through] when the candidate lacks them, else it is empty. */
  readonly base: Slot
  readonly suffix: readonly Entry[]
  /** Its log is damaged or does not fit: do not count it, start it at its commit. */
  readonly nonVoting: boolean
  /** The candidate is too far behind for a suffix: it has to pull first. */
  readonly tooFar: boolean
}
/** "I hold a promise for your ballot but not your log": the leader prepares the sender again. */
export interface PrepareRequest {
  readonly kind: 'prepareRequest'
  readonly ballot: Ballot
}

/** Brings a promiser to the leader's log: all of (base, leader's through], adopted as one (D2). */
export interface AcceptSync {
  readonly kind: 'acceptSync'
  readonly ballot: Ballot
  readonly base: Slot
  readonly chainAtBase: number
  readonly entries: readonly Entry[]
  readonly commit: Slot
}
/** Phase 2a, for a follower that holds the leader's log up to `previous`. */
export interface Accept {
  readonly kind: 'accept'
  readonly ballot: Ballot
  readonly previous: Slot
  readonly entries: readonly Entry[]
  readonly commit: Slot
}
/** Phase 2b: everything up to `through` is durable here at this ballot. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly ballot: Ballot
  readonly through: Slot
  readonly commit: Slot
}
export interface Nack {
  readonly kind: 'nack'
  readonly promised: Ballot
}

/** Commit only: what the receiver holds at this ballot is chosen up to `commit`. */
export interface Learn {
  readonly kind: 'learn'
  readonly ballot: Ballot
  readonly commit: Slot
}
/** Leader to a follower beyond MaxLag: I stop pushing, pull from anybody. */
export interface SyncRequired {
  readonly kind: 'syncRequired'
  readonly ballot: Ballot
  readonly commit: Slot
}
/**
 * Pull: send me what is chosen from this slot on. `resetSlot` and `part`: should that be trimmed, I have the parts below
 * `part` of the checkpoint at this slot already; 0 and 0: none.
 */
export interface SyncRequest {
  readonly kind: 'syncRequest'
  readonly fromSlot: Slot
  readonly resetSlot: Slot
  readonly part: number
}
/** Chosen entries only, gapless, from the slot asked for. Empty: nothing newer is chosen here. */
export interface SyncChunk {
  readonly kind: 'syncChunk'
  readonly fromSlot: Slot
  readonly entries: readonly Entry[]
  readonly commit: Slot
}
/** The slot asked for is trimmed: go on from this checkpoint. Carries one part of its rows; the next one is asked for. */
export interface SyncReset {
  readonly kind: 'syncReset'
  readonly checkpoint: Checkpoint
  readonly part: number
  readonly rows: Uint8Array
  /** crc32 of `rows`. */
  readonly crc: number
}

/** The leader of this ballot gives up, best effort. */
export interface Resign {
  readonly kind: 'resign'
  readonly ballot: Ballot
}
/** Linearizable read: do you still support this ballot? A readId is never used twice within (boot, ballot). */
export interface ReadProbe {
  readonly kind: 'readProbe'
  readonly ballot: Ballot
  readonly readId: number
}
export interface ReadAck {
  readonly kind: 'readAck'
  readonly ballot: Ballot
  readonly readId: number
}

/** Leader to a follower that holds all of its log: campaign now (consensus 1.13). */
export interface TransferNow {
  readonly kind: 'transferNow'
  readonly ballot: Ballot
  readonly lastSlot: Slot
  readonly transferId: number
}
/** My copy of this entry is damaged: send me yours if it is the same, chosen or not (consensus 1.16). */
export interface RepairRequest {
  readonly kind: 'repairRequest'
  readonly slot: Slot
  readonly origin: Ballot
  readonly chain: number
}
/** The entry that was asked for is trimmed here, by a mark of the log: the log begins at `logStart`. */
export interface RepairTrimmed {
  readonly kind: 'repairTrimmed'
  readonly logStart: Slot
}
/** Verified by who asked: it is nobody's word, only a copy. */
export interface RepairResponse {
  readonly kind: 'repairResponse'
  readonly entry: Entry
}
