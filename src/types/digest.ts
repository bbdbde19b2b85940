import type { GroupId, Slot } from './ids.ts'

/** What a replica holds of its group: how far it is, and what stands for all that lies below. Equal places, equal replicas. */
export interface Place {
  readonly group: GroupId
  /** The slot applied last: everything up to it is known to be chosen. */
  readonly slot: Slot
  /** The chain value at that slot; it stands for every entry up to it. u32. */
  readonly chain: number
  /** The offset after that slot; 0 in a group that holds no records. */
  readonly nextOffset: number
}

/**
 * `tell`: this is where I am. `reply`: you are behind me, and this is where I am. `confirm`: I was at the place that you told, and
 * held this there.
 */
export type DigestKind = 'tell' | 'reply' | 'confirm'

/** What one broker tells another about the groups that both hold, at most `DIGEST_PLACES_MAX` at once. */
export interface Digest {
  readonly kind: DigestKind
  readonly places: readonly Place[]
}

export const DIGEST_PLACES_MAX = 64
