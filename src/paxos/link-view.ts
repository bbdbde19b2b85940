import type { BrokerId, StoreId } from '../types/ids.ts'

/**
 * What the failure detector tells a group about brokers (consensus 1.9). Brokers that are not listed are unknown: dead.
 * The core never sees heartbeats.
 */
export interface LinkView {
  /** Own disk answers in time; a stalled replica neither campaigns nor keeps leading. */
  readonly selfStalled: boolean
  readonly selfDraining: boolean
  /** Own disk is nearly full: this replica goes on voting, and leads only as long as nobody else can. */
  readonly selfFull: boolean
  readonly peers: ReadonlyMap<BrokerId, PeerView>
}

export interface PeerView {
  /** Heard within the suspicion time and not refused. */
  readonly alive: boolean
  /** Differs after each start of that broker's process; empty while no heartbeat has told it. */
  readonly bootId: string
  readonly stalled: boolean
  readonly draining: boolean
  /** Its disk is nearly full. */
  readonly full: boolean
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

/** Whether a broker is heard, and neither about to stop nor short of its disk's time or room: then it may lead. */
export function isFitToLead(view: PeerView | undefined): boolean {
  return view !== undefined && view.alive && !view.stalled && !view.draining && !view.full
}

function isSameStore(a: PeerStore | undefined, b: PeerStore | undefined): boolean {
  return a?.storeId === b?.storeId && a?.isOutsider === b?.isOutsider
}

/** Whether two views say the same of the broker that has them. */
export function isSameSelf(a: Omit<LinkView, 'peers'>, b: Omit<LinkView, 'peers'>): boolean {
  return a.selfStalled === b.selfStalled && a.selfDraining === b.selfDraining && a.selfFull === b.selfFull
}

export function isSamePeer(a: PeerView, b: PeerView): boolean {
  if (a.alive !== b.alive || a.bootId !== b.bootId) return false
  if (a.stalled !== b.stalled || a.draining !== b.draining || a.full !== b.full) return false
  if (a.links.size !== b.links.size || !isSameStore(a.store, b.store)) return false
  for (const link of a.links) if (!b.links.has(link)) return false
  return true
}
