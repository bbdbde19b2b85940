import type { BrokerId } from '../types/ids.ts'
import { compareBallots, sameBallot, NO_BALLOT, type Ballot } from './ballot.ts'
import { campaign } from './campaign.ts'
import {
  bootIdOf,
  isEligible,
  isLastChoice,
  isLeaderHappy,
  isLinked,
  isQuorumConnected,
} from './connectivity.ts'
import { passesConfigGate } from './config-gate.ts'
import { NEVER, type Core } from './core.ts'
import type { LinkView } from './link-view.ts'
import type { Canvass, Endorse, Nack, Refuse } from './messages.ts'
import { greet, resign, tellCommit, tellLearners } from './replication.ts'
import { findPeer } from './progress.ts'
import { canvassDelayMs, forgetLeader, postponeCanvass, reconsider, stepDown } from './role.ts'
import { pullFrom } from './synchronize.ts'
import type { Learner } from './volatile.ts'
import { noteRound } from './rounds.ts'

/** From this attempt on a canvasser is endorsed however far behind it is: a live majority never stays leaderless. */
const WAIVING_ATTEMPT = 3

/** The detector sees the brokers of this group otherwise than before. */
export function onLinks(core: Core, links: LinkView): void {
  const before = core.links
  core.links = links
  if (core.leadership !== undefined) return leaderLinks(core, before)
  if (core.role !== 'follower') return
  if (core.leader !== undefined) core.leaderBootId ??= bootIdOf(core, core.leader)
  reconsider(core)
  // A group that nobody has led yet begins without asking: its first voter campaigns at once, the others wait.
  if (beginsFresh(core) && core.canvassAtMs !== NEVER) core.canvassAtMs = core.nowMs
}

/** The group is new, and this is the replica that was chosen to begin it. */
function beginsFresh(core: Core): boolean {
  const isFresh = sameBallot(core.promised, NO_BALLOT) && core.log.through === 0
  return isFresh && core.voters[0] === core.self && !isLastChoice(core)
}

/** A leader resigns with a stalled disk at once, without a quorum after a while; it greets who came back. */
function leaderLinks(core: Core, before: LinkView | undefined): void {
  const { leadership, links } = core
  if (leadership === undefined || links === undefined) return
  if (links.selfStalled) return resign(core)
  if (isQuorumConnected(core)) leadership.quorumLossAtMs = NEVER
  else if (leadership.quorumLossAtMs === NEVER)
    leadership.quorumLossAtMs = core.nowMs + core.tuning.quorumLossMs
  for (const { broker } of leadership.peers) {
    if (!core.isAlive(broker)) continue
    const was = before?.peers.get(broker)
    const cameBack = was === undefined || !was.alive || was.bootId !== links.peers.get(broker)?.bootId
    if (cameBack || (isLinked(core, broker) && !isLinked(core, broker, before)))
      greet(core, leadership, broker)
  }
  const isBack = ({ replica }: Learner): boolean =>
    core.isLearnerAlive(replica) && before?.peers.get(replica.broker)?.alive !== true
  if (core.learners.some(isBack)) tellLearners(core, leadership)
}

/** The election's deadlines of a follower. */
export function electionTick(core: Core): void {
  const { canvassing } = core
  if (canvassing !== undefined && core.nowMs >= canvassing.deadlineMs) failCanvass(core)
  if (core.nowMs < core.canvassAtMs) return
  core.canvassAtMs = NEVER
  if (isLeaderHappy(core) || !isEligible(core)) return
  if (beginsFresh(core)) return campaign(core)
  canvass(core)
}

/** Asks all voters whether they would support a campaign; raises no ballot, so a replica cut off disturbs nobody. */
function canvass(core: Core): void {
  core.canvassCount++
  const attempt = core.canvassCount
  const deadlineMs = core.nowMs + core.tuning.electionTimeoutMs
  core.canvassing = { attempt, endorsed: new Set([core.self]), refused: new Set(), deadlineMs }
  const { log, acceptedBallot, configuration } = core
  core.sendToVoters(
    {
      kind: 'canvass',
      configNumber: configuration.number,
      commit: log.commit,
      accepted: acceptedBallot,
      through: log.through,
      attempt,
    },
    0,
  )
  campaignIfEndorsed(core)
}

