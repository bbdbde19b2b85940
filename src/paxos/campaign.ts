import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { sameBallot, type Ballot } from './ballot.ts'
import { isQuorumConnected } from './connectivity.ts'
import { NEVER, type Core } from './core.ts'
import type { Write } from './effects.ts'
import { areLinked } from './learner.ts'
import type { Prepare, Promised } from './messages.ts'
import { newPeer } from './progress.ts'
import { countAccepted, onPromiseToLeader } from './replication.ts'
import { forgetLeader, raisePromise, reconsider, stepDown } from './role.ts'
import type { LogExtent } from './rules.ts'
import type { Entry } from './state.ts'
import { pullFrom } from './synchronize.ts'
import type { Candidacy } from './volatile.ts'

/** Begins phase 1 with a ballot of its own, above every one met (consensus 1.6). */
export function campaign(core: Core): void {
  invariant(core.role === 'follower' && core.isVoter, 'A voter that follows begins a campaign.')
  const { log, tuning, nowMs } = core
  const ballot: Ballot = {
    config: core.configuration.number,
    round: Math.max(core.promised.round, core.highestRound) + 1,
    broker: core.self,
  }
  forgetLeader(core)
  core.canvassing = undefined
  core.canvassAtMs = NEVER
  core.role = 'candidate'
  core.ballot = ballot
  const accepted = core.acceptedBallot
  const persistId = raisePromise(core, ballot)
  core.candidacy = {
    ballot,
    persistId,
    accepted,
    through: log.through,
    commit: log.commit,
    isOwnPromiseDurable: false,
    promises: new Map(),
    spare: new Map(),
    retransmitAtMs: nowMs + tuning.retransmitMs,
    deadlineMs: nowMs + tuning.electionTimeoutMs,
  }
  sendPrepares(core, core.candidacy)
}

function sendPrepares(core: Core, candidacy: Candidacy): void {
  for (const voter of core.voters) if (voter !== core.self) prepare(core, candidacy, voter)
}

/** Unless it has answered. It leaves once the own promise is durable, or a restart would use the ballot again. */
export function prepare(core: Core, candidacy: Candidacy, voter: BrokerId): void {
  if (candidacy.promises.has(voter) || candidacy.spare.has(voter)) return
  const { ballot, accepted, through, commit } = candidacy
  const message: Prepare = { kind: 'prepare', ballot, accepted, through, commit }
  core.send(voter, message, core.rules.sendAfter('prepare', candidacy.persistId))
}

export function onOwnPromiseDurable(core: Core, persistId: number): void {
  const { candidacy } = core
  if (candidacy === undefined || persistId < candidacy.persistId || candidacy.isOwnPromiseDurable) return
  candidacy.isOwnPromiseDurable = true
  leadWithQuorum(core, candidacy)
}

export function onPromise(core: Core, from: BrokerId, promise: Promised): void {
  core.noteCommit(from, promise.commit)
  if (!sameBallot(promise.ballot, core.ballot) || !core.voters.includes(from)) return
  if (!areLinked(core, promise.suffix, promise.base + 1)) return
  if (core.leadership !== undefined) return onPromiseToLeader(core, core.leadership, from, promise)
  const { candidacy } = core
  if (candidacy === undefined) return
  if (promise.nonVoting || promise.tooFar) {
    candidacy.spare.set(from, promise)
    if (promise.tooFar && core.voters.length - candidacy.spare.size < core.majority) giveUp(core, candidacy)
    return
  }
  candidacy.spare.delete(from)
  candidacy.promises.set(from, promise)
  leadWithQuorum(core, candidacy)
}

