import type { BrokerId } from '../types/ids.ts'
import type { Core } from './core.ts'
import { tellStopSign } from './learner.ts'
import { pullMore } from './synchronize.ts'

/**
 * The config gate (consensus 1.12 step 5): whether a message of configuration `number` is for this replica to answer. Who is
 * behind the sender asks it for what is chosen; who is ahead tells it the stop-sign; who has no vote is silent. `commit` is
 * the sender's.
 */
export function passesConfigGate(core: Core, from: BrokerId, number: number, commit: number): boolean {
  const own = core.configuration.number
  if (number > own) pullMore(core, from, commit)
  if (number < own) tellStopSign(core, from, commit)
  return number === own && core.isVoter && core.voters.includes(from)
}
