import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { sameBallot } from './ballot.ts'
import { NEVER, type Core } from './core.ts'
import { TAIL_SLOTS, learnChosen } from './learner.ts'
import type { Promised } from './messages.ts'
import { findPeer, markChosen } from './progress.ts'
import { entryBytes } from './replica-log.ts'
import { reconsider, stepDown } from './role.ts'
import type { Leadership, Peer } from './volatile.ts'

/** One Accept carries so much, or one larger entry. */
const ACCEPT_BYTES_MAX = 1024 * 1024

/** Commit is what a quorum of voters holds durably at this ballot (consensus 1.7). */
export function countAccepted(core: Core, leadership: Leadership): void {
  const { log } = core
  let quorumSlot = 0
  // At most seven voters: the highest slot that enough of them reached, without sorting or allocating.
  for (let candidate = -1; candidate < leadership.peers.length; candidate++) {
    const slot = candidate < 0 ? leadership.ownAccepted : (leadership.peers[candidate]?.accepted ?? 0)
    if (slot <= quorumSlot) continue
    let count = leadership.ownAccepted >= slot ? 1 : 0
    for (const peer of leadership.peers) if (peer.accepted >= slot) count++
    if (count >= core.majority) quorumSlot = slot
  }
  if (quorumSlot <= log.commit) return
  markChosen(core, leadership, log.commit + 1)
  learnChosen(core, quorumSlot, leadership.ballot)
  if (core.leadership !== leadership) return
  const { nowMs, tuning } = core
  leadership.undecidedAtMs = log.through > log.commit ? nowMs + tuning.undecidedMs : NEVER
  if (leadership.learnAtMs === NEVER && leadership.peers.length + core.learners.length > 0)
    leadership.learnAtMs = nowMs + tuning.learnDelayMs
  if (log.through === log.commit) leadership.idleAtMs = nowMs + tuning.idleLearnMs
  dropWhatNobodyNeeds(core, leadership)
  for (const peer of leadership.peers) {
    if (peer.state === 'synced' && log.commit - peer.accepted > tuning.maxLagSlots)
      requirePull(core, leadership, peer)
  }
}

/** Chosen entries stay in memory for synced followers that lack them, and for those that are about to be synced. */
function dropWhatNobodyNeeds(core: Core, leadership: Leadership): void {
  let needed = core.log.commit - TAIL_SLOTS
  for (const peer of leadership.peers) {
    if (peer.state === 'synced') needed = Math.min(needed, peer.accepted)
    else if (core.isAlive(peer.broker)) needed = 0
  }
  core.log.dropChosen(needed, core.tuning.tailBytesMax)
}

/** Sends a synced follower what it lacks, as far as its window has room; the rest waits and goes as one. */
export function pump(core: Core, leadership: Leadership, peer: Peer): void {
  const { log, tuning } = core
  while (
    peer.state === 'synced' &&
    peer.next < log.through &&
    peer.inflight.length < tuning.windowMessagesMax &&
    peer.inflightBytes < tuning.windowBytesMax
  ) {
    if (peer.next < log.start) return requirePull(core, leadership, peer)
    const batch = nextBatch(core, leadership, peer.next)
    const previous = peer.next
    core.send(
      peer.broker,
      { kind: 'accept', ballot: leadership.ballot, previous, entries: batch.entries, commit: log.commit },
      0,
    )
    if (peer.inflight.length === 0) peer.activeAtMs = core.nowMs
    peer.next = (previous + batch.entries.length) as Slot
    peer.inflight.push({ end: peer.next, bytes: batch.bytes })
    peer.inflightBytes += batch.bytes
    peer.toldCommit = log.commit
    armRetransmit(core, leadership)
  }
}

/** The entries after a slot, as many as one message takes. Followers that are equally far get the same array. */
function nextBatch(core: Core, leadership: Leadership, after: number): NonNullable<Leadership['lastBatch']> {
  const { log } = core
  const last = leadership.lastBatch
  if (last !== undefined && last.after === after && after + last.entries.length === log.through) return last
  let bytes = 0
  let end = after
  while (end < log.through) {
    const size = entryBytes(log.at(end + 1))
    if (end > after && bytes + size > ACCEPT_BYTES_MAX) break
    bytes += size
    end++
  }
  leadership.lastBatch = { after, entries: log.slice(after, end), bytes }
  return leadership.lastBatch
}

/** Starts again after what the follower is known to hold. */
export function rewind(peer: Peer): void {
  peer.next = peer.accepted
  peer.inflight.length = 0
  peer.inflightBytes = 0
  peer.isRewound = true
}

