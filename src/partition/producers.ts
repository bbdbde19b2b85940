import { Buffer } from 'node:buffer'
import { invariant } from '../types/invariant.ts'
import type { Row } from '../storage/log-store.ts'
import { asBuffer, readUint53, writeInt53 } from './wire.ts'

/** Producers remembered per group (consensus 1.15). */
export const PRODUCERS_MAX = 10_000
/** Batches remembered per producer: as many as a producer may have under way. */
export const REMEMBERED_BATCHES_MAX = 5

/** A batch that a producer has appended. Sequences count its records, both ends included. */
interface RememberedBatch {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly baseOffset: number
  readonly appendedAtMs: number
  /** `contentChecksum` of its body. */
  readonly checksum: number
}

/** What is known of one producer; never changed after it was made. */
export interface ProducerState {
  readonly epoch: number
  readonly lastSeq: number
  /** The slot of its newest batch: orders producers by use. */
  readonly lastSlot: number
  /** Oldest first, gapless, of this epoch, 1 to `REMEMBERED_BATCHES_MAX`. */
  readonly batches: readonly RememberedBatch[]
}

/** What a batch claims of its producer. */
export interface ProducerClaim {
  readonly epoch: number
  readonly seq: number
  readonly recordCount: number
  readonly checksum: number
}

/**
 * What to make of a batch. 'append': it is new. 'duplicate': it was stored before, at `baseOffset`; when that is undefined
 * its place is forgotten and `appendedAtMs` only says 'not later than'. The rest store nothing.
 */
export type Decision =
  | { readonly kind: 'append' }
  | Duplicate
  | { readonly kind: 'fenced'; readonly currentEpoch: number }
  | { readonly kind: 'out-of-order'; readonly expectedSeq: number }
  | { readonly kind: 'key-reused' }

/** A batch that was stored before. */
interface Duplicate {
  readonly kind: 'duplicate'
  readonly baseOffset: number | undefined
  readonly recordCount: number
  readonly appendedAtMs: number
}

export const APPEND: Decision = { kind: 'append' }

/**
 * Consensus 1.15. A first epoch may be any, the first sequence of an epoch is 0. A batch that lies wholly before what is
 * remembered **was** stored. One that shares sequences with a remembered batch without being equal to it is not taken for
 * a duplicate: that would lose its records without a word.
 */
export function decideProducer(state: ProducerState | undefined, claim: ProducerClaim): Decision {
  if (state === undefined || claim.epoch > state.epoch) {
    return claim.seq === 0 ? APPEND : { kind: 'out-of-order', expectedSeq: 0 }
  }
  if (claim.epoch < state.epoch) return { kind: 'fenced', currentEpoch: state.epoch }
  const expectedSeq = state.lastSeq + 1
  if (claim.seq === expectedSeq) return APPEND
  const lastSeq = claim.seq + claim.recordCount - 1
  const { recordCount } = claim
  for (const batch of state.batches) {
    if (batch.firstSeq !== claim.seq || batch.lastSeq !== lastSeq || batch.checksum !== claim.checksum)
      continue
    return { kind: 'duplicate', baseOffset: batch.baseOffset, recordCount, appendedAtMs: batch.appendedAtMs }
  }
  const oldest = state.batches[0]!
  if (lastSeq >= oldest.firstSeq) return { kind: 'out-of-order', expectedSeq }
  return { kind: 'duplicate', baseOffset: undefined, recordCount, appendedAtMs: oldest.appendedAtMs }
}

/** The state after `claim` was appended at `place`. */
export function afterAppend(
  state: ProducerState | undefined,
  claim: ProducerClaim,
  place: { readonly slot: number; readonly baseOffset: number; readonly appendedAtMs: number },
): ProducerState {
  const lastSeq = claim.seq + claim.recordCount - 1
  const { baseOffset, appendedAtMs } = place
  const batch = { firstSeq: claim.seq, lastSeq, baseOffset, appendedAtMs, checksum: claim.checksum }
  const before = state?.epoch === claim.epoch ? state.batches.slice(1 - REMEMBERED_BATCHES_MAX) : []
  return { epoch: claim.epoch, lastSeq, lastSlot: place.slot, batches: [...before, batch] }
}

