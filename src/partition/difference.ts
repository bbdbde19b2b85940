import type { Place } from '../types/digest.ts'
import type { BrokerId, GroupId, Slot } from '../types/ids.ts'

/** Two replicas of one group that hold different things at one slot, which both know to be chosen. */
export interface Difference {
  readonly group: GroupId
  readonly slot: Slot
  /** The offset is known only where the replica stands now. */
  readonly own: { readonly chain: number; readonly nextOffset: number | undefined }
  readonly theirs: Place
  readonly broker: BrokerId
}

/** Whether two places at one slot of one group are the same. */
export function isSamePlace(a: Place, b: Place): boolean {
  return a.chain === b.chain && a.nextOffset === b.nextOffset
}

/** One sentence for the log: where, and what each of the two holds. */
export function describeDifference({ group, slot, own, theirs, broker }: Difference): string {
  const rule = own.chain === theirs.chain ? 'I7' : 'I4'
  return `${rule}: group ${group} at slot ${slot} is ${describePlace(own)} here and ${describePlace(theirs)} at broker ${broker}.`
}

function describePlace({ chain, nextOffset }: Difference['own']): string {
  const end = nextOffset === undefined ? '' : ` up to offset ${nextOffset}`
  return `chain ${chain.toString(16).padStart(8, '0')}${end}`
}