/** A promiser tells where it stands: brings it to this ballot's log (late and non-voting promises come here too). */
export function onPromiseToLeader(
  core: Core,
  leadership: Leadership,
  from: BrokerId,
  promise: Promised,
): void {
  const peer = findPeer(leadership, from)
  if (peer === undefined) return
  if (!promise.nonVoting && peer.state === 'synced') return
  const base = syncBase(leadership, promise)
  const isRepeated =
    peer.state === 'syncing' && peer.base === base && core.nowMs - peer.activeAtMs < core.tuning.retransmitMs
  if (isRepeated) return
  peer.base = base
  sendSync(core, leadership, peer)
}

/**
 * The last slot at which a promiser's log certainly agrees with this ballot's (consensus 1.7). Never below its commit:
 * what it knows to be chosen is in every later ballot's log.
 */
function syncBase(leadership: Leadership, promise: Promised): Slot {
  if (promise.nonVoting) return promise.commit
  if (sameBallot(promise.accepted, leadership.ballot)) return promise.through
  if (!sameBallot(promise.accepted, leadership.bestAccepted)) return promise.commit
  return Math.max(promise.commit, Math.min(promise.through, leadership.bestThrough)) as Slot
}

/** AcceptSync from the peer's base, or the order to pull when that is too far back. */
function sendSync(core: Core, leadership: Leadership, peer: Peer): void {
  const { log } = core
  const { base } = peer
  peer.inflight.length = 0
  peer.inflightBytes = 0
  peer.activeAtMs = core.nowMs
  armRetransmit(core, leadership)
  if (base > log.through) {
    // It knows more to be chosen than this log holds: this ballot is dead and will be told so.
    peer.state = 'preparing'
  } else if (base < log.start || log.commit - base > core.tuning.maxLagSlots) {
    requirePull(core, leadership, peer)
  } else {
    peer.state = 'syncing'
    peer.next = log.through
    peer.toldCommit = log.commit
    const entries = core.rules.adoptionEntries(log.slice(base, log.through))
    const chainAtBase = log.chainAt(base)
    core.send(
      peer.broker,
      { kind: 'acceptSync', ballot: leadership.ballot, base, chainAtBase, entries, commit: log.commit },
      0,
    )
  }
}

/** Beyond MaxLag, or below what is in memory: the leader stops pushing, the follower pulls (consensus 1.10). */
function requirePull(core: Core, leadership: Leadership, peer: Peer): void {
  peer.state = 'pulling'
  peer.inflight.length = 0
  peer.inflightBytes = 0
  peer.activeAtMs = core.nowMs
  armRetransmit(core, leadership)
  core.send(peer.broker, { kind: 'syncRequired', ballot: leadership.ballot, commit: core.log.commit }, 0)
}

/** Asks a voter for its promise again, at the ballot this replica leads with. */
function prepareAgain(core: Core, leadership: Leadership, peer: Peer): void {
  const { log } = core
  peer.state = 'preparing'
  peer.activeAtMs = core.nowMs
  armRetransmit(core, leadership)
  core.send(
    peer.broker,
    {
      kind: 'prepare',
      ballot: leadership.ballot,
      accepted: core.acceptedBallot,
      through: log.through,
      commit: log.commit,
    },
    0,
  )
}

/** "I hold a promise for your ballot but not your log", or: my catch-up has come near enough. */
export function onPrepareRequest(core: Core, from: BrokerId, ballot: Leadership['ballot']): void {
  const { leadership } = core
  if (leadership === undefined || !sameBallot(ballot, leadership.ballot)) return
  const peer = findPeer(leadership, from)
  if (peer === undefined) return
  // One Prepare answers all requests that a burst of Accepts provoked; a lost one is sent again by the retransmission.
  if (peer.state === 'preparing' && core.nowMs - peer.activeAtMs < core.tuning.retransmitMs / 2) return
  prepareAgain(core, leadership, peer)
}

/** A voter came back, or is another process now: it gets one message by which it finds out what it missed. */
export function greet(core: Core, leadership: Leadership, broker: BrokerId): void {
  const peer = findPeer(leadership, broker)
  if (peer === undefined) return
  if (peer.state === 'synced') tellCommit(core, leadership, peer)
  if (peer.state !== 'synced' || peer.accepted < core.log.through) sendAgain(core, leadership, peer)
}

