import type { Replica } from '../../src/types/ids.ts'
import { Rules } from '../../src/paxos/rules.ts'

/** Deliberate bugs about whose a vote is. */
export class AnyStoreVotes extends Rules {
  override isVoteOf(voter: Replica, replica: Replica): boolean {
    return voter.broker === replica.broker
  }
}
