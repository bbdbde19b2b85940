import type { StoreId } from '../types/ids.ts'
import type { SeenStore } from './heartbeat.ts'

/** Stores that are remembered; beyond it the one first heard of is forgotten. */
export const STORES_MAX = 1_024
/** Of what is known, so much goes into one heartbeat; the next one goes on behind it. */
export const TOLD_MAX = 8
/** Stands for a store that was found to have forgotten: no start of it ever reaches this. */
export const CONDEMNED = Number.MAX_SAFE_INTEGER

type Sighting = Omit<SeenStore, 'storeId'>

/**
 * The highest durable journal number seen of each store. A start is held against what was seen in *other* starts of its
 * store only: its own numbers are above what it found. So the two highest sightings are kept, of two starts: whichever start
 * is asked about, one of them is the highest of all others.
 */
export class SeenStores {
  readonly #sightings = new Map<StoreId, readonly Sighting[]>()
  #told = 0
  #isChanged = false
  #isUrgent = false

  note({ storeId, bootId, walSeq }: SeenStore): void {
    const before = this.#sightings.get(storeId) ?? []
    const same = before.find((sighting) => sighting.bootId === bootId)
    if (same !== undefined && same.walSeq >= walSeq) return
    const others = before.filter((sighting) => sighting.bootId !== bootId)
    const highest = [...others, { bootId, walSeq }].sort((a, b) => b.walSeq - a.walSeq).slice(0, 2)
    if (same === undefined && !highest.some((sighting) => sighting.bootId === bootId)) return
    this.#put(storeId, highest)
  }

  /** The store was found to have forgotten. It grows again, so what was seen would not tell for long. */
  condemn(storeId: StoreId): void {
    if (this.#sightings.get(storeId)?.[0]?.walSeq === CONDEMNED) return
    this.#put(storeId, [{ bootId: '', walSeq: CONDEMNED }])
    this.#isUrgent = true
  }

  /** Of all starts of the store but this one; 0 when nothing was seen. */
  highest(storeId: StoreId, exceptBootId: string): number {
    return this.#sightings.get(storeId)?.find(({ bootId }) => bootId !== exceptBootId)?.walSeq ?? 0
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

  #put(storeId: StoreId, sightings: readonly Sighting[]): void {
    this.#sightings.set(storeId, sightings)
    this.#isChanged = true
    if (this.#sightings.size <= STORES_MAX) return
    const [oldest] = this.#sightings.keys()
    if (oldest !== undefined) this.#sightings.delete(oldest)
  }

  #all(): readonly SeenStore[] {
    return [...this.#sightings].flatMap(([storeId, sightings]) =>
      sightings.map((sighting) => ({ storeId, ...sighting })),
    )
  }
}
