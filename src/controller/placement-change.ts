import type { BrokerId, Replica, StoreId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement } from '../types/topic.ts'

/** How a partition's replicas go from one set of brokers to another: pure steps from placement to placement. */

export function sameBrokers(a: readonly BrokerId[], b: readonly BrokerId[]): boolean {
  return a.length === b.length && a.every((broker) => b.includes(broker))
}

function without(brokers: readonly BrokerId[], except: readonly BrokerId[]): BrokerId[] {
  return brokers.filter((broker) => !except.includes(broker))
}

/** Every broker that holds a copy: who is not among them may free its data. */
export function holdersOf({ replicas, learners }: PartitionPlacement): readonly BrokerId[] {
  return [...replicas, ...without(learners, replicas)]
}

/** Who holds a copy or is to: what counts as a broker's load. */
export function carriersOf(placement: PartitionPlacement): readonly BrokerId[] {
  const holders = holdersOf(placement)
  return [...holders, ...without(placement.change?.target ?? [], holders)]
}

/** The store with which a broker votes in the configuration on record; undefined: the one that it is registered with. */
export function storeOnRecord({ voters }: PartitionPlacement, broker: BrokerId): StoreId | undefined {
  return voters?.find((voter) => voter.broker === broker)?.store
}

/** The new ones begin to learn. Another order of the same brokers is there at once: it needs no new configuration. */
export function beginChange(
  placement: PartitionPlacement,
  operation: string,
  target: readonly BrokerId[],
): PartitionPlacement {
  invariant(placement.change === undefined, 'A partition has one change at a time.')
  if (sameBrokers(placement.replicas, target)) return { ...placement, replicas: [...target] }
  return {
    ...placement,
    learners: without(target, placement.replicas),
    change: { operation, target: [...target], phase: 'learning' },
  }
}

/** From here on the leader may be told to change the configuration: it can happen at any time. */
export function switchOver(placement: PartitionPlacement): PartitionPlacement {
  const { change } = placement
  invariant(change?.phase === 'learning', 'Only a change whose learners have caught up switches.')
  return { ...placement, change: { ...change, phase: 'switching' } }
}

/**
 * Calls a change off. One that is switching may have happened already, so nobody's copy may go: it turns round, and ends
 * with one more configuration that has the replicas of before. Undefined: there is nothing left to call off.
 */
export function callOff(placement: PartitionPlacement): PartitionPlacement | undefined {
  const { change, replicas } = placement
  if (change === undefined) return undefined
  if (change.phase === 'learning') return { ...placement, learners: [], change: undefined }
  if (sameBrokers(change.target, replicas)) return undefined
  return { ...placement, change: { ...change, target: [...replicas] } }
}

/**
 * A leader of configuration `number` was elected: `voters` are the replicas now, `withStores` the same with their stores. Who
 * is in neither any more has no part.
 */
export function recordConfiguration(
  placement: PartitionPlacement,
  number: number,
  voters: readonly BrokerId[],
  withStores?: readonly Replica[],
): PartitionPlacement {
  invariant(number > placement.configuration, 'Configurations are recorded upwards.')
  const { change, learners } = placement
  const target = change?.target
  const { voters: _, ...rest } = placement
  // Left out and not undefined: a row does not tell the two apart.
  const stores = withStores === undefined ? {} : { voters: withStores }
  const recorded = { ...rest, ...stores, configuration: number }
  if (target !== undefined && sameBrokers(target, voters)) {
    return { ...recorded, replicas: target, learners: [], change: undefined }
  }
  const pulling = [...learners, ...without(target ?? [], learners)]
  return {
    ...recorded,
    replicas: inOrderOf(placement.replicas, voters),
    learners: change === undefined ? [] : without(pulling, voters),
  }
}

/** The same brokers stay in their order, so that the preferred leader stays the first. */
function inOrderOf(before: readonly BrokerId[], now: readonly BrokerId[]): BrokerId[] {
  return sameBrokers(before, now) ? [...before] : [...now]
}
