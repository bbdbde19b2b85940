import { ENTRY_KIND, type Entry } from '../paxos/state.ts'
import { decideKey, fingerprintText, type KeyState } from './idempotency-keys.ts'
import { afterAppend, APPEND, decideProducer, type Decision, type ProducerState } from './producers.ts'
import { checkBatch, contentChecksum, type BatchHeader } from './record-batch.ts'
import { MalformedBatchError } from './wire.ts'

/** A batch with what decides about it. */
export interface OfferedBatch extends BatchHeader {
  /** `contentChecksum`; 0 when nothing makes the batch recognisable. */
  readonly checksum: number
}

/** The batch of a body; throws `MalformedBatchError` when any part of it would not decode. */
export function readOffered(body: Uint8Array): OfferedBatch {
  const header = checkBatch(body)
  const { appendedAtMs, recordCount, idempotency, expectedOffset, contentStart } = header
  const checksum = idempotency === undefined ? 0 : contentChecksum(body, header)
  return { appendedAtMs, recordCount, idempotency, expectedOffset, contentStart, checksum }
}

/** The batch of a DATA entry; undefined, on every replica alike, when it is not one of the form it claims. */
export function batchOf(entry: Entry): OfferedBatch | undefined {
  if (entry.kind !== ENTRY_KIND.DATA) return undefined
  try {
    const batch = readOffered(entry.body)
    return batch.recordCount === entry.recordCount ? batch : undefined
  } catch (error) {
    if (error instanceof MalformedBatchError) return undefined
    throw error
  }
}

/** What a decision looks at: the state as applied before the batch. */
export interface DuplicateView {
  producer(id: string): ProducerState | undefined
  /** As seen by a batch appended at `atMs`. */
  key(key: string, atMs: number): KeyState | undefined
  /** The offset that the next record gets. */
  readonly nextOffset: number
}

/** A decision, or that the batch expects another offset than it would get. */
export type Verdict = Decision | { readonly kind: 'offset-mismatch'; readonly highWatermark: number }

/** Whether the batch was stored before (consensus 1.15). Pure: the same view and batch give the same decision. */
export function decide(view: DuplicateView, batch: OfferedBatch, atMs: number): Decision {
  const { idempotency, recordCount, checksum } = batch
  if (idempotency === undefined) return APPEND
  if (idempotency.kind === 'producer') {
    const { epoch, seq } = idempotency
    return decideProducer(view.producer(idempotency.id), { epoch, seq, recordCount, checksum })
  }
  return decideKey(view.key(idempotency.key, atMs), {
    fingerprint: idempotency.fingerprint,
    recordCount,
    checksum,
  })
}

/** `decide`, then the expected offset: a retry of a conditional append that was stored is a duplicate, not a mismatch. */
export function judge(view: DuplicateView, batch: OfferedBatch, atMs: number): Verdict {
  const decision = decide(view, batch, atMs)
  if (decision.kind !== 'append' || batch.expectedOffset === undefined) return decision
  return batch.expectedOffset === view.nextOffset
    ? decision
    : { kind: 'offset-mismatch', highWatermark: view.nextOffset }
}

/** Where an appended batch stands. */
export interface AppendedPlace {
  readonly slot: number
  readonly baseOffset: number
  readonly appendedAtMs: number
}

/** Takes over what an appended batch changes. */
export interface DuplicateChanges {
  setProducer(id: string, state: ProducerState): void
  setKey(key: string, state: KeyState): void
}

/** Tells `changes` what the batch, appended at `place`, makes of its producer or key. */
export function remember(
  view: DuplicateView,
  changes: DuplicateChanges,
  batch: OfferedBatch,
  place: AppendedPlace,
): void {
  const { idempotency, recordCount, checksum } = batch
  if (idempotency === undefined) return
  if (idempotency.kind === 'producer') {
    const { id, epoch, seq } = idempotency
    changes.setProducer(id, afterAppend(view.producer(id), { epoch, seq, recordCount, checksum }, place))
    return
  }
  const fingerprint = fingerprintText(idempotency.fingerprint)
  changes.setKey(idempotency.key, { ...place, fingerprint, checksum, recordCount })
}
