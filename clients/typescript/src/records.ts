/** A record as a reader gets it. A tombstone has none of `value`, `text` and `base64`. */
export interface SynodRecord {
  readonly topic: string
  readonly partition: number
  /** Dense within the partition, from 0. */
  readonly offset: number
  /** RFC 3339. */
  readonly timestamp: string
  readonly key?: string
  readonly value?: unknown
  readonly text?: string
  readonly base64?: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A record to produce: at most one of `value`, `text` and `base64`; with none of them it is a tombstone. */
export interface RecordInput {
  readonly key?: string
  /** Any JSON. */
  readonly value?: unknown
  readonly text?: string
  readonly base64?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly partition?: number
  /** RFC 3339; only shown. */
  readonly timestamp?: string
}

/** Where a record is stored. It is on the disks of a majority. */
export interface Receipt {
  readonly topic: string
  readonly partition: number
  /** Not there for a duplicate so old that its place is no longer remembered. */
  readonly offset?: number
  readonly timestamp: string
  readonly duplicate: boolean
}
