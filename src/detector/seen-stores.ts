import type { StoreId } from '../types/ids.ts'
import type { SeenStore, StoreStart } from './heartbeat.ts'

/** Stores that are remembered; beyond it the one first heard of is forgotten. */
export const STORES_MAX = 1_024
/** Of what is known, so much goes into one heartbeat; the next one goes on behind it. */
export const TOLD_MAX = 8
/** Starts of one store of which is kept how far they came, those that came furthest. */
export const SIGHTINGS_MAX = 4
/** Stands for a store that was found to have forgotten: no start of it ever reaches this. */
export const CONDEMNED = Number.MAX_SAFE_INTEGER

/**
 * The highest durable journal numbers seen of each store, by its starts. What was seen in one start is held against what every
 * *later* start of that store found: the last of them may stand on what was written since, which hides what was lost before.
 */
export class SeenStores {
  readonly #sightings = new Map<StoreId, readonly SeenStore[]>()
  /** All sightings in a row, made when they are asked for first after a change. */
  #list: readonly SeenStore[] | undefined
  #told = 0
  #isChanged = false
  #isUrgent = false

  note(seen: SeenStore): void {
    const { storeId, bootId, walSeq } = seen
    const before = this.#sightings.get(storeId) ?? []
    const same = before.find((sighting) => sighting.bootId === bootId)
    if (same !== undefined && same.walSeq >= walSeq) return
    const others = before.filter((sighting) => sighting.bootId !== bootId)
    const highest = [...others, seen].sort((a, b) => b.walSeq - a.walSeq).slice(0, SIGHTINGS_MAX)
    if (same === undefined && !highest.some((sighting) => sighting.bootId === bootId)) return
    this.#put(storeId, highest)
  }

  /** The store was found to have forgotten. It grows again, so what was seen would not tell for long. */
  condemn(storeId: StoreId): void {
    if (this.#sightings.get(storeId)?.[0]?.walSeq === CONDEMNED) return
    this.#put(storeId, [{ storeId, bootId: '', walSeq: CONDEMNED }])
    this.#isUrgent = true
  }

  /**
   * The highest number seen that the journal has lost since, by what its newest starts found; 0 when there is none. A start that
   * is not among them is older than all of them, or was never noted: either way all of them tell.
   */
  lost(storeId: StoreId, starts: readonly StoreStart[]): number {
    let lost = 0
    for (const { bootId, walSeq } of this.#sightings.get(storeId) ?? []) {
      const later = starts.slice(starts.findIndex((start) => start.bootId === bootId) + 1)
      if (later.some(({ recovered }) => recovered < walSeq)) lost = Math.max(lost, walSeq)
    }
    return lost
  }

  /** The next part of what is known of others than `storeId`. */
  some(exceptStore: StoreId): readonly SeenStore[] {
    const all = this.#all().filter((seen) => seen.storeId !== exceptStore)
    if (all.length <= TOLD_MAX) return all
    const part = Array.from({ length: TOLD_MAX }, (_, place) => all[(this.#told + place) % all.length]!)
    this.#told = (this.#told + TOLD_MAX) % all.length
    return part
  }

  get hasUrgentNews(): boolean {
    return this.#isUrgent
  }

  /** All that is known, when it has changed since the last call. */
  takeNews(): readonly SeenStore[] | undefined {
    if (!this.#isChanged) return undefined
    this.#isChanged = false
    this.#isUrgent = false
    return this.#all()
  }

  #put(storeId: StoreId, sightings: readonly SeenStore[]): void {
    this.#sightings.set(storeId, sightings)
    this.#list = undefined
    this.#isChanged = true
    if (this.#sightings.size <= STORES_MAX) return
    const [oldest] = this.#sightings.keys()
    if (oldest !== undefined) this.#sightings.delete(oldest)
  }

  #all(): readonly SeenStore[] {
    this.#list ??= [...this.#sightings.values()].flat()
    return this.#list
  }
}
