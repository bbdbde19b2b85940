import { sameReplica, type BrokerId, type Replica, type Slot } from '../types/ids.ts'
import type { Core } from './core.ts'
import type { VoterProgress } from './options.ts'
import type { Leadership, Learner, Peer } from './volatile.ts'

/** Steps in which the time of choosing is kept, per maxLagMs. */
const MARKS_PER_MAX_LAG = 16
const MARKS_MAX = 64

export function newPeer(broker: BrokerId, nowMs: number): Peer {
  const zero = 0 as Slot
  return {
    broker,
    state: 'preparing',
    base: zero,
    accepted: zero,
    next: zero,
    toldCommit: zero,
    inflight: [],
    inflightBytes: 0,
    activeAtMs: nowMs,
    isRewound: false,
    isInSync: false,
  }
}

export function findPeer(leadership: Leadership, broker: BrokerId): Peer | undefined {
  for (const peer of leadership.peers) if (peer.broker === broker) return peer
  return undefined
}

/** Notes when slots from `firstSlot` on were chosen; several of one step share a mark, so it never looks younger than it is. */
export function markChosen(core: Core, leadership: Leadership, firstSlot: number): void {
  const { marks } = leadership
  const last = marks[marks.length - 1]
  if (last !== undefined && core.nowMs - last.atMs < core.tuning.maxLagMs / MARKS_PER_MAX_LAG) return
  marks.push({ firstSlot, atMs: core.nowMs })
  if (marks.length > MARKS_MAX) marks.shift()
}

/** The highest slot known to agree with this ballot's log at a voter. */
function reached(peer: Peer): number {
  return peer.state === 'synced' ? peer.accepted : Math.max(peer.base, peer.accepted)
}

/** Chosen slots that the voter lacks (consensus 1.10). */
function lagSlots(core: Core, peer: Peer): number {
  return Math.max(0, core.log.commit - reached(peer))
}

/** For how long the first slot that the voter lacks has been chosen. */
function lagMs(core: Core, leadership: Leadership, peer: Peer): number {
  return lagSlots(core, peer) === 0 ? 0 : lateMs(core, leadership, reached(peer) + 1)
}

/** For how long a slot has been chosen, about. */
function lateMs(core: Core, leadership: Leadership, missing: number): number {
  const { marks } = leadership
  for (let place = marks.length - 1; place >= 0; place--) {
    const mark = marks[place]
    if (mark !== undefined && (mark.firstSlot <= missing || place === 0)) return core.nowMs - mark.atMs
  }
  return 0
}

/** In-sync voters now, the leader included. Who fell out comes back only at half of MaxLag, so that it does not flap. */
export function countInSync(core: Core, leadership: Leadership): number {
  const { maxLagSlots, maxLagMs } = core.tuning
  let count = 1
  for (const peer of leadership.peers) {
    const part = peer.isInSync ? 1 : 2
    peer.isInSync =
      peer.state === 'synced' &&
      core.isAlive(peer.broker) &&
      lagSlots(core, peer) <= maxLagSlots / part &&
      lagMs(core, leadership, peer) <= maxLagMs / part
    if (peer.isInSync) count++
  }
  return count
}

/** Whether a replica learns and is near enough to vote in the next configuration (consensus 1.12 step 1). */
export function isLearnerNear(core: Core, leadership: Leadership, replica: Replica): boolean {
  const learner = core.learners.find((one) => sameReplica(one.replica, replica))
  return learner !== undefined && learnerProgress(core, leadership, learner).inSync
}

function learnerProgress(core: Core, leadership: Leadership, { replica, commit }: Learner): VoterProgress {
  const { maxLagSlots, maxLagMs } = core.tuning
  const isAlive = core.isLearnerAlive(replica)
  const slots = Math.max(0, core.log.commit - commit)
  const ms = slots === 0 ? 0 : lateMs(core, leadership, commit + 1)
  return {
    broker: replica.broker,
    acceptedSlot: commit,
    lagSlots: slots,
    lagMs: ms,
    inSync: isAlive && slots <= maxLagSlots / 2 && ms <= maxLagMs / 2,
    state: isAlive ? 'learner' : 'unreachable',
  }
}

function peerProgress(core: Core, leadership: Leadership, peer: Peer): VoterProgress {
  const state = peer.state === 'pulling' ? 'syncing' : peer.state
  return {
    broker: peer.broker,
    acceptedSlot: peer.accepted,
    lagSlots: lagSlots(core, peer),
    lagMs: lagMs(core, leadership, peer),
    inSync: peer.isInSync,
    state: core.isAlive(peer.broker) ? state : 'unreachable',
  }
}

/** What people and metrics are told: of all voters and learners by the leader, else of the replica itself. */
export function describeProgress(core: Core): readonly VoterProgress[] {
  const { leadership, log } = core
  const known = core.leader === undefined ? log.commit : Math.max(core.knownCommit(core.leader), log.commit)
  const own: VoterProgress = {
    broker: core.self,
    acceptedSlot: leadership === undefined ? log.through : leadership.ownAccepted,
    lagSlots: known - log.commit,
    lagMs: 0,
    inSync: core.status === 'ok' && core.leader !== undefined,
    state:
      leadership !== undefined
        ? 'leader'
        : core.isLearner
          ? 'learner'
          : core.status === 'syncing'
            ? 'syncing'
            : core.leader === undefined
              ? 'preparing'
              : 'synced',
  }
  if (leadership === undefined) return [{ ...own, lagSlots: Math.max(0, own.lagSlots) }]
  countInSync(core, leadership)
  const voters = core.voters.map((voter) => {
    const peer = findPeer(leadership, voter)
    return peer === undefined ? { ...own, lagSlots: 0 } : peerProgress(core, leadership, peer)
  })
  return [...voters, ...core.learners.map((learner) => learnerProgress(core, leadership, learner))]
}
