import type { BrokerId } from '../types/ids.ts'
import type { Core } from './core.ts'
import { isFitToLead, type LinkView } from './link-view.ts'

/** Whether the own broker and `peer` hear each other. */
export function isLinked(core: Core, peer: BrokerId, links: LinkView | undefined = core.links): boolean {
  const view = links?.peers.get(peer)
  return view !== undefined && view.alive && view.links.has(core.self) && core.isVoterStore(peer, view)
}

/** The process that runs a live broker; undefined while something was heard of it, but not yet which process it is. */
export function bootIdOf(core: Core, broker: BrokerId): string | undefined {
  const view = core.links?.peers.get(broker)
  return view !== undefined && view.alive && view.bootId !== '' ? view.bootId : undefined
}

/** Whether this replica has two-way links to a quorum and a disk that answers: only then may it lead (consensus 1.9). */
export function isQuorumConnected(core: Core): boolean {
  if (core.links?.selfStalled === true) return false
  let count = 1
  for (const voter of core.voters) if (voter !== core.self && isLinked(core, voter)) count++
  return count >= core.majority
}

/**
 * Whether the leader is known, is the process that was elected, and still reaches a quorum: by its own report while it is
 * heard, else by the reports of voters that hear it. The second clause keeps a chained partition quiet: who is merely cut
 * off from the leader does not disturb those who are not (consensus 1.9).
 */
export function isLeaderHappy(core: Core): boolean {
  const { leader, links } = core
  if (leader === undefined) return false
  if (leader === core.self) return core.role === 'leader' && isQuorumConnected(core)
  // Before the first report of the detector nothing speaks against a leader that was just heard.
  if (links === undefined) return true
  const view = links.peers.get(leader)
  if (view === undefined) return false
  if (core.leaderBootId !== undefined && view.bootId !== core.leaderBootId) return false
  let count = 0
  if (view.alive) {
    if (view.stalled || !core.isVoterStore(leader, view)) return false
    for (const voter of core.voters) if (voter === leader || view.links.has(voter)) count++
    return count >= core.majority
  }
  for (const voter of core.voters) {
    if (voter === leader) count++
    else if (voter !== core.self && core.isAlive(voter) && links.peers.get(voter)?.links.has(leader) === true)
      count++
  }
  return count >= core.majority && count > 1
}

/** Whether this replica may try to lead now: soft conditions only, safety does not rest on them. */
export function isEligible(core: Core): boolean {
  return (
    core.isVoter &&
    core.links?.selfDraining !== true &&
    core.log.commit >= core.configuration.fromSlot &&
    isWhole(core) &&
    isQuorumConnected(core)
  )
}

/** A damaged replica lets others lead; alone it leads as long as it can read all that is not chosen yet (consensus 1.16). */
function isWhole({ log, voters }: Core): boolean {
  return log.damage.count === 0 || (voters.length === 1 && !log.isAbstaining)
}

/** Whether another broker may be handed a leadership (consensus 1.13). */
export function mayLead(core: Core, broker: BrokerId): boolean {
  return isFitToLead(core.links?.peers.get(broker))
}

/** Whether this replica would lead only because nobody else can: its broker's disk has hardly any room left. */
export function isLastChoice(core: Core): boolean {
  return core.links?.selfFull === true
}

/**
 * Place among the live voters that could lead as well, 0 for the first. Who is short of room comes after all of them, and is
 * not kept from trying: a group in which nobody else gets elected is better led by it than by nobody.
 */
export function rank(core: Core): number {
  let place = 0
  for (const voter of core.voters) {
    if (voter !== core.self) place += mayLead(core, voter) ? 1 : 0
    else if (!isLastChoice(core)) return place
  }
  return isLastChoice(core) ? place + 1 : place
}

/**
 * Whether the own configuration goes on without this replica: a majority of its voters has taken it up, or has even chosen
 * something in it. Who voted before asks until then, and the answers show whom to tell (consensus 1.12 step 6).
 */
function isConfigurationKnown(core: Core): boolean {
  const { fromSlot } = core.configuration
  if (core.knownCommits.some((commit) => commit > fromSlot)) return true
  return core.knownCommits.filter((commit) => commit >= fromSlot).length >= core.majority
}

/**
 * Whether this replica has to ask others for what is chosen: it learns, or its leader and it do not hear each other while the
 * leader reaches a quorum all the same, or it votes no more and may be the only one who knows that.
 */
export function hasToPoll(core: Core): boolean {
  if (core.isLearner) return true
  if (core.isRetired) return !isConfigurationKnown(core)
  const { leader, links } = core
  if (leader === undefined || leader === core.self || links === undefined) return false
  return !isLinked(core, leader) && isLeaderHappy(core)
}
