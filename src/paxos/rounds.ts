import type { Ballot } from './ballot.ts'
import type { Core } from './core.ts'

/**
 * So far above the highest known round one message may lead. Campaigns raise rounds by one, so a ballot beyond it comes of a
 * broken message, and a few such would use the rounds of a configuration up. A replica that was away for so many campaigns
 * gets there by as many messages as it takes.
 */
export const ROUND_JUMP_MAX = 2 ** 20

/** Of a ballot that somebody tells of: the next campaign goes above it, or as far towards it as one message may lead. */
export function noteRound(core: Core, { config, round }: Ballot): void {
  if (config === core.configuration.number && round > core.highestRound)
    core.highestRound = Math.min(round, farthestRound(core))
}

/** Whether a ballot of this configuration is so far above all known ones that it is not promised yet. */
export function isFar(core: Core, { round }: Ballot): boolean {
  return round > farthestRound(core)
}

function farthestRound({ promised, highestRound }: Core): number {
  return Math.max(promised.round, highestRound) + ROUND_JUMP_MAX
}
