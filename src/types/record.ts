/** What a value is, found once when it is produced: it decides how the value is shown to readers. */
export type RecordForm = 'json' | 'text' | 'bytes' | 'tombstone'

/** A record as a producer gives it. */
export interface RecordDraft {
  readonly form: RecordForm
  readonly key: string | undefined
  /** Empty for a tombstone. */
  readonly value: Uint8Array
  readonly contentType: string | undefined
  /** The producer's own time, epoch milliseconds; only shown. */
  readonly timestampMs: number | undefined
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** A record as a reader gets it. `timestampMs` is the producer's own if there is one, else when it was appended. */
export interface StoredRecord {
  readonly offset: number
  readonly form: RecordForm
  readonly key: string | undefined
  /** A view into the stored batch: not to be changed. */
  readonly value: Uint8Array
  readonly contentType: string | undefined
  readonly timestampMs: number
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/**
 * Records of one slot, readable by everybody. Readers of the same batch get the same object while it is cached,
 * so that encodings can be kept beside it (one encoding per fan-out).
 */
export interface CommittedBatch {
  readonly baseOffset: number
  readonly recordCount: number
  readonly appendedAtMs: number
  /** Bytes of the stored batch. */
  readonly byteLength: number
  /** How its producer made sending again safe. Decoded when it is asked for. */
  readonly idempotency: Idempotency | undefined
  /** Decoded on first use. */
  readonly records: readonly StoredRecord[]
}

/** How a producer makes sending again safe (consensus 1.15). */
export type Idempotency =
  | {
      readonly kind: 'key'
      readonly key: string
      /** SHA-256 of the request, 32 bytes. */ readonly fingerprint: Uint8Array
    }
  | { readonly kind: 'producer'; readonly id: string; readonly epoch: number; readonly seq: number }
