import type { Mutant } from '../sim/mutants.ts'
import type { BrokersSwarm } from './swarm.ts'

/** A deliberate bug, made around production code and never in it. A simulator that does not find it is worth nothing. */
export interface BrokersMutant extends Pick<
  Mutant,
  'name' | 'about' | 'tampersIndex' | 'isDiskLying' | 'altersJournal' | 'install' | 'ignored'
> {
  /** What makes the bug show sooner than a drawn swarm would. */
  readonly swarm?: Partial<BrokersSwarm>
  /** A rare one: the search begins at this seed, shortly before the one that caught it first; else at 1. */
  readonly searchedFrom?: number
}

export const NO_MUTANT: BrokersMutant = { name: 'none', about: 'The code as it is.' }

/** Leaders come and go while much is under way. */
export const UPHEAVAL: Partial<BrokersSwarm> = {
  brokerCount: 3,
  crashEveryMs: 600,
  downMeanMs: 200,
  resignEveryMs: 300,
  produceEveryMs: 20,
  retryAfterMs: 30,
}

/** Puts another method in place of one; returns how to put it back. */
export function replaced<Owner extends object, Name extends keyof Owner>(
  prototype: Owner,
  name: Name,
  make: (original: Owner[Name]) => Owner[Name],
): () => void {
  const original = prototype[name]
  prototype[name] = make(original)
  return () => {
    prototype[name] = original
  }
}
