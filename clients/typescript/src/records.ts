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

/** A page over all partitions. */
export interface RecordPage {
  readonly records: readonly SynodRecord[]
  /** Where the next page begins. */
  readonly cursor: string
  /** There was nothing more to read. */
  readonly upToDate: boolean
}

/** The value of a record as bytes, if it is no JSON: of that, only its meaning is known here. Undefined for a tombstone, too. */
export function bytesOf({ text, base64 }: SynodRecord): Uint8Array<ArrayBuffer> | undefined {
  if (text !== undefined) return new TextEncoder().encode(text)
  if (base64 !== undefined) return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  return undefined
}

/** What `readAfter` names so that a read knows of these records, on any broker. */
export function placesOf(receipts: readonly Receipt[]): string {
  const last = new Map<number, number>()
  for (const { partition, offset = 0 } of receipts)
    last.set(partition, Math.max(offset, last.get(partition) ?? 0))
  return [...last].map(([partition, offset]) => `${partition}@${offset}`).join(',')
}
