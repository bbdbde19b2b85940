import type { BrokerId } from '../types/ids.ts'

/**
 * A ballot: configuration number, round, and the broker that campaigns with it.
 * Ordered lexicographically, so two brokers never own the same one (consensus 1.2).
 */
export interface Ballot {
  /** Number of the configuration it is for, u32, from 1. */
  readonly config: number
  /** u32, from 1. */
  readonly round: number
  readonly broker: BrokerId
}

/** Lower than every ballot anybody campaigns with. */
export const NO_BALLOT: Ballot = { config: 0, round: 0, broker: 0 as BrokerId }

/** Below every ballot of a configuration, above every one of those before it. */
export function firstBallotBelow(config: number): Ballot {
  return { config, round: 0, broker: 0 as BrokerId }
}

/** Negative when `a` is lower, 0 when equal, positive when higher. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.config - b.config || a.round - b.round || a.broker - b.broker
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.round === b.round && a.broker === b.broker && a.config === b.config
}

/** `config.round.broker`, as people and the public API see it; '0' for none. */
export function formatBallot(ballot: Ballot): string {
  return ballot.round === 0 ? '0' : `${ballot.config}.${ballot.round}.${ballot.broker}`
}
