import { invariant } from '../types/invariant.ts'
import { firstBallotBelow } from './ballot.ts'
import { NEVER, type Core } from './core.ts'
import { stepDown } from './role.ts'
import type { Configuration } from './state.ts'

/**
 * Takes up the configuration of a stop-sign that is known to be chosen (consensus 1.12 step 3). One state record makes the
 * configuration, the cut above the stop-sign and the knowledge that it is chosen durable together; whatever is promised or
 * accepted in the new configuration is written after it.
 */
export function activate(core: Core, configuration: Configuration): void {
  const { log } = core
  const { fromSlot } = configuration
  invariant(
    log.commit === fromSlot,
    'A configuration is taken up when its stop-sign is the last chosen slot.',
  )
  tellFormerPeers(core)
  enter(core, configuration)
  log.truncate(fromSlot)
  core.configurationPersist = core.persist([{ kind: 'state', state: core.stateRecord(log.through) }])
  core.promisePersist = core.configurationPersist
}

/**
 * All that was volatile belonged to the old configuration and ends. Who campaigns is decided at the end of the step. The
 * caller makes it durable.
 *
 * Everybody who takes a configuration up holds the same log up to the stop-sign, so promise and accepted ballot become the
 * lowest of the new configuration: no accepted ballot of an older one weighs more than another any more (step 4).
 */
export function enter(core: Core, configuration: Configuration): void {
  const { number, fromSlot } = configuration
  invariant(number > core.configuration.number, 'A configuration follows one with a lower number.')
  invariant(core.log.commit >= fromSlot, 'Who is in a configuration knows its stop-sign to be chosen.')
  invariant(core.promised.config < number, 'Nothing is promised in a configuration before it is taken up.')
  core.activation = {
    formerVoters: core.voters,
    formerLeader: core.role === 'leader' ? core.self : core.leader,
  }
  stepDown(core)
  forgetVolatile(core)
  core.promised = firstBallotBelow(number)
  core.acceptedBallot = core.promised
  core.setConfiguration(configuration)
  core.effects.push({ kind: 'configured', configuration })
}

/** A leader that ends with its configuration says that the stop-sign is chosen; who misses it asks or is told later. */
function tellFormerPeers({ leadership, log, self, effects }: Core): void {
  if (leadership === undefined) return
  for (const peer of leadership.peers) {
    if (peer.broker === self || peer.state !== 'synced') continue
    const message = { kind: 'learn', ballot: leadership.ballot, commit: log.commit } as const
    effects.push({ kind: 'send', to: peer.broker, message, after: 0 })
  }
}

function forgetVolatile(core: Core): void {
  core.leader = undefined
  core.leaderBootId = undefined
  core.canvassing = undefined
  core.canvassCount = 0
  core.canvassAtMs = NEVER
  core.pollAtMs = NEVER
  core.status = 'ok'
  // What is missing above the stop-sign is missing still, but no leader waits for it.
  if (core.pull !== undefined) core.pull = { ...core.pull, slack: 0, isRequired: false }
}
