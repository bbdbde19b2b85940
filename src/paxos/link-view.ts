import type { BrokerId, StoreId } from '../types/ids.ts'

/**
 * What the failure detector tells a group about brokers (consensus 1.9). Brokers that are not listed are unknown: dead.
 * The core never sees heartbeats.
 */
export interface LinkView {
  /** Own disk answers in time; a stalled replica neither campaigns nor keeps leading. */
  readonly selfStalled: boolean
  readonly selfDraining: boolean
  readonly peers: ReadonlyMap<BrokerId, PeerView>
}

export interface PeerView {
  /** Heard within the suspicion time and not refused. */
  readonly alive: boolean
  /** Differs after each start of that broker's process; empty while no heartbeat has told it. */
  readonly bootId: string
  readonly stalled: boolean
  readonly draining: boolean
  /** Brokers this peer has two-way links with, by its own report and ours; itself included. */
  readonly links: ReadonlySet<BrokerId>
  /** The store that it runs on, left out while no heartbeat has told it. */
  readonly store?: PeerStore | undefined
}

export interface PeerStore {
  readonly storeId: StoreId
  /** It has forgotten what it had confirmed, and votes in nothing. */
  readonly isOutsider: boolean
}

export function isSameStore(a: PeerStore | undefined, b: PeerStore | undefined): boolean {
  return a?.storeId === b?.storeId && a?.isOutsider === b?.isOutsider
}
