import type { BrokerId, StoreId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Standing } from '../paxos/standing.ts'
import type { Heartbeat, SeenStore, StoreReport, StoreStart } from './heartbeat.ts'
import { SeenStores } from './seen-stores.ts'

export interface WitnessOptions {
  readonly storeId: StoreId
  readonly bootId: string
}

/** What is known of a peer by its last heartbeat. */
export interface WitnessedPeer {
  readonly storeId: StoreId
  readonly bootId: string
  readonly starts: readonly StoreStart[]
  readonly isOutsider: boolean
}

/**
 * Sees to it that a disk which lost what it had confirmed does not vote (consensus 1.16, 'Silent loss of the newest writes').
 * Such a disk looks like one after a clean crash; but other brokers were told how far it had come. So each start is told to
 * all, with what it found, and each answers with what it saw in earlier starts. As pure as the failure detector.
 */
export class Witness {
  readonly #options: WitnessOptions
  readonly #seen = new SeenStores()
  readonly #peers = new Map<BrokerId, WitnessedPeer>()
  #starts: readonly StoreStart[] | undefined
  #standing: Standing = { isOutsider: false, answers: new Set() }
  #lost: number | undefined

  constructor(options: WitnessOptions) {
    invariant(options.bootId !== '', 'A start has an id.')
    this.#options = options
  }

  /**
   * The newest starts of this store, the last of which is this one, and what earlier ones knew of other stores. Nothing is told
   * and no answer counts before.
   */
  began(starts: readonly StoreStart[], remembered: readonly SeenStore[]): void {
    invariant(this.#starts === undefined, 'A store begins once.')
    invariant(starts.at(-1)?.bootId === this.#options.bootId, 'The last start of a store is this one.')
    for (const seen of remembered) this.#seen.note(seen)
    this.#starts = starts
  }

  /** Never changed, only replaced. */
  get standing(): Standing {
    return this.#standing
  }

  /** The journal number that somebody saw and this store does not have; undefined while nobody objects. */
  get lost(): number | undefined {
    return this.#lost
  }

  /** Of brokers that were heard in this start. */
  peer(broker: BrokerId): WitnessedPeer | undefined {
    return this.#peers.get(broker)
  }

  /** The own store is known to have forgotten. True when that is news. */
  exclude(): boolean {
    if (this.#standing.isOutsider) return false
    this.#standing = { ...this.#standing, isOutsider: true }
    return true
  }

  /** What the next heartbeat to a peer says; undefined before this store was read. */
  report(to: BrokerId, durableLsn: number): StoreReport | undefined {
    if (this.#starts === undefined) return undefined
    const peer = this.#peers.get(to)
    const view =
      peer === undefined
        ? { bootId: '', lost: 0 }
        : { bootId: peer.bootId, lost: this.#seen.lost(peer.storeId, peer.starts) }
    const { storeId } = this.#options
    const { isOutsider } = this.#standing
    return {
      storeId,
      starts: this.#starts,
      durableLsn,
      isOutsider,
      view,
      seen: this.#seen.some(storeId),
    }
  }

  /** True when the own standing changed. */
  onHeartbeat(from: BrokerId, { bootId, store }: Heartbeat): boolean {
    const { storeId, durableLsn, isOutsider, seen, starts } = store
    this.#peers.set(from, { storeId, bootId, starts, isOutsider })
    for (const each of seen) if (each.storeId !== this.#options.storeId) this.#seen.note(each)
    // Only its own word counts: a heartbeat that comes late is of an earlier start, which had indeed found less.
    if (isOutsider) this.#seen.condemn(storeId)
    else this.#seen.note({ storeId, bootId, walSeq: durableLsn })
    return this.#onView(store)
  }

  /** What is worth keeping over a restart, when it has changed since the last call. */
  takeNews(): readonly SeenStore[] | undefined {
    return this.#seen.takeNews()
  }

  /** Some store was found to have forgotten: that must not wait. */
  get hasUrgentNews(): boolean {
    return this.#seen.hasUrgentNews
  }

  /** The answer to this start: an objection, or one voice more for it. */
  #onView({ storeId, isOutsider, view }: StoreReport): boolean {
    if (this.#starts === undefined || view.bootId !== this.#options.bootId) return false
    if (view.lost > 0) {
      this.#lost = Math.max(this.#lost ?? 0, view.lost)
      return this.exclude()
    }
    const { answers } = this.#standing
    if (isOutsider || answers.has(storeId)) return false
    this.#standing = { ...this.#standing, answers: new Set([...answers, storeId]) }
    return true
  }
}
