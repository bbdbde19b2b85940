import { invariant } from '../types/invariant.ts'
import { NO_BALLOT, compareBallots, sameBallot, type Ballot } from './ballot.ts'
import { bootIdOf, hasToPoll, isEligible, isLeaderHappy, rank } from './connectivity.ts'
import { NEVER, type Core } from './core.ts'
import { noteRound } from './rounds.ts'

/** How much the wait before a canvass grows with each one that failed, at most. */
const BACKOFF_MAX = 4

/** A random wait, so that voters which miss their leader at the same moment do not all canvass at the same moment. */
export function canvassDelayMs(core: Core): number {
  const spread = core.random * core.tuning.canvassJitterMs * Math.min(core.canvassCount + 1, BACKOFF_MAX)
  return spread + rank(core) * core.tuning.canvassRankMs
}

/**
 * Looks again whether a leader is there. A happy replica has no deadline; an unhappy one that could lead canvasses
 * after a wait, at least `graceMs` long.
 */
export function reconsider(core: Core, graceMs = 0): void {
  if (core.role !== 'follower') return
  if (isLeaderHappy(core)) {
    core.canvassAtMs = NEVER
    core.canvassing = undefined
    core.canvassCount = 0
  } else if (!isEligible(core)) {
    core.canvassAtMs = NEVER
    core.canvassing = undefined
  } else if (core.canvassAtMs === NEVER && core.canvassing === undefined) {
    core.canvassAtMs = core.nowMs + graceMs + canvassDelayMs(core)
  }
  if (!hasToPoll(core)) core.pollAtMs = NEVER
  else if (core.pollAtMs === NEVER) core.pollAtMs = core.nowMs
}

/** Gives a candidate that was promised or endorsed time before the own canvass. */
export function postponeCanvass(core: Core, graceMs: number): void {
  if (core.canvassAtMs === NEVER) return
  core.canvassAtMs = Math.max(core.canvassAtMs, core.nowMs + graceMs + canvassDelayMs(core))
}

/** Leaves candidacy or leadership. Reads that wait are refused; the fate of open proposals shows when their slots are chosen. */
export function stepDown(core: Core): void {
  if (core.role === 'follower') return
  const reads = core.leadership?.reads
  if (reads !== undefined) {
    for (const read of reads.waiting) core.effects.push({ kind: 'readRefused', token: read.token })
    for (const read of reads.probed) core.effects.push({ kind: 'readRefused', token: read.token })
  }
  core.role = 'follower'
  core.candidacy = undefined
  core.leadership = undefined
  core.leader = undefined
  core.ballot = NO_BALLOT
  core.canvassAtMs = NEVER
  core.restAtMs = core.nowMs + core.tuning.retransmitMs
}

/** No leader is known from here on; who knows none is unhappy (consensus 1.9: no leaderless group may look led). */
export function forgetLeader(core: Core, graceMs = 0): void {
  invariant(core.role === 'follower', 'Only a follower forgets its leader.')
  core.leader = undefined
  core.leaderBootId = undefined
  core.ballot = NO_BALLOT
  // A catch-up that the forgotten leader asked for is not owed to anybody any more. A checkpoint may need longer than a leader
  // without a majority lasts, though: begun anew with each leader it would never be whole (seed 333605).
  if (core.status === 'syncing') {
    core.status = 'ok'
    core.breakOffPull()
  }
  reconsider(core, graceMs)
}

/**
 * The broker of the promised ballot has spoken as its leader. When it restarted, its first word may have come before the detector
 * knew of that: then it is another process that is missed than the one that speaks (seed 473981).
 */
export function followLeader(core: Core, ballot: Ballot): void {
  const isFollowed = core.leader === ballot.broker && sameBallot(core.ballot, ballot)
  const bootId = bootIdOf(core, ballot.broker)
  if (isFollowed && (bootId === undefined || bootId === core.leaderBootId)) return
  invariant(sameBallot(ballot, core.promised), 'A leader is followed at the promised ballot only.')
  invariant(core.role === 'follower', 'A candidate that hears a leader of its own ballot hears itself.')
  core.leader = ballot.broker
  core.ballot = core.promised
  core.leaderBootId = bootId
  core.canvassAtMs = NEVER
  core.canvassing = undefined
  core.canvassCount = 0
  reconsider(core)
}

/** Raises the promise and becomes a follower without a leader; returns the persist that makes it durable. */
export function raisePromise(core: Core, ballot: Ballot): number {
  invariant(compareBallots(ballot, core.promised) > 0, 'A promise is only ever raised.')
  core.promised = ballot
  noteRound(core, ballot)
  core.promisePersist = core.persist([{ kind: 'state', state: core.stateRecord(core.log.through) }])
  return core.promisePersist
}