/** The producers of one group as of the slot applied last. Which are forgotten is a function of the log alone. */
export class ProducerTable {
  /** Least recently used first, since every append puts its producer at the end. */
  readonly #states = new Map<string, ProducerState>()
  readonly #changed = new Set<string>()

  get size(): number {
    return this.#states.size
  }

  get(id: string): ProducerState | undefined {
    return this.#states.get(id)
  }

  /** A full table forgets whom the log mentioned longest ago; a leader that lists idle ones in time avoids that. */
  set(id: string, state: ProducerState): void {
    this.#states.delete(id)
    if (this.#states.size >= PRODUCERS_MAX) this.delete(this.leastRecent(1)[0]!)
    this.#states.set(id, state)
    this.#changed.add(id)
  }

  delete(id: string): void {
    if (this.#states.delete(id)) this.#changed.add(id)
  }

  /** The `count` producers that were used longest ago by slot. */
  leastRecent(count: number): readonly string[] {
    const ids: string[] = []
    for (const id of this.#states.keys()) {
      if (ids.length >= count) break
      ids.push(id)
    }
    return ids
  }

  /** Rows of the producers that changed since the last call. */
  takeRows(): Row[] {
    const rows: Row[] = []
    for (const id of this.#changed) {
      const state = this.#states.get(id)
      rows.push({ key: rowKey(id), value: state === undefined ? undefined : encodeState(state) })
    }
    this.#changed.clear()
    return rows
  }

  /** Of all that are remembered now. */
  allRows(): Row[] {
    return Array.from(this.#states, ([id, state]) => ({ key: rowKey(id), value: encodeState(state) }))
  }

  /** Replaces everything by what the rows say. */
  restore(rows: readonly Row[]): void {
    this.#states.clear()
    this.#changed.clear()
    const found = rows.map((row) => ({
      id: asBuffer(row.key).toString('utf8', 1),
      state: decodeState(row.value),
    }))
    found.sort((a, b) => a.state.lastSlot - b.state.lastSlot)
    for (const { id, state } of found) this.#states.set(id, state)
    invariant(this.#states.size <= PRODUCERS_MAX, 'The stored producer table is within its bound.')
  }
}

/** First byte of the keys of producer rows. Stored: keep it stable. */
export const PRODUCER_ROW = 1

function rowKey(id: string): Buffer {
  return Buffer.concat([Buffer.of(PRODUCER_ROW), Buffer.from(id)])
}

const STATE_BYTES = 17
const REMEMBERED_BYTES = 36

/** epoch 8 | last slot 8 | batch count 1 | each: first seq 8, last seq 8, base offset 8, appendedAt 8, checksum 4. */
function encodeState(state: ProducerState): Buffer {
  const row = Buffer.allocUnsafe(STATE_BYTES + REMEMBERED_BYTES * state.batches.length)
  let at = writeInt53(row, state.lastSlot, writeInt53(row, state.epoch, 0))
  at = row.writeUInt8(state.batches.length, at)
  for (const batch of state.batches) {
    at = writeInt53(row, batch.lastSeq, writeInt53(row, batch.firstSeq, at))
    at = writeInt53(row, batch.appendedAtMs, writeInt53(row, batch.baseOffset, at))
    at = row.writeUInt32BE(batch.checksum, at)
  }
  return row
}

function decodeState(value: Uint8Array | undefined): ProducerState {
  invariant(value !== undefined && value.length >= STATE_BYTES, 'A stored producer has a state.')
  const row = asBuffer(value)
  const count = row[16]!
  const isWhole =
    count >= 1 && count <= REMEMBERED_BATCHES_MAX && row.length === STATE_BYTES + REMEMBERED_BYTES * count
  invariant(isWhole, 'A stored producer state is whole.')
  const batches: RememberedBatch[] = []
  for (let at = STATE_BYTES; at < row.length; at += REMEMBERED_BYTES) {
    batches.push({
      firstSeq: readUint53(row, at),
      lastSeq: readUint53(row, at + 8),
      baseOffset: readUint53(row, at + 16),
      appendedAtMs: readUint53(row, at + 24),
      checksum: row.readUInt32BE(at + 32),
    })
  }
  return {
    epoch: readUint53(row, 0),
    lastSlot: readUint53(row, 8),
    lastSeq: batches.at(-1)!.lastSeq,
    batches,
  }
}
