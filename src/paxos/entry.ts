import type { Slot } from '../types/ids.ts'
import { compareBallots, type Ballot } from './ballot.ts'
import type { Checksum, Entry, EntryKind } from './state.ts'

/** The chain value before slot 1. */
export const FIRST_CHAIN = 0

/** What the chain covers besides the chain before it. */
export interface ChainedFacts {
  readonly slot: Slot
  readonly origin: Ballot
  readonly kind: EntryKind
  readonly recordCount: number
  readonly crc: number
}

const scratch = new Uint8Array(31)
const view = new DataView(scratch.buffer)

/** crc32 over (chain before, slot, origin, kind, recordCount, crc of the body), big-endian, 31 bytes (consensus 1.2). */
export function chainOf(chainBefore: number, facts: ChainedFacts, checksum: Checksum): number {
  view.setUint32(0, chainBefore)
  view.setUint32(4, Math.floor(facts.slot / 2 ** 32))
  view.setUint32(8, facts.slot >>> 0)
  view.setUint32(12, facts.origin.config)
  view.setUint32(16, facts.origin.round)
  view.setUint16(20, facts.origin.broker)
  view.setUint8(22, facts.kind)
  view.setUint32(23, facts.recordCount)
  view.setUint32(27, facts.crc)
  return checksum(scratch, 0)
}

export function chainEntry(
  chainBefore: number,
  facts: ChainedFacts,
  body: Uint8Array,
  checksum: Checksum,
): Entry {
  const { slot, origin, kind, recordCount, crc } = facts
  return { slot, origin, kind, recordCount, crc, body, chain: chainOf(chainBefore, facts, checksum) }
}

/** Whether `entry` may stand behind `before`: its chain value covers it, and its origin is not lower (I8). */
export function continues(before: Entry, entry: Entry, checksum: Checksum): boolean {
  return (
    entry.slot === before.slot + 1 &&
    compareBallots(before.origin, entry.origin) <= 0 &&
    chainOf(before.chain, entry, checksum) === entry.chain
  )
}
