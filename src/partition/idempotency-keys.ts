import { Buffer } from 'node:buffer'
import { invariant } from '../types/invariant.ts'
import type { Row } from '../storage/log-store.ts'
import { APPEND, type Decision } from './producers.ts'
import { asBuffer, readUint53, writeInt53 } from './wire.ts'

/** How long and how many keys are remembered; both are functions of the log alone. */
export interface DedupWindow {
  /** Of append time. */
  readonly dedupWindowMs: number
  readonly dedupWindowCount: number
}

/** What is known of one Idempotency-Key; never changed after it was made. */
export interface KeyState {
  /** The 32 bytes as a latin1 string: a quarter of a Buffer's memory, and compared with ===. */
  readonly fingerprint: string
  readonly checksum: number
  readonly recordCount: number
  readonly baseOffset: number
  readonly appendedAtMs: number
  readonly slot: number
}

/** What a batch claims with its key. */
export interface KeyClaim {
  readonly fingerprint: Uint8Array
  readonly recordCount: number
  readonly checksum: number
}

/**
 * Another fingerprint: the key was used for another request. The same request with other records for *this* partition:
 * the topic has more partitions than then and the keys have moved; that is not recognised as a retry (docs of the API),
 * for calling it a duplicate could lose records.
 */
export function decideKey(state: KeyState | undefined, claim: KeyClaim): Decision {
  if (state === undefined) return APPEND
  if (state.fingerprint !== fingerprintText(claim.fingerprint)) return { kind: 'key-reused' }
  if (state.checksum !== claim.checksum || state.recordCount !== claim.recordCount) return APPEND
  const { baseOffset, recordCount, appendedAtMs } = state
  return { kind: 'duplicate', baseOffset, recordCount, appendedAtMs }
}

export function fingerprintText(fingerprint: Uint8Array): string {
  return asBuffer(fingerprint).toString('latin1')
}

/** Keys that one apply forgets at most because of their age, so that a long silence does not end in a long turn. */
export const AGED_KEYS_PER_APPLY_MAX = 64

/** The idempotency keys of one group as of the slot applied last. */
export class KeyTable {
  readonly #window: DedupWindow
  /** Oldest first: keys are appended in log order, and append time never falls. */
  readonly #states = new Map<string, KeyState>()
  readonly #changed = new Set<string>()

  constructor(window: DedupWindow) {
    invariant(
      window.dedupWindowMs >= 0 && window.dedupWindowCount >= 1,
      'A dedup window is not negative and holds one key.',
    )
    this.#window = window
  }

  get size(): number {
    return this.#states.size
  }

  /** The key as seen by a batch appended at `atMs`: one beyond the window is unknown, whether it is still held or not. */
  get(key: string, atMs: number): KeyState | undefined {
    const state = this.#states.get(key)
    return state !== undefined && this.#remembers(state, atMs) ? state : undefined
  }

  #remembers(state: KeyState, atMs: number): boolean {
    return atMs - state.appendedAtMs <= this.#window.dedupWindowMs
  }

  set(key: string, state: KeyState): void {
    this.#states.delete(key)
    this.#states.set(key, state)
    this.#changed.add(key)
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= this.#window.dedupWindowCount) break
      this.#delete(oldest)
    }
  }

  /** Called with the append time of each DATA entry. */
  forgetAged(atMs: number): void {
    let left = AGED_KEYS_PER_APPLY_MAX
    for (const [key, state] of this.#states) {
      if (left-- === 0 || this.#remembers(state, atMs)) return
      this.#delete(key)
    }
  }

  #delete(key: string): void {
    this.#states.delete(key)
    this.#changed.add(key)
  }

  /** Rows of the keys that changed since the last call. */
  takeRows(): Row[] {
    const rows: Row[] = []
    for (const key of this.#changed) {
      const state = this.#states.get(key)
      rows.push({ key: rowKey(key), value: state === undefined ? undefined : encodeState(state) })
    }
    this.#changed.clear()
    return rows
  }

  /** Of all that are remembered now. */
  allRows(): Row[] {
    return Array.from(this.#states, ([key, state]) => ({ key: rowKey(key), value: encodeState(state) }))
  }

  /** Replaces everything by what the rows say. */
  restore(rows: readonly Row[]): void {
    this.#states.clear()
    this.#changed.clear()
    const found = rows.map((row) => ({
      key: asBuffer(row.key).toString('utf8', 1),
      state: decodeState(row.value),
    }))
    found.sort((a, b) => a.state.slot - b.state.slot)
    for (const { key, state } of found) this.#states.set(key, state)
  }
}

/** First byte of the keys of key rows. Stored: keep it stable. */
export const KEY_ROW = 2

function rowKey(key: string): Buffer {
  return Buffer.concat([Buffer.of(KEY_ROW), Buffer.from(key)])
}

const STATE_BYTES = 62

/** fingerprint 32 | checksum 4 | record count 2 | base offset 8 | appendedAt 8 | slot 8. */
function encodeState(state: KeyState): Buffer {
  const row = Buffer.allocUnsafe(STATE_BYTES)
  row.write(state.fingerprint, 0, 'latin1')
  let at = row.writeUInt32BE(state.checksum, 32)
  at = row.writeUInt16BE(state.recordCount, at)
  writeInt53(row, state.slot, writeInt53(row, state.appendedAtMs, writeInt53(row, state.baseOffset, at)))
  return row
}

function decodeState(value: Uint8Array | undefined): KeyState {
  invariant(value?.length === STATE_BYTES, 'A stored idempotency key is whole.')
  const row = asBuffer(value)
  return {
    fingerprint: row.toString('latin1', 0, 32),
    checksum: row.readUInt32BE(32),
    recordCount: row.readUInt16BE(36),
    baseOffset: readUint53(row, 38),
    appendedAtMs: readUint53(row, 46),
    slot: readUint53(row, 54),
  }
}
