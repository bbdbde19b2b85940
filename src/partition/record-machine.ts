import { NO_SLOT, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { ENTRY_KIND, type Entry } from '../paxos/state.ts'
import { decodeTrim } from '../paxos/trim-body.ts'
import type { OffsetMark, Row } from '../storage/log-store.ts'
import {
  batchOf,
  judge,
  remember,
  type DuplicateChanges,
  type DuplicateView,
  type Verdict,
} from './duplicates.ts'
import { decodeExpireProducers } from './expire-producers.ts'
import { KEY_ROW, KeyTable, type DedupWindow, type KeyState } from './idempotency-keys.ts'
import { PRODUCER_ROW, ProducerTable, type ProducerState } from './producers.ts'
import type { AppliedPoint, StateMachine } from './state-machine.ts'
import { asBuffer, MalformedBatchError, readUint53, writeInt53 } from './wire.ts'

/** What became of an entry. 'control' covers every entry that holds no readable batch; only 'appended' added records. */
export type AppliedBatch =
  | ({ readonly kind: 'appended' } & OffsetMark)
  | Exclude<Verdict, { readonly kind: 'append' }>
  | { readonly kind: 'control' }

const CONTROL: AppliedBatch = { kind: 'control' }
const NO_ROWS: readonly Row[] = []
/** The row that holds the offset from which records are shown. Stored: keep it stable. */
const SHOWN_ROW_KEY = Buffer.of(3)

/**
 * The records of one partition: gives dense offsets at apply (consensus 1.2) and recognises duplicates there (1.15), as a
 * function of the log alone. The records themselves stay in the log.
 */
export class RecordMachine implements StateMachine<AppliedBatch>, DuplicateView {
  readonly #producers = new ProducerTable()
  readonly #keys: KeyTable
  readonly #changes: DuplicateChanges
  #appliedSlot: Slot = NO_SLOT
  #nextOffset = 0
  #lastAppendedAtMs = 0
  #shownFrom = 0
  #isShownFromChanged = false
  #mark: OffsetMark | undefined
  #hasChanges = false

  /** The window must be the same on every replica and for the whole life of the group. */
  constructor(window: DedupWindow) {
    this.#keys = new KeyTable(window)
    this.#changes = {
      setProducer: (id, state) => this.#producers.set(id, state),
      setKey: (key, state) => this.#keys.set(key, state),
    }
  }

  get appliedSlot(): Slot {
    return this.#appliedSlot
  }

  /** The high watermark: the offset after the last applied record. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Epoch milliseconds of the newest batch applied, duplicates included; never falls. */
  get lastAppendedAtMs(): number {
    return this.#lastAppendedAtMs
  }

  /** Where the records of the entry applied last begin; undefined when it added none. */
  get mark(): OffsetMark | undefined {
    return this.#mark
  }

  /** Records below this offset were trimmed by an operator and are not shown, whether they are still held or not. */
  get shownFrom(): number {
    return this.#shownFrom
  }

  get producerCount(): number {
    return this.#producers.size
  }

  get keyCount(): number {
    return this.#keys.size
  }

  producer(id: string): ProducerState | undefined {
    return this.#producers.get(id)
  }

  key(key: string, atMs: number): KeyState | undefined {
    return this.#keys.get(key, atMs)
  }

  apply(entry: Entry): AppliedBatch {
    invariant(entry.slot === this.#appliedSlot + 1, `Slot ${entry.slot} comes after ${this.#appliedSlot}.`)
    this.#appliedSlot = entry.slot
    this.#mark = undefined
    if (entry.kind === ENTRY_KIND.DATA) return this.#applyBatch(entry)
    if (entry.kind === ENTRY_KIND.EXPIRE_PRODUCERS) this.#expire(entry)
    if (entry.kind === ENTRY_KIND.TRIM) this.#hide(entry)
    return CONTROL
  }

  #applyBatch(entry: Entry): AppliedBatch {
    const batch = batchOf(entry)
    if (batch === undefined) return CONTROL
    // A leader never sets an earlier time than the last one in its log; a log that says otherwise still gives marks in order.
    const appendedAtMs = Math.max(this.#lastAppendedAtMs, batch.appendedAtMs)
    this.#lastAppendedAtMs = appendedAtMs
    if (this.#keys.size > 0) {
      this.#keys.forgetAged(appendedAtMs)
      this.#hasChanges = true
    }
    const verdict = judge(this, batch, appendedAtMs)
    if (verdict.kind !== 'append') return verdict
    const { slot } = entry
    const baseOffset = this.#nextOffset
    const { recordCount } = batch
    if (batch.idempotency !== undefined) {
      remember(this, this.#changes, batch, { slot, baseOffset, appendedAtMs })
      this.#hasChanges = true
    }
    this.#nextOffset = baseOffset + recordCount
    this.#mark = { slot, baseOffset, recordCount, appendedAtMs }
    return { kind: 'appended', slot, baseOffset, recordCount, appendedAtMs }
  }

  #expire(entry: Entry): void {
    try {
      for (const id of decodeExpireProducers(entry.body)) this.#producers.delete(id)
      this.#hasChanges = true
    } catch (error) {
      // The list is read as a whole before anything is deleted, so every replica ignores the same entries.
      if (!(error instanceof MalformedBatchError)) throw error
    }
  }

  #hide(entry: Entry): void {
    const before = Math.min(decodeTrim(entry.body)?.beforeOffset ?? 0, this.#nextOffset)
    if (before <= this.#shownFrom) return
    this.#shownFrom = before
    this.#isShownFromChanged = true
    this.#hasChanges = true
  }

  takeRows(): readonly Row[] {
    if (!this.#hasChanges) return NO_ROWS
    this.#hasChanges = false
    const rows = [...this.#producers.takeRows(), ...this.#keys.takeRows()]
    if (this.#isShownFromChanged) rows.push(this.#shownRow())
    this.#isShownFromChanged = false
    return rows
  }

  allRows(): readonly Row[] {
    const rows = [...this.#producers.allRows(), ...this.#keys.allRows()]
    if (this.#shownFrom > 0) rows.push(this.#shownRow())
    return rows.sort((a, b) => Buffer.compare(a.key, b.key))
  }

  #shownRow(): Row {
    const value = Buffer.allocUnsafe(8)
    writeInt53(value, this.#shownFrom, 0)
    return { key: SHOWN_ROW_KEY, value }
  }

  restore(rows: readonly Row[], applied: AppliedPoint): void {
    this.#producers.restore(rows.filter((row) => row.key[0] === PRODUCER_ROW))
    this.#keys.restore(rows.filter((row) => row.key[0] === KEY_ROW))
    const shown = rows.find((row) => row.key[0] === SHOWN_ROW_KEY[0])?.value
    this.#shownFrom = shown === undefined ? 0 : readUint53(asBuffer(shown), 0)
    this.#isShownFromChanged = false
    this.#appliedSlot = applied.slot
    this.#nextOffset = applied.nextOffset
    this.#lastAppendedAtMs = applied.lastAppendedAtMs
    this.#mark = undefined
    this.#hasChanges = false
  }

  /** The `count` producers that the log mentioned longest ago: what a leader may list in EXPIRE_PRODUCERS. */
  expireCandidates(count: number): readonly string[] {
    return this.#producers.leastRecent(count)
  }
}
