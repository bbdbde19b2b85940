import type { PaxosEvent } from '../../src/paxos/effects.ts'
import type { StoreId } from '../../src/types/ids.ts'

/** Whoever is asked for has answered. */
class Everybody extends Set<StoreId> {
  override has(): boolean {
    return true
  }
}

/** The standing of a replica for tests that are about something else: all others have answered, and nobody objects. */
export const ADMITTED: Extract<PaxosEvent, { kind: 'standing' }> = {
  kind: 'standing',
  standing: { isOutsider: false, answers: new Everybody() },
}