function campaignIfEndorsed(core: Core): void {
  if (core.canvassing !== undefined && core.canvassing.endorsed.size >= core.majority) campaign(core)
}

function failCanvass(core: Core): void {
  core.canvassing = undefined
  core.canvassAtMs = core.nowMs + canvassDelayMs(core)
}

/** A voter endorses when it misses its leader as well; endorsing promises nothing. */
export function onCanvass(core: Core, from: BrokerId, message: Canvass): void {
  const { log, configuration } = core
  core.noteCommit(from, message.commit)
  if (!passesConfigGate(core, from, message.configNumber, message.commit)) return
  // Who canvasses does not lead.
  if (core.leader === from) forgetLeader(core)
  const { attempt } = message
  const isBehind = message.commit < log.commit - core.tuning.maxLagSlots && attempt < WAIVING_ATTEMPT
  if (!isLeaderHappy(core) && !isBehind) {
    core.send(from, { kind: 'endorse', configNumber: configuration.number, attempt, commit: log.commit }, 0)
    // Only for a first attempt: one that goes on failing must not keep the one who could succeed from trying.
    if (core.canvassing === undefined && attempt === 1)
      postponeCanvass(core, core.tuning.electionTimeoutMs / 2)
    return
  }
  const peer = core.leadership === undefined ? undefined : findPeer(core.leadership, from)
  // Its word as the leader is all that is needed; a refusal that overtook it would look as if it led no more (seed 249352).
  if (core.leadership !== undefined && peer !== undefined) return tellCommit(core, core.leadership, peer)
  const refuse: Refuse = {
    kind: 'refuse',
    configNumber: configuration.number,
    attempt,
    commit: log.commit,
    promised: core.promised,
  }
  core.send(from, refuse, core.promisePersist)
}

export function onEndorse(core: Core, from: BrokerId, message: Endorse): void {
  core.noteCommit(from, message.commit)
  if (core.role === 'follower' && core.leader === from) forgetLeader(core)
  const { canvassing } = core
  if (canvassing === undefined || !isAnswer(core, from, message)) return
  canvassing.endorsed.add(from)
  canvassing.refused.delete(from)
  campaignIfEndorsed(core)
}

export function onRefuse(core: Core, from: BrokerId, message: Refuse): void {
  core.noteCommit(from, message.commit)
  noteRound(core, message.promised)
  if (core.role === 'follower' && core.leader === from) forgetLeader(core)
  const { canvassing } = core
  if (canvassing === undefined || !isAnswer(core, from, message)) return
  canvassing.refused.add(from)
  // Others are led while no leader reaches this replica: it catches up from whom it can reach.
  const isBehind = message.commit > core.log.commit && canvassing.attempt > 1
  if (core.voters.length - canvassing.refused.size < core.majority) failCanvass(core)
  if (isBehind && core.pull === undefined) {
    pullFrom(core, from, { target: message.commit, slack: 0, isRequired: false })
  }
}

function isAnswer(core: Core, from: BrokerId, message: Endorse | Refuse): boolean {
  return (
    message.configNumber === core.configuration.number &&
    message.attempt === core.canvassing?.attempt &&
    core.voters.includes(from)
  )
}

/** Somebody promised a higher ballot: what this replica leads or tries is over (consensus 1.7). */
export function onNack(core: Core, from: BrokerId, message: Nack): void {
  if (message.promised.config !== core.configuration.number || !core.voters.includes(from)) return
  noteRound(core, message.promised)
  if (core.role === 'follower' || compareBallots(message.promised, core.ballot) <= 0) return
  stepDown(core)
  reconsider(core)
}

export function onResign(core: Core, from: BrokerId, ballot: Ballot): void {
  if (core.role !== 'follower' || core.leader !== from || compareBallots(ballot, core.ballot) < 0) return
  forgetLeader(core)
}
