import { invariant } from '../types/invariant.ts'

/**
 * Size of a quorum among `voterCount` voters: floor(N/2)+1. Any two such sets share a voter, also when N is even;
 * floor((N+1)/2) does not have that (two halves of four never meet).
 */
export function majority(voterCount: number): number {
  invariant(voterCount >= 1, 'A configuration has at least one voter.')
  return Math.floor(voterCount / 2) + 1
}
