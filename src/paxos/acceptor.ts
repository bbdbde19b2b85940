import type { BrokerId, Slot } from '../types/ids.ts'
import { compareBallots, sameBallot, type Ballot } from './ballot.ts'
import { passesConfigGate } from './config-gate.ts'
import type { Core } from './core.ts'
import type { Write } from './effects.ts'
import { areLinked, learnChosen } from './learner.ts'
import { mendFrom } from './mend.ts'
import type { Accept, AcceptSync, Learn, Prepare } from './messages.ts'
import { followLeader, forgetLeader, postponeCanvass, raisePromise, stepDown } from './role.ts'
import { isFar, noteRound } from './rounds.ts'
import type { Entry } from './state.ts'
import { pullMore } from './synchronize.ts'

/** Phase 1b: promises never to accept below this ballot, and sends what the candidate's log lacks (consensus 1.6). */
export function onPrepare(core: Core, from: BrokerId, message: Prepare): void {
  core.noteCommit(from, message.commit)
  if (!isOurs(core, from, message.ballot, message.commit)) return
  const order = compareBallots(message.ballot, core.promised)
  if (order < 0) return nack(core, from)
  // Not durable, and forgotten at the next start: only who repeats it leads this replica there.
  if (isFar(core, message.ballot)) return noteRound(core, message.ballot)
  if (order > 0) {
    const former = core.promised.broker
    stepDown(core)
    raisePromise(core, message.ballot)
    // An idle leader hears nothing of its group, and the new one may have no link to it: it is told that it leads no more.
    if (former !== from && former !== core.self && core.voters.includes(former)) nack(core, former)
    // The candidate gets time to lead before this replica tries itself.
    const graceMs = core.tuning.electionTimeoutMs / 2
    core.canvassing = undefined
    forgetLeader(core, graceMs)
    postponeCanvass(core, graceMs)
  }
  sendPromise(core, from, message)
}

/** Of a broker that votes in the same configuration, about its own ballot. */
function isOurs(core: Core, from: BrokerId, ballot: Ballot, commit: number): boolean {
  return passesConfigGate(core, from, ballot.config, commit) && from === ballot.broker
}

/** A Nack tells a promise, so that promise has to be durable. */
function nack(core: Core, to: BrokerId): void {
  core.send(to, { kind: 'nack', promised: core.promised }, core.promisePersist)
}

function sendPromise(core: Core, to: BrokerId, candidate: Prepare): void {
  const { log } = core
  const through = core.rules.promisable(log)
  if (through === undefined) return sendNonVotingPromise(core, to, candidate.ballot)
  let base = through
  if (core.rules.holdsMore({ accepted: core.acceptedBallot, through }, candidate)) {
    base = sameBallot(core.acceptedBallot, candidate.accepted) ? candidate.through : candidate.commit
  }
  // What lies above the own commit is always in memory, so only a candidate that lacks chosen entries is too far.
  const tooFar = base < log.start
  core.send(
    to,
    {
      kind: 'promise',
      ballot: candidate.ballot,
      accepted: core.acceptedBallot,
      through,
      commit: log.commit,
      base,
      suffix: tooFar ? [] : log.slice(base, through),
      nonVoting: tooFar,
      tooFar,
    },
    core.rules.sendAfter('promise', core.lastPersist),
  )
}

/** Does not count, but tells the leader to start at the own commit. */
function sendNonVotingPromise(core: Core, to: BrokerId, ballot: Ballot): void {
  const { commit, through } = core.log
  core.send(
    to,
    {
      kind: 'promise',
      ballot,
      accepted: core.acceptedBallot,
      through,
      commit,
      base: through,
      suffix: [],
      nonVoting: true,
      tooFar: false,
    },
    core.rules.sendAfter('promise', core.lastPersist),
  )
}

/** P1a and its reverse: below the promise is refused, above it asks for a Prepare. Who passes has spoken as the leader. */
export function passesGate(core: Core, from: BrokerId, ballot: Ballot, commit: number): boolean {
  if (!isOurs(core, from, ballot, commit)) return false
  const order = compareBallots(ballot, core.promised)
  if (order < 0) nack(core, from)
  else if (order > 0) core.send(from, { kind: 'prepareRequest', ballot }, 0)
  else followLeader(core, ballot)
  return order === 0
}

