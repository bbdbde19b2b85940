import type { BrokerId } from '../../src/types/ids.ts'
import type { Random } from '../sim/random.ts'
import type { RotAtRest } from '../sim/rot.ts'
import type { SimulatedBroker } from './broker.ts'
import { replicasOf, whyNotConverged } from './settled.ts'
import { LOOK_EVERY_MS, PROGRESS_MAX_MS, type Passage } from './passage.ts'
import type { BrokersScene } from './scene.ts'
import type { BrokersSwarm } from './swarm.ts'

/** Passes over a disk that rotted until nothing is found any more. */
const SCRUBS_MAX = 5

/**
 * Draws the broker whose disk rots in this run: one, in runs in which every partition has three replicas or more, so that no slot
 * is damaged on a majority (the fault atlas): nobody could tell then what stood there. No run has a spoiled store besides.
 */
export function drawVictims(
  { rotEveryMs, rotAtRestMax, harm }: BrokersSwarm,
  ids: readonly BrokerId[],
  random: Random,
): ReadonlySet<BrokerId> {
  return new Set(harm === 'none' && (rotEveryMs < Infinity || rotAtRestMax > 0) ? [random.pick(ids)] : [])
}

/** What happens to a journal of a broker that does not run. */
export function rotAtRestOf({ rotAtRestMax, isRotOfRecords }: BrokersSwarm): RotAtRest | undefined {
  return rotAtRestMax === 0 ? undefined : { valuesMax: rotAtRestMax, isOfRecords: isRotOfRecords }
}

/** Searches a broker's whole disk; resolves with how much was found damaged, 0 when the broker is not ready. */
export async function scrub(broker: SimulatedBroker): Promise<number> {
  const { process } = broker
  if (process === undefined || !broker.isReady) return 0
  try {
    return (await process.store.scrub(Infinity)).damagedCount
  } catch (error) {
    if (broker.process === process) throw error
    return 0
  }
}

/** Entries that were damaged on a broker and that it has got back from others, since it started. */
export function repairedCount({ process }: SimulatedBroker): number {
  if (process === undefined) return 0
  return replicasOf(process).reduce((sum, replica) => sum + replica.repairedCount, 0)
}

/** Everything that rotted on a disk is found and mended. */
export async function searchUntilWhole(
  scene: BrokersScene,
  broker: SimulatedBroker,
  passage: Passage,
): Promise<void> {
  for (let damagedCount = 1, pass = 1; damagedCount > 0; pass++) {
    damagedCount = await passage.finish(scrub(broker))
    scene.judge.demand(
      damagedCount === 0 || pass < SCRUBS_MAX,
      'repair',
      () => `broker ${broker.id} still has ${damagedCount} damaged entries`,
    )
    // The replicas hear of it in their next turns.
    await passage.pass(LOOK_EVERY_MS)
    await passage.until(PROGRESS_MAX_MS, () => whyNotConverged(scene))
  }
}