/** With a quorum of durable promises, the own one among them, the fullest log of them all becomes this ballot's. */
function leadWithQuorum(core: Core, candidacy: Candidacy): void {
  if (!candidacy.isOwnPromiseDurable || candidacy.promises.size + 1 < core.majority) return
  let best: LogExtent = { accepted: candidacy.accepted, through: candidacy.through }
  let chosen: Promised | undefined
  for (const promise of candidacy.promises.values()) {
    if (!core.rules.holdsMore(promise, best)) continue
    best = promise
    chosen = promise
  }
  let keep = core.log.through
  let adopted: readonly Entry[] = []
  if (chosen !== undefined) {
    keep = sameBallot(chosen.accepted, core.acceptedBallot) ? core.log.through : core.log.commit
    // Commit never falls while a candidacy lasts, so a suffix from the commit of the Prepare reaches down to it.
    if (keep < chosen.base) return giveUp(core, candidacy)
    adopted = chosen.suffix.slice(keep - chosen.base)
    const first = adopted[0]
    invariant(
      first === undefined || core.log.linksAt(keep, first),
      'P2c: the fullest log of a quorum continues what is kept of the own one.',
    )
  }
  lead(core, candidacy, { keep, adopted, best })
}

interface Adoption {
  readonly keep: Slot
  readonly adopted: readonly Entry[]
  readonly best: LogExtent
}

/** The log is adopted and the accepted ballot raised in one persist (D2); then every promiser is brought to it. */
function lead(core: Core, candidacy: Candidacy, { keep, adopted, best }: Adoption): void {
  const { log, nowMs, tuning } = core
  invariant(
    sameBallot(core.promised, candidacy.ballot),
    'A candidate that promised a higher ballot is none any more.',
  )
  log.truncate(keep)
  core.acceptedBallot = candidacy.ballot
  const writes: Write[] = [{ kind: 'state', state: core.stateRecord(keep) }]
  for (const entry of adopted) {
    log.append(entry)
    writes.push({ kind: 'entry', entry })
  }
  const persistId = core.persist(writes)
  core.role = 'leader'
  core.leader = core.self
  core.candidacy = undefined
  const isOpen = log.through > log.commit
  core.leadership = {
    ballot: candidacy.ballot,
    adopted: log.through,
    bestAccepted: best.accepted,
    bestThrough: best.through,
    peers: core.voters.filter((voter) => voter !== core.self).map((voter) => newPeer(voter, nowMs)),
    ownAccepted: 0 as Slot,
    ownWrites: [{ persistId, through: log.through }],
    marks: [],
    lastBatch: undefined,
    reads: { waiting: [], probed: [], readId: 0, acknowledged: new Set(), retryAtMs: NEVER },
    transfer: undefined,
    learnAtMs: NEVER,
    idleAtMs: isOpen ? NEVER : nowMs + tuning.idleLearnMs,
    retransmitAtMs: nowMs + tuning.retransmitMs,
    quorumLossAtMs: isQuorumConnected(core) ? NEVER : nowMs + tuning.quorumLossMs,
    undecidedAtMs: isOpen ? nowMs + tuning.undecidedMs : NEVER,
  }
  for (const [from, promise] of candidacy.spare) onPromiseToLeader(core, core.leadership, from, promise)
  for (const [from, promise] of candidacy.promises) onPromiseToLeader(core, core.leadership, from, promise)
  countAccepted(core, core.leadership)
}

/** Follows again. Who was too far behind pulls what a suffix could not bring, and campaigns once more after it. */
function giveUp(core: Core, candidacy: Candidacy): void {
  stepDown(core)
  let ahead: BrokerId | undefined
  let commit = core.log.commit
  for (const [from, promise] of candidacy.spare) {
    if (!promise.tooFar || promise.commit <= commit) continue
    ahead = from
    commit = promise.commit
  }
  reconsider(core)
  if (ahead !== undefined) pullFrom(core, ahead, { target: commit, slack: 0, isRequired: false })
}

export function candidateTick(core: Core, candidacy: Candidacy): void {
  if (core.nowMs >= candidacy.deadlineMs) return giveUp(core, candidacy)
  if (core.nowMs < candidacy.retransmitAtMs) return
  candidacy.retransmitAtMs = core.nowMs + core.tuning.retransmitMs
  sendPrepares(core, candidacy)
}