export function tellCommit(core: Core, leadership: Leadership, peer: Peer): void {
  peer.toldCommit = core.log.commit
  core.send(peer.broker, { kind: 'learn', ballot: leadership.ballot, commit: core.log.commit }, 0)
}

/** Learners are told how far they can pull, and nothing else. */
export function tellLearners(core: Core, leadership: Leadership): void {
  const { commit } = core.log
  for (const { replica } of core.learners)
    if (core.isLearnerAlive(replica))
      core.send(replica.broker, { kind: 'learn', ballot: leadership.ballot, commit }, 0)
}

/** Accepts carried commit to everybody, so no Learn has to. */
export function noteTold(core: Core, leadership: Leadership): void {
  if (core.learners.length > 0) return
  for (const peer of leadership.peers) {
    if (peer.state === 'synced' && peer.toldCommit < core.log.commit) return
  }
  leadership.learnAtMs = NEVER
}

function armRetransmit(core: Core, leadership: Leadership): void {
  if (leadership.retransmitAtMs === NEVER) leadership.retransmitAtMs = core.nowMs + core.tuning.retransmitMs
}

/** The last voter may catch up after the group went idle: it is told commit once more then. */
export function noteCaughtUp(core: Core, leadership: Leadership, peer: Peer): void {
  const { log } = core
  if (log.through === log.commit && peer.accepted === log.through && leadership.idleAtMs === NEVER) {
    leadership.idleAtMs = core.nowMs + core.tuning.idleLearnMs
  }
}

/** Everything of a leader that is due. */
export function leaderTick(core: Core, leadership: Leadership): void {
  const { nowMs, log, tuning } = core
  if (nowMs >= leadership.quorumLossAtMs) return resign(core)
  if (nowMs >= leadership.undecidedAtMs) {
    if (log.through > log.commit) return resign(core)
    leadership.undecidedAtMs = NEVER
  }
  if (nowMs >= leadership.learnAtMs) {
    leadership.learnAtMs = NEVER
    for (const peer of leadership.peers) {
      if (peer.state === 'synced' && peer.toldCommit < log.commit) tellCommit(core, leadership, peer)
    }
    tellLearners(core, leadership)
  }
  if (nowMs >= leadership.idleAtMs) goIdle(core, leadership)
  if (nowMs >= leadership.retransmitAtMs) {
    leadership.retransmitAtMs = NEVER
    for (const peer of leadership.peers) {
      if (!core.isAlive(peer.broker) || (peer.state === 'synced' && peer.accepted === log.through)) continue
      if (nowMs - peer.activeAtMs >= tuning.retransmitMs) sendAgain(core, leadership, peer)
      armRetransmit(core, leadership)
    }
    const isIdle = log.through === log.commit && leadership.idleAtMs === NEVER
    if (isIdle && leadership.retransmitAtMs === NEVER) rest(core, leadership)
  }
}

function sendAgain(core: Core, leadership: Leadership, peer: Peer): void {
  peer.activeAtMs = core.nowMs
  if (peer.state === 'preparing') prepareAgain(core, leadership, peer)
  else if (peer.state === 'syncing') sendSync(core, leadership, peer)
  else if (peer.state === 'pulling') requirePull(core, leadership, peer)
  else {
    rewind(peer)
    pump(core, leadership, peer)
  }
}

/** Nothing is open: all are told once more, and an idle group keeps nothing in memory. */
function goIdle(core: Core, leadership: Leadership): void {
  leadership.idleAtMs = NEVER
  tellLearners(core, leadership)
  let areCaughtUp = true
  for (const peer of leadership.peers) {
    if (!core.isAlive(peer.broker)) continue
    if (peer.state === 'synced') tellCommit(core, leadership, peer)
    if (peer.state !== 'synced' || peer.accepted < core.log.through) areCaughtUp = false
  }
  if (!areCaughtUp) return
  rest(core, leadership)
}

/** An idle group keeps nothing in memory: who comes back gets what it lacks from the store. */
function rest(core: Core, leadership: Leadership): void {
  leadership.lastBatch = undefined
  leadership.marks = leadership.marks.slice(-1)
  core.log.dropChosen(core.log.commit, 0)
}

/** Gives up leadership and says so, best effort (consensus 1.9). Others go first in the election that follows. */
export function resign(core: Core): void {
  const { leadership } = core
  invariant(leadership !== undefined, 'Only a leader resigns.')
  core.sendToVoters({ kind: 'resign', ballot: leadership.ballot }, 0)
  stepDown(core)
  reconsider(core, core.tuning.electionTimeoutMs)
}
