import type { BrokerId, StoreId } from '../types/ids.ts'

/** The part of a heartbeat by which brokers know who is alive (consensus 1.9). */
export interface Pulse {
  /** Drawn at each start of the process. */
  readonly bootId: string
  readonly sequence: number
  /** Highest sequence received from the addressee, 0 when none: proves the link works both ways. */
  readonly acknowledged: number
  /** Brokers with which the sender has a link that works both ways: it hears them, and they acknowledge it. */
  readonly heard: readonly BrokerId[]
  readonly stalled: boolean
  readonly draining: boolean
  /** The sender's disk is nearly full: it votes, and leads where nobody else can. */
  readonly full: boolean
}

/** What somebody was told of a store: in the start `bootId` its journal was durable up to `walSeq`. */
export interface SeenStore {
  readonly storeId: StoreId
  readonly bootId: string
  readonly walSeq: number
}

/** One start of a store, as it knows it itself: what that start found in the journal. */
export interface StoreStart {
  readonly bootId: string
  readonly recovered: number
}

/** The part by which brokers vouch for each other's disks (consensus 1.16): the StoreHello and StoreView of the protocol. */
export interface StoreReport {
  readonly storeId: StoreId
  /** Its newest starts in their order, the last one of which is the sender's own. */
  readonly starts: readonly StoreStart[]
  /** Highest durable journal number. An assigned one would make every power cut look like a loss. */
  readonly durableLsn: number
  /** The sender's store forgot something: it votes in nothing, and its answer does not count. */
  readonly isOutsider: boolean
  /**
   * The answer to the addressee's start `bootId`: the highest number seen of its store that its journal has lost since, 0 when
   * there is none. An empty `bootId` when the addressee has not been heard yet.
   */
  readonly view: { readonly bootId: string; readonly lost: number }
  /** What the sender knows of stores, some of it at a time, so that it outlives the sender. */
  readonly seen: readonly SeenStore[]
}

/** Sent to every peer each 100 ms, whatever the number of groups. */
export interface Heartbeat extends Pulse {
  readonly store: StoreReport
}
