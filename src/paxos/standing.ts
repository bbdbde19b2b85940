import type { BrokerId, StoreId } from '../types/ids.ts'
import type { Configuration } from './state.ts'

/**
 * What is known of the own store since this start (consensus 1.16, 'Silent loss of the newest writes'). A disk that lost
 * what it had confirmed looks like one after a clean crash: only others can tell. So a replica votes in nothing before
 * enough of them were asked.
 */
export interface Standing {
  /** The store forgot something that it had confirmed: it never votes again. */
  readonly isOutsider: boolean
  /** Stores of the brokers that answered this start and saw no more of the own store than was recovered. Only grows. */
  readonly answers: ReadonlySet<StoreId>
}

/**
 * Whether a replica may promise, accept, endorse and campaign: it holds a vote that nobody objects to, and half of the
 * *other* voters have answered. So one dead broker does not block the others, and a lone voter asks nobody. Who answers has
 * to be the store that has the vote: one that came later remembers nothing of the own one.
 */
export function mayVote(self: BrokerId, configuration: Configuration, standing: Standing): boolean {
  if (standing.isOutsider) return false
  const { voters } = configuration
  let answers = 0
  for (const { broker, store } of voters) if (broker !== self && standing.answers.has(store)) answers++
  return answers >= Math.floor(voters.length / 2)
}
