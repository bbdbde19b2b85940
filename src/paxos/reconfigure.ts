import { sameReplica, type BrokerId, type Replica } from '../types/ids.ts'
import { campaign, prepare } from './campaign.ts'
import { isEligible, mayLead } from './connectivity.ts'
import type { Core } from './core.ts'
import type { ReconfigureRefusal } from './effects.ts'
import { countInSync, findPeer, isLearnerNear } from './progress.ts'
import { appendControl } from './proposer.ts'
import { greet, tellLearners } from './replication.ts'
import { reconsider } from './role.ts'
import { ENTRY_KIND, VOTERS_MAX } from './state.ts'
import { encodeStopSign } from './stop-sign.ts'
import type { Activation, Leadership } from './volatile.ts'

/**
 * Ends the configuration by a stop-sign that names the voters of the next one (consensus 1.12). Until that is chosen nothing
 * else is proposed. Who asks for the voters that there are is told at once that they are in force, so asking again is safe;
 * unless it is the end of the present configuration that is asked for.
 */
export function onReconfigure(core: Core, token: number, voters: readonly Replica[], after?: number): void {
  const { leadership, configuration } = core
  const isMeant = after === configuration.number
  if (!isMeant && sameVoters(configuration.voters, voters)) {
    core.effects.push({ kind: 'reconfigured', token, number: configuration.number })
    return
  }
  const reason = after === undefined || isMeant ? refusalOf(core, voters) : 'outdated'
  if (leadership === undefined || reason !== undefined) {
    core.effects.push({ kind: 'reconfigureRefused', token, reason: reason ?? 'not-leader' })
    return
  }
  const number = configuration.number + 1
  core.asked = { token, number, voters }
  appendControl(core, leadership, ENTRY_KIND.STOPSIGN, encodeStopSign({ number, voters }))
}

function refusalOf(core: Core, voters: readonly Replica[]): ReconfigureRefusal | undefined {
  const { leadership } = core
  if (!isValid(voters)) return 'invalid'
  if (leadership === undefined) return 'not-leader'
  if (leadership.transfer !== undefined || core.log.endsWithStopSign) return 'under-way'
  const added = voters.filter((voter) => !isVoting(core, voter))
  if (!added.every((voter) => isLearnerNear(core, leadership, voter))) return 'learner-behind'
  return haveMajorities(core, leadership, voters) ? undefined : 'not-enough-in-sync'
}

function isValid(voters: readonly Replica[]): boolean {
  return (
    voters.length >= 1 &&
    voters.length <= VOTERS_MAX &&
    new Set(voters.map((voter) => voter.broker)).size === voters.length &&
    new Set(voters.map((voter) => voter.store)).size === voters.length
  )
}

function isVoting(core: Core, replica: Replica): boolean {
  return core.configuration.voters.some((voter) => sameReplica(voter, replica))
}

function sameVoters(a: readonly Replica[], b: readonly Replica[]): boolean {
  return a.length === b.length && a.every((voter) => b.some((other) => sameReplica(voter, other)))
}

/** A majority of the old voters chooses the stop-sign, a majority of the new ones has to take it up. New voters are near. */
function haveMajorities(core: Core, leadership: Leadership, voters: readonly Replica[]): boolean {
  if (countInSync(core, leadership) < core.majority) return false
  const ready = voters.filter(
    (voter) =>
      !isVoting(core, voter) ||
      voter.broker === core.self ||
      findPeer(leadership, voter.broker)?.isInSync === true,
  )
  return ready.length >= core.rules.quorum(voters.length)
}

/**
 * At the end of a step that took up a configuration: answers who ordered it, and lets one voter campaign at once. That is the
 * leader of the configuration before; when it votes no more, the first live one of those that voted before. The others wait
 * for its Prepare, and canvass as after any other loss of a leader when none comes.
 */
export function beginConfiguration(core: Core): void {
  const { activation } = core
  if (activation === undefined) return
  core.activation = undefined
  answerOrder(core)
  if (core.isVoter && isFirst(core, activation) && isEligible(core)) return campaign(core)
  const isAnybodyFirst = core.voters.some((voter) => activation.formerVoters.includes(voter))
  reconsider(core, isAnybodyFirst ? core.tuning.electionTimeoutMs / 2 : 0)
}

function isFirst(core: Core, { formerLeader, formerVoters }: Activation): boolean {
  if (formerLeader !== undefined && core.voters.includes(formerLeader)) return formerLeader === core.self
  // Whoever merely caught up with a change of long ago knows of no leader that ended with it.
  if (formerLeader === undefined) return false
  const first = core.voters.find(
    (voter) => formerVoters.includes(voter) && (voter === core.self || mayLead(core, voter)),
  )
  return first === core.self
}

/** An order is fulfilled by whoever brings these voters about, and void when others come with its number. */
function answerOrder(core: Core): void {
  const { asked, configuration } = core
  if (asked === undefined) return
  core.asked = undefined
  const { token } = asked
  if (asked.number === configuration.number && sameVoters(asked.voters, configuration.voters))
    core.effects.push({ kind: 'reconfigured', token, number: asked.number })
  else core.effects.push({ kind: 'reconfigureRefused', token, reason: 'under-way' })
}

/** The host says who learns. Whoever leads tells new ones that there is something to pull. */
export function onLearners(core: Core, replicas: readonly Replica[], since = 0): void {
  core.setLearners(replicas, since)
  if (core.leadership !== undefined) tellLearners(core, core.leadership)
  reconsider(core)
}

/**
 * Who asks for what is chosen says by it how far it is. A voter that has just taken up the configuration could not answer the
 * Prepare that told it of that: it gets another one.
 */
export function noteProgress(core: Core, from: BrokerId, commit: number): void {
  for (const learner of core.learners) if (learner.replica.broker === from) learner.commit = commit
  if (!core.voters.includes(from)) return
  const { fromSlot } = core.configuration
  const hasJoined = core.knownCommit(from) < fromSlot && commit >= fromSlot
  core.noteCommit(from, commit)
  if (!hasJoined) return
  if (core.candidacy !== undefined) prepare(core, core.candidacy, from)
  if (core.leadership !== undefined) greet(core, core.leadership, from)
}
