import type { BrokerId } from '../../src/types/ids.ts'
import type { EventQueue } from '../sim/event-queue.ts'
import type { Judge } from '../sim/judge.ts'
import type { Network } from '../sim/network.ts'
import type { Trace } from '../sim/trace.ts'
import type { SimulatedBroker } from './broker.ts'
import type { Lanes } from './lanes.ts'
import type { BrokersMutant } from './mutant.ts'
import type { BrokersSwarm } from './swarm.ts'

/** What all parts of a run share. */
export interface BrokersScene {
  readonly queue: EventQueue
  readonly network: Network
  readonly lanes: Lanes
  readonly trace: Trace
  readonly judge: Judge
  readonly swarm: BrokersSwarm
  readonly mutant: BrokersMutant
  readonly brokers: ReadonlyMap<BrokerId, SimulatedBroker>
  /** The first ones, which form the cluster; the others join it. */
  readonly founders: readonly BrokerId[]
  /** No faults happen any more, but for the absence of some brokers. */
  readonly isHealed: boolean
  /** Brokers that the others have to do without for now. */
  readonly absent: ReadonlySet<BrokerId>
  /** Brokers whose disks rot. */
  readonly victims: ReadonlySet<BrokerId>
  /** So many replicas every partition has at least: where a disk is damaged or lost one copy is not enough. */
  readonly replicasMin: number
  /** Something threw where nobody can catch it: the run ends with it. */
  failed(error: unknown): void
}

/** Lets virtual time pass. */
export function sleep({ queue }: Pick<BrokersScene, 'queue'>, delayMs: number): Promise<void> {
  return new Promise((resolve) => queue.after(delayMs, resolve))
}
