import type { BrokerId, Replica } from '../../src/types/ids.ts'
import type { Random } from './random.ts'
import type { Swarm } from './swarm.ts'

/**
 * Whose disks are spoiled in a run. They are a minority of every configuration that there is or may be: beyond that no copy of a
 * slot would have to be left, and too few would vote to go on.
 */
export class Atlas {
  /** Disks that rot, and are repaired. */
  readonly rotten: ReadonlySet<BrokerId>
  /** The disk that forgets: it never votes again. */
  readonly forgetful: BrokerId | undefined

  constructor(rotten: ReadonlySet<BrokerId>, forgetful: BrokerId | undefined) {
    this.rotten = rotten
    this.forgetful = forgetful
  }

  isMinorityOf(voters: readonly Replica[]): boolean {
    const spoiled = voters.filter(({ broker }) => broker === this.forgetful || this.rotten.has(broker))
    return spoiled.length * 2 < voters.length
  }
}

/** Draws the brokers whose disks rot, of those that vote at the beginning. */
export function drawRotten(
  swarm: Swarm,
  ids: readonly BrokerId[],
  forgetful: BrokerId | undefined,
  random: Random,
): ReadonlySet<BrokerId> {
  if (swarm.rotAtRestMax === 0) return new Set()
  const left = ids.filter((id) => id !== forgetful)
  const countMax = Math.floor((ids.length - 1) / 2) - (forgetful === undefined ? 0 : 1)
  if (countMax < 1) return new Set()
  const count = 1 + random.integer(countMax)
  const drawn = Array.from(
    { length: count },
    () => left.splice(random.integer(left.length), 1)[0] as BrokerId,
  )
  // Where voters change small configurations are to be possible.
  return new Set(swarm.reconfigureEveryMs === Infinity ? drawn : drawn.slice(0, 1))
}
