import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import type { Configuration } from '../../src/paxos/state.ts'
import type { Atlas } from './atlas.ts'
import type { EventQueue } from './event-queue.ts'
import type { Membership } from './membership.ts'
import type { Mutant } from './mutants.ts'
import type { Network } from './network.ts'
import type { SimulatedBroker } from './node.ts'
import type { Oracles } from './oracles.ts'
import type { RotAtRest } from './rot.ts'
import type { Swarm } from './swarm.ts'
import type { Trace } from './trace.ts'

/** What all parts of a run share. */
export interface Scene {
  readonly queue: EventQueue
  readonly network: Network
  readonly oracles: Oracles
  readonly trace: Trace
  readonly swarm: Swarm
  readonly mutant: Mutant
  readonly configuration: Configuration
  readonly membership: Membership
  readonly groups: readonly GroupId[]
  readonly atlas: Atlas
  rotOf(broker: BrokerId): RotAtRest | undefined
  readonly brokers: ReadonlyMap<BrokerId, SimulatedBroker>
  /** The phase of faults is over. */
  readonly isHealed: boolean
  /** Something asynchronous was begun or answered: it has to come to rest before the next event. */
  stir(): void
  /** Something threw where nobody can catch it: the run ends with it. */
  failed(error: unknown): void
}
