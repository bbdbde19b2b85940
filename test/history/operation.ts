/**
 * What was done to a topic and what was seen of it, one operation each. A history is a list of them in the order in which
 * they ended; the order of one producer's operations, and that of one reader's, is what the checker relies on.
 */
export type Operation = ProduceOperation | SeekOperation | PollOperation | EndOperation | TrimOperation

/** What the one who called may believe: stored; stored once or never, nobody knows; not stored. */
export type Outcome = 'ok' | 'unknown' | 'failed'

export interface ProducedRecord {
  /** Unique in the history: by it a record is known wherever it is seen. */
  readonly value: string
  /** Where it was told to be stored, or was sent to. Undefined while nobody knows. */
  readonly partition?: number | undefined
  /** As the receipt says; undefined for an outcome that is not 'ok', and for a duplicate whose place is forgotten. */
  readonly offset?: number | undefined
}

/** One request as its caller sees it, with all tries in it. */
export interface ProduceOperation {
  readonly type: 'produce'
  /** Sends one operation after the other, unless it numbers them. */
  readonly producer: string
  /** How a record is recognised when it is sent again: by a key of its own, by the producer's numbers, or not at all. */
  readonly identity: 'key' | 'sequence' | 'none'
  /** On one clock for the whole history, ms: before the first try, after the last. */
  readonly startMs: number
  readonly endMs: number
  readonly outcome: Outcome
  /** One for most; several are a batch, stored together within each partition. */
  readonly records: readonly ProducedRecord[]
}

/** A reader is about to read from these offsets on; partitions that are not named begin at 0. */
export interface SeekOperation {
  readonly type: 'seek'
  readonly reader: string
  readonly next: Readonly<Record<number, number>>
}

export type SeenRecord = readonly [partition: number, offset: number, value: string]

/** One frame or page, in its order. */
export interface PollOperation {
  readonly type: 'poll'
  readonly reader: string
  readonly records: readonly SeenRecord[]
}

/** A reader has read all that there was of these partitions, after everything had healed. */
export interface EndOperation {
  readonly type: 'end'
  readonly reader: string
  readonly partitions: readonly number[]
}

/** Records of the partition below this offset may be gone, as it should be: nobody has to have seen them. */
export interface TrimOperation {
  readonly type: 'trim'
  readonly partition: number
  readonly below: number
}
