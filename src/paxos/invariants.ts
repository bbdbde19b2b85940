import type { Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { compareBallots, sameBallot, type Ballot } from './ballot.ts'
import type { Entry, Role } from './state.ts'

/** What the invariants of one replica are about, before and after a step. */
export interface Watched {
  readonly promised: Ballot
  readonly acceptedBallot: Ballot
  readonly logStartSlot: Slot
  readonly tailStart: Slot
  readonly commit: Slot
  readonly through: Slot
  readonly role: Role
  readonly ballot: Ballot
  /** Where the log of this leadership began to be its own; undefined when it does not lead. */
  readonly adopted: Slot | undefined
}

/**
 * I1 and the leader's part of I2 and I3 of consensus 1.8, cheap enough for every step in production: the sentences are
 * constants, so a step that holds them builds no text.
 */
export function assertStepInvariants(promisedBefore: Ballot, now: Watched): void {
  invariant(compareBallots(now.promised, promisedBefore) >= 0, 'I1: the promise never falls.')
  invariant(
    compareBallots(now.acceptedBallot, now.promised) <= 0,
    'I1: the accepted ballot is not above the promise.',
  )
  invariant(now.logStartSlot - 1 <= now.commit, 'I1: nothing above commit is trimmed.')
  invariant(now.commit <= now.through, 'I1: commit is not above the end of the log.')
  invariant(now.tailStart <= now.commit, 'What is not chosen yet is in memory.')
  if (now.role !== 'leader') return
  invariant(sameBallot(now.promised, now.ballot), 'I2: a leader promised its own ballot and none higher.')
  invariant(sameBallot(now.acceptedBallot, now.ballot), 'I3: a leader holds the log of its own ballot.')
  invariant(
    now.adopted !== undefined && now.through >= now.adopted,
    'I3: a leader never loses what it adopted.',
  )
}

/**
 * I8: origins never fall along a log, so two entries of one ballot have none of another between them, and a later
 * proposal never stands below an earlier one.
 */
export function assertOriginOrder(before: Entry, entry: Entry): void {
  invariant(
    compareBallots(before.origin, entry.origin) <= 0,
    'I8: the origins of entries never fall along a log.',
  )
}

/** I4 and I5c: a slot that is chosen keeps its value; `learned` comes from a replica that knows it chosen too. */
export function assertSameChosen(own: number, learned: number | undefined): void {
  invariant(own === learned, 'I4: a slot that is chosen in two places has one chain value.')
}

/** I7: entries are handed to the state machine each once, in slot order. */
export function assertApplyOrder(appliedThrough: number, entries: readonly Entry[]): void {
  invariant(entries[0]?.slot === appliedThrough + 1, 'I7: entries are applied in slot order, each once.')
}

/**
 * I5: learning chosen entries forgets nothing that was accepted here, but what stands on an entry that another one was chosen
 * over; and it raises no accepted ballot, because entries that were learned were not accepted at any.
 */
export function assertLearned(
  before: Pick<Watched, 'acceptedBallot' | 'through'>,
  now: Pick<Watched, 'acceptedBallot' | 'through'>,
  differed: boolean,
): void {
  invariant(
    sameBallot(before.acceptedBallot, now.acceptedBallot),
    'I5: learning does not change the accepted ballot.',
  )
  invariant(
    differed || now.through >= before.through,
    'I5: what stands above learned entries stays while the chains agree.',
  )
}

/**
 * I6: commit moves by the word of a ballot only where the log is that ballot's; another log may hold other entries at the
 * same slots.
 */
export function assertCommitGround(accepted: Ballot, ground: Ballot): void {
  invariant(sameBallot(accepted, ground), 'I6: commit moves at the accepted ballot, or by chosen entries.')
}
