import { invariant } from '../../src/types/invariant.ts'

/** A disk that gave less back than was written to it. */
export interface Wound {
  readonly broker: number
  /** The store that was on it. */
  readonly storeId: string | undefined
  readonly sinceMs: number
}

/** A disk that holds again all that it should. */
export interface Cure {
  readonly broker: number
  readonly healedMs: number
  /** The broker was given the votes of its old store with an empty one. */
  readonly isReplaced: boolean
}

/**
 * Which disks have lost something and do not hold all of it again. They are never more than a minority of a partition's
 * replicas: beyond that nothing is promised.
 */
export class DamageAtlas {
  readonly #cures: Cure[] = []
  readonly #woundsMax: number
  readonly #wounds = new Map<number, Wound>()
  readonly #everWounded = new Set<number>()

  constructor(replicas: number) {
    this.#woundsMax = Math.floor((replicas - 1) / 2)
    invariant(this.#woundsMax > 0, `Of ${replicas} replicas no disk may be damaged.`)
  }

  /** The broker whose disk may be damaged now: this one, or else one that is damaged anyway. */
  victim(wanted: number): number {
    const [already] = this.#wounds.keys()
    if (this.#wounds.has(wanted) || this.#wounds.size < this.#woundsMax || already === undefined)
      return wanted
    return already
  }

  /** `storeId`: of the store that is there before. */
  wound(broker: number, storeId: string | undefined): void {
    invariant(this.victim(broker) === broker, `Broker ${broker} would be one damaged too many.`)
    this.#everWounded.add(broker)
    const before = this.#wounds.get(broker)
    const sinceMs = before?.sinceMs ?? performance.now()
    this.#wounds.set(broker, { broker, storeId: before === undefined ? storeId : before.storeId, sinceMs })
  }

  /** `storeId`: of the store that is there now. Undefined if the disk was damaged again since. */
  cure(wound: Wound, storeId: string): Cure | undefined {
    if (this.#wounds.get(wound.broker) !== wound) return undefined
    this.#wounds.delete(wound.broker)
    const healedMs = performance.now() - wound.sinceMs
    const cure = { broker: wound.broker, healedMs, isReplaced: storeId !== wound.storeId }
    this.#cures.push(cure)
    return cure
  }

  get cures(): readonly Cure[] {
    return this.#cures
  }

  get wounds(): readonly Wound[] {
    return [...this.#wounds.values()]
  }

  /** Damage may be found late, so these may end themselves long after they were cured. */
  get everWounded(): readonly number[] {
    return [...this.#everWounded]
  }
}
