import { NEVER, type Core } from './core.ts'
import { forgetLeader, reconsider, stepDown } from './role.ts'
import type { Standing } from './standing.ts'

/**
 * Whether a vote may not be used. Then nothing is learned either: the journal stays as this start found it, which is the proof
 * of what it has lost. What is known to be chosen is served.
 */
export function isSilenced(core: Core): boolean {
  return core.hasVote && !core.isVoter
}

/** The gate opens, or closes for good. */
export function onStanding(core: Core, standing: Standing): void {
  const wasVoter = core.isVoter
  core.standing = standing
  if (core.isVoter === wasVoter) return
  if (!core.isVoter) return leaveVoters(core)
  if (core.voters.length === 1) core.canvassAtMs = core.nowMs
  reconsider(core)
  askToBePrepared(core)
}

/** What it led or tried is for those to take over whose memory is whole. */
function leaveVoters(core: Core): void {
  stepDown(core)
  core.canvassing = undefined
  core.canvassAtMs = NEVER
  forgetLeader(core)
}

/** Whatever the leader said before the gate was open is lost: it is asked for it, and not waited for. */
function askToBePrepared(core: Core): void {
  const { promised } = core
  const { broker } = promised
  if (broker !== core.self && core.voters.includes(broker))
    core.send(broker, { kind: 'prepareRequest', ballot: promised }, 0)
}
