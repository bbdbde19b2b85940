import { sameReplica, type Replica, type Slot } from '../types/ids.ts'
import { compareBallots, type Ballot } from './ballot.ts'
import { majority } from './quorum.ts'
import type { ReplicaLog } from './replica-log.ts'
import type { Checkpoint, Entry } from './state.ts'

/** How far a log reaches: the ballot whose log it is, and its last slot. */
export interface LogExtent {
  readonly accepted: Ballot
  readonly through: Slot
}

/** A part of a leader's log as a message carries it: the slots (base, base + entries.length]. */
export interface LogPart {
  readonly base: Slot
  /** Known in AcceptSync only; an Accept names a place that both hold. */
  readonly chainAtBase: number | undefined
  readonly entries: readonly Entry[]
}

/**
 * The decisions on which safety rests, one small function each, apart from the bookkeeping around them. A proof that the
 * simulator can fail replaces one of them by a wrong one (consensus 1, mutants).
 */
export class Rules {
  /** Consensus 1.1. */
  quorum(voterCount: number): number {
    return majority(voterCount)
  }

  /** P2c: the highest accepted ballot wins, length decides only between logs of one ballot (consensus 1.6). */
  holdsMore(a: LogExtent, b: LogExtent): boolean {
    const order = compareBallots(a.accepted, b.accepted)
    return order > 0 || (order === 0 && a.through > b.through)
  }

  /** A message leaves only when every persist up to the returned id is durable (table of consensus 1.5). */
  sendAfter(_what: 'prepare' | 'promise' | 'accepted', persistId: number): number {
    return persistId
  }

  /** D2: the accepted ballot is raised with the whole suffix, never with a part of it. */
  adoptionEntries(entries: readonly Entry[]): readonly Entry[] {
    return entries
  }

  /**
   * Whether a leader's message differs from what is known to be chosen; then its ballot is dead (consensus 1.7). One
   * comparison does, because a chain value stands for all slots up to it: the highest one that both know.
   */
  contradictsChosen(log: ReplicaLog, part: LogPart): boolean {
    const top = Math.min(part.base + part.entries.length, log.known)
    if (top < part.base || top < log.start) return false
    const theirs = top === part.base ? part.chainAtBase : part.entries[top - part.base - 1]?.chain
    return theirs !== undefined && theirs !== log.chainAt(top)
  }

  /** Where an AcceptSync begins to replace the own log: chosen slots are compared, never replaced. */
  adoptionStart(log: ReplicaLog, base: Slot): Slot {
    return Math.max(base, log.commit) as Slot
  }

  /**
   * How far the log reaches that a promise may be counted for; undefined when a slot above commit is damaged. It must never
   * be called shorter instead: what cannot be read may have been accepted, and so be chosen (consensus 1.16, mutant A1).
   */
  promisable(log: ReplicaLog): Slot | undefined {
    return log.isAbstaining ? undefined : log.through
  }

  /** Accepted says that every slot can be read back from this disk. */
  mayAcknowledge(log: ReplicaLog): boolean {
    return !log.isAbstaining
  }

  /** Commit never passes a damaged slot: its entry could not be applied. */
  committable(log: ReplicaLog, chosenThrough: Slot): Slot {
    const damaged = log.damage.firstAbove(log.commit)
    return damaged === undefined ? chosenThrough : (Math.min(chosenThrough, damaged.slot - 1) as Slot)
  }

  /** A replica that was deleted and returned has forgotten what it promised up to `minConfiguration` (consensus 1.12 step 6). */
  votesIn(configuration: number, minConfiguration: number): boolean {
    return configuration > minConfiguration
  }

  /** A vote is a store's: another store of the same broker remembers nothing that was promised with it (consensus 1.16). */
  isVoteOf(voter: Replica, replica: Replica): boolean {
    return sameReplica(voter, replica)
  }

  /** Who is in a configuration knows its stop-sign to be chosen, also after a start (consensus 1.12 step 3). */
  knownChosen(applied: Slot, fromSlot: Slot): Slot {
    return Math.max(applied, fromSlot) as Slot
  }

  /** A TransferNow is of the moment at which its target held all that the leader had (consensus 1.13). */
  matchesTransfer(lastSlot: Slot, through: Slot): boolean {
    return lastSlot === through
  }

  /** Whether a leader that resumes has to make its log longer, so that a TransferNow on its way matches no more. */
  mustOutdateTransfer(sentThrough: Slot | undefined, through: Slot): boolean {
    return sentThrough === through
  }

  /**
   * What becomes of the log when a whole checkpoint has come, judged by what is here now, for a SyncReset may be late or come
   * twice (consensus 1.10). At or below commit it says nothing new. A tail that links to it stays; one that does not was
   * never chosen.
   */
  judgeReset(log: ReplicaLog, checkpoint: Checkpoint): 'ignore' | 'keep-tail' | 'drop-tail' {
    const last = checkpoint.slot - 1
    if (last <= log.commit) return 'ignore'
    return last <= log.through && log.chainAt(last) === checkpoint.chain ? 'keep-tail' : 'drop-tail'
  }

  /**
   * I5: what stays above a learned chunk. All of it while the chains agree; nothing when a learned entry differed, for
   * what stood on the own one was never chosen and would not link any more.
   */
  keptAboveLearned(above: readonly Entry[], differs: boolean): readonly Entry[] {
    return differs ? [] : above
  }
}
