import type { Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { sameBallot } from './ballot.ts'
import { chainOf } from './entry.ts'
import type { Checksum, DamagedEntry, Entry } from './state.ts'

/**
 * Damaged slots at or below commit that a replica keeps in mind; more are met again by the next read or pass of the scrub.
 * Those above commit are never forgotten: what a replica may say of its log depends on them.
 */
export const DAMAGED_CHOSEN_MAX = 4_096

/** The damaged slots of one log, lowest first. */
export class Damage {
  #entries: DamagedEntry[] = []

  get count(): number {
    return this.#entries.length
  }

  get first(): DamagedEntry | undefined {
    return this.#entries[0]
  }

  at(slot: number): DamagedEntry | undefined {
    const entry = this.#entries[this.#placeAfter(slot - 1)]
    return entry?.slot === slot ? entry : undefined
  }

  firstAbove(slot: number): DamagedEntry | undefined {
    return this.#entries[this.#placeAfter(slot)]
  }

  /** The lowest ones, at most `countMax`. */
  lowest(countMax: number): readonly DamagedEntry[] {
    return this.#entries.slice(0, countMax)
  }

  add(entry: DamagedEntry): void {
    invariant(this.at(entry.slot) === undefined, 'A slot is marked as damaged once.')
    this.#entries.splice(this.#placeAfter(entry.slot), 0, entry)
  }

  remove(slot: Slot): void {
    const place = this.#placeAfter(slot - 1)
    invariant(this.#entries[place]?.slot === slot, 'A slot that is mended was damaged.')
    this.#entries.splice(place, 1)
  }

  /** The slots above `to` are not in the log any more. */
  dropAbove(to: number): void {
    this.#entries.length = this.#placeAfter(to)
  }

  /** The slots below `slot` are trimmed. */
  dropBelow(slot: number): void {
    this.#entries.splice(0, this.#placeAfter(slot - 1))
  }

  /** The place of the first entry whose slot is higher. */
  #placeAfter(slot: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.slot ?? Infinity) > slot) high = middle
      else low = middle + 1
    }
    return low
  }
}

/**
 * Whether `entry` is what stood there before the damage, chosen or not: the same place, origin and chain value, and the
 * chain value follows from what it holds (consensus 1.16).
 */
export function isCopyOf(damaged: DamagedEntry, entry: Entry, checksum: Checksum): boolean {
  return (
    entry.slot === damaged.slot &&
    entry.chain === damaged.chain &&
    sameBallot(entry.origin, damaged.origin) &&
    checksum(entry.body, 0) === entry.crc &&
    chainOf(damaged.chainBefore, entry, checksum) === entry.chain
  )
}