/** Adopts the leader's log as a whole: its entries and its ballot become durable in one persist (D2, consensus 1.7). */
export function onAcceptSync(core: Core, from: BrokerId, message: AcceptSync): void {
  if (
    !passesGate(core, from, message.ballot, message.commit) ||
    !areLinked(core, message.entries, message.base + 1)
  )
    return
  if (sameBallot(core.acceptedBallot, message.ballot)) {
    return acceptPart(core, from, { ...message, previous: message.base })
  }
  const { log } = core
  const { base, chainAtBase, entries } = message
  const end = (base + entries.length) as Slot
  // Chosen slots are compared, never replaced; a difference means that the ballot is dead, and its sender will be told.
  if (core.rules.contradictsChosen(log, { base, chainAtBase, entries })) return
  const differsAbove = base > log.commit && base <= log.through && log.chainAt(base) !== chainAtBase
  if (base > log.through || end < log.start || differsAbove)
    return sendNonVotingPromise(core, from, message.ballot)
  const start = core.rules.adoptionStart(log, base)
  const added = entries.slice(Math.max(0, start - base))
  if (!linkUp(core, start, added)) return
  log.truncate(start)
  core.acceptedBallot = core.promised
  const writes: Write[] = [{ kind: 'state', state: core.stateRecord(start) }]
  for (const entry of added) {
    log.append(entry)
    writes.push({ kind: 'entry', entry })
  }
  core.persist(writes)
  // The whole log came at once: a catch-up that the leader had asked for is over.
  core.status = 'ok'
  if (core.pull?.isRequired === true) core.endPull()
  learnChosen(core, Math.min(message.commit, end), message.ballot)
  sendAccepted(core, from, message.ballot, end)
}

/** Phase 2b for the next part of a log that this replica holds already. */
export function onAccept(core: Core, from: BrokerId, message: Accept): void {
  if (
    !passesGate(core, from, message.ballot, message.commit) ||
    !areLinked(core, message.entries, message.previous + 1)
  )
    return
  if (!sameBallot(core.acceptedBallot, message.ballot)) {
    return core.send(from, { kind: 'prepareRequest', ballot: message.ballot }, 0)
  }
  acceptPart(core, from, message)
}

type Part = Pick<Accept, 'ballot' | 'previous' | 'entries' | 'commit'>

/**
 * In-order acceptance (D1): a part that leaves a gap is answered with where this log ends. An overlap was accepted
 * before; only its chosen slots are compared. A part that ends below the memory tail cannot be compared any more; it is
 * acknowledged all the same: no majority can be counted for an entry that differs from a chosen one while this replica
 * has promised no higher ballot, since every ballot in between was promised by a majority without it.
 */
function acceptPart(core: Core, from: BrokerId, { ballot, previous, entries, commit }: Part): void {
  const { log } = core
  if (previous > log.through) return sendAccepted(core, from, ballot, log.through)
  const end = (previous + entries.length) as Slot
  if (core.rules.contradictsChosen(log, { base: previous, chainAtBase: undefined, entries })) return
  // One ballot has one value a slot, so these are copies of what stands here.
  if (mendFrom(core, entries)) learnChosen(core, log.known, 'held')
  // What went on may have been the stop-sign.
  if (!sameBallot(core.acceptedBallot, ballot)) return
  if (end > log.through) {
    const added = previous === log.through ? entries : entries.slice(log.through - previous)
    if (!linkUp(core, log.through, added)) return
    const writes: Write[] = []
    for (const entry of added) {
      log.append(entry)
      writes.push({ kind: 'entry', entry })
    }
    core.persist(writes)
  }
  learnChosen(core, Math.min(commit, end), ballot)
  sendAccepted(core, from, ballot, end)
}

/**
 * Whether the first entry continues the own log. It does unless chosen entries of a higher ballot were learned meanwhile:
 * then the sender's ballot is dead, and what it sends is dropped.
 */
function linkUp(core: Core, before: Slot, added: readonly Entry[]): boolean {
  const first = added[0]
  return first === undefined || core.log.linksAt(before, first)
}

/**
 * Never beyond the end of the message answered: what lies above it may have been learned, not accepted. Who learned by it that
 * the configuration has ended has nothing to say to its leader any more. With a damaged slot above commit the leader is asked to
 * begin at the own commit instead, which mends it (consensus 1.16).
 */
function sendAccepted(core: Core, to: BrokerId, ballot: Ballot, through: Slot): void {
  if (!sameBallot(core.acceptedBallot, ballot)) return
  if (!core.rules.mayAcknowledge(core.log)) return sendNonVotingPromise(core, to, ballot)
  const { commit } = core.log
  const after = core.rules.sendAfter('accepted', core.lastPersist)
  core.send(to, { kind: 'accepted', ballot, through, commit }, after)
}

/** Commit only. It holds for what was accepted at this ballot; who lacks part of it says where it stands, and a learner pulls. */
export function onLearn(core: Core, from: BrokerId, message: Learn): void {
  core.noteCommit(from, message.commit)
  if (core.isLearner) {
    pullMore(core, from, message.commit)
    return
  }
  if (!passesGate(core, from, message.ballot, message.commit)) return
  if (!sameBallot(core.acceptedBallot, message.ballot)) {
    return core.send(from, { kind: 'prepareRequest', ballot: message.ballot }, 0)
  }
  const { log } = core
  learnChosen(core, Math.min(message.commit, log.through), message.ballot)
  if (log.through < message.commit) sendAccepted(core, from, message.ballot, log.through)
}
