import type { Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { ENTRY_KIND, type Entry } from '../paxos/state.ts'
import { batchOf, judge, readOffered, remember } from './duplicates.ts'
import type { DuplicateView, OfferedBatch, Verdict } from './duplicates.ts'
import { decodeExpireProducers, EXPIRED_PRODUCERS_MAX } from './expire-producers.ts'
import type { KeyState } from './idempotency-keys.ts'
import type { ProducerState } from './producers.ts'
import { MalformedBatchError } from './wire.ts'

/** Entries offered and not yet applied; above the core's own bound of undecided slots. */
export const PENDING_ENTRIES_MAX = 4_096

/** The applied state that a tentative table stands on. */
export interface TentativeBase extends DuplicateView {
  readonly appliedSlot: Slot
  readonly lastAppendedAtMs: number
  isKeyRemembered(state: KeyState, atMs: number): boolean
  expireCandidatesWithout(count: number, isPending: (id: string) => boolean): readonly string[]
}

/** An entry that was offered and is not yet applied. The same object names it until then, so it can key a map. */
export interface PendingEntry {
  /** Undefined until `placed`. */
  readonly slot: Slot | undefined
}

/**
 * What the leader may do with a batch. 'append': propose it. 'overloaded': too much is pending, nothing was remembered.
 * Else the answer is known already, unless `restsOn` names a pending entry: the answer is only true once that is applied.
 * Then wait for it and offer the batch again (a retry so waits for the first copy).
 */
export type Offer =
  | { readonly kind: 'append'; readonly pending: PendingEntry }
  | { readonly kind: 'overloaded' }
  | (Exclude<Verdict, { readonly kind: 'append' }> & { readonly restsOn: PendingEntry | undefined })

class Pending implements PendingEntry {
  slot: Slot | undefined
  /** Where its records would begin; undefined when it would add none. */
  baseOffset: number | undefined
  readonly batch: OfferedBatch | undefined
  readonly expired: readonly string[]

  constructor(batch: OfferedBatch | undefined, expired: readonly string[]) {
    this.batch = batch
    this.expired = expired
  }
}

interface Overlaid<State> {
  readonly state: State
  readonly by: Pending
}

/**
 * The leader's guess of what the machine will say: the same function, run over the entries that are appended and not yet
 * applied, on top of the applied state (consensus 1.15). It rejects early; apply alone decides. What apply forgets because
 * a table is full is still recognised here, which is the truth. Built at takeover, dropped at step-down.
 */
export class TentativeTable implements DuplicateView {
  readonly #base: TentativeBase
  readonly #pending: Pending[] = []
  readonly #producers = new Map<string, Overlaid<ProducerState | undefined>>()
  readonly #keys = new Map<string, Overlaid<KeyState>>()
  #nextOffset: number
  #lastAppendedAtMs: number
  #isStale = false

  constructor(base: TentativeBase) {
    this.#base = base
    this.#nextOffset = base.nextOffset
    this.#lastAppendedAtMs = base.lastAppendedAtMs
  }

  /** The offset that the next record gets if everything pending is applied. */
  get nextOffset(): number {
    this.#refresh()
    return this.#nextOffset
  }

  /** The newest time in the log, pending entries included: the leader's next time is not before it. */
  get lastAppendedAtMs(): number {
    this.#refresh()
    return this.#lastAppendedAtMs
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  producer(id: string): ProducerState | undefined {
    const overlaid = this.#producers.get(id)
    return overlaid === undefined ? this.#base.producer(id) : overlaid.state
  }

  key(key: string, atMs: number): KeyState | undefined {
    const state = this.#keys.get(key)?.state
    if (state === undefined) return this.#base.key(key, atMs)
    return this.#base.isKeyRemembered(state, atMs) ? state : undefined
  }

  /** Judges an encoded batch that has its time already; 'append' remembers it. Throws `MalformedBatchError`. */
  offer(body: Uint8Array): Offer {
    const batch = readOffered(body)
    if (this.#pending.length >= PENDING_ENTRIES_MAX) return { kind: 'overloaded' }
    this.#refresh()
    const atMs = Math.max(this.#lastAppendedAtMs, batch.appendedAtMs)
    const verdict = judge(this, batch, atMs)
    if (verdict.kind !== 'append') return { ...verdict, restsOn: this.#restsOn(batch, verdict) }
    const pending = new Pending(batch, [])
    this.#pending.push(pending)
    this.#replay(pending)
    return { kind: 'append', pending }
  }

  /** Remembers a proposal of EXPIRE_PRODUCERS; undefined when too much is pending. */
  offerExpire(ids: readonly string[]): PendingEntry | undefined {
    invariant(
      ids.length <= EXPIRED_PRODUCERS_MAX,
      `One entry lists at most ${EXPIRED_PRODUCERS_MAX} producers.`,
    )
    if (this.#pending.length >= PENDING_ENTRIES_MAX) return undefined
    this.#refresh()
    const pending = new Pending(undefined, ids)
    this.#pending.push(pending)
    this.#replay(pending)
    return pending
  }

  /** Takes over an entry that the leader found in its log. Entries come in slot order, before any offer. */
  inherit(entry: Entry): void {
    invariant(entry.slot > this.#base.appliedSlot, 'Only entries that are not applied are pending.')
    const pending = pendingOf(entry)
    if (pending === undefined) return
    pending.slot = entry.slot
    this.#pending.push(pending)
    this.#replay(pending)
  }

  /** The core appended the entry at this slot. In the order of the offers. */
  placed(entry: PendingEntry, slot: Slot): void {
    invariant(entry instanceof Pending && entry.slot === undefined, 'A pending entry is placed once.')
    entry.slot = slot
  }

  /** The core refused the entry: nothing was appended. Batches that came after it are judged anew. */
  withdraw(entry: PendingEntry): void {
    const index = this.#pending.indexOf(entry as Pending)
    invariant(index >= 0 && entry.slot === undefined, 'Only a pending entry that has no slot is withdrawn.')
    this.#pending.splice(index, 1)
    this.#isStale = true
  }

  /** The machine has applied this slot. Returns the pending entry that stood there; call it for every applied slot. */
  settle(slot: Slot): PendingEntry | undefined {
    const first = this.#pending[0]
    if (first?.slot !== slot) {
      invariant(
        first?.slot === undefined || first.slot > slot,
        `Slot ${slot} is settled after ${first?.slot}.`,
      )
      return undefined
    }
    this.#pending.shift()
    const { batch } = first
    if (batch?.idempotency?.kind === 'producer') this.#uncover(this.#producers, batch.idempotency.id, first)
    if (batch?.idempotency?.kind === 'key') this.#uncover(this.#keys, batch.idempotency.key, first)
    for (const id of first.expired) this.#uncover(this.#producers, id, first)
    const end = first.baseOffset === undefined ? undefined : first.baseOffset + batch!.recordCount
    // Apply may have decided otherwise, when a full table had forgotten somebody: then what follows is judged anew.
    if (end !== undefined && end !== this.#base.nextOffset) this.#isStale = true
    return first
  }

  /** The `count` producers used longest ago that nothing pending concerns. */
  expireCandidates(count: number): readonly string[] {
    this.#refresh()
    return this.#base.expireCandidatesWithout(count, (id) => this.#producers.has(id))
  }

  #uncover<State>(overlay: Map<string, Overlaid<State>>, name: string, by: Pending): void {
    if (overlay.get(name)?.by === by) overlay.delete(name)
  }

  #refresh(): void {
    if (!this.#isStale) return
    this.#isStale = false
    this.#producers.clear()
    this.#keys.clear()
    this.#nextOffset = this.#base.nextOffset
    this.#lastAppendedAtMs = this.#base.lastAppendedAtMs
    for (const pending of this.#pending) this.#replay(pending)
  }

  /** What apply will do with the entry, as far as anybody can know now. */
  #replay(pending: Pending): void {
    for (const id of pending.expired) this.#producers.set(id, { state: undefined, by: pending })
    pending.baseOffset = undefined
    const { batch } = pending
    if (batch === undefined) return
    const appendedAtMs = Math.max(this.#lastAppendedAtMs, batch.appendedAtMs)
    this.#lastAppendedAtMs = appendedAtMs
    if (judge(this, batch, appendedAtMs).kind !== 'append') return
    const baseOffset = this.#nextOffset
    const changes = {
      setProducer: (id: string, state: ProducerState) => this.#producers.set(id, { state, by: pending }),
      setKey: (key: string, state: KeyState) => this.#keys.set(key, { state, by: pending }),
    }
    remember(this, changes, batch, { slot: 0, baseOffset, appendedAtMs })
    pending.baseOffset = baseOffset
    this.#nextOffset = baseOffset + batch.recordCount
  }

  #restsOn({ idempotency }: OfferedBatch, verdict: Verdict): PendingEntry | undefined {
    if (verdict.kind === 'offset-mismatch') {
      return verdict.highWatermark === this.#base.nextOffset ? undefined : this.#pending.at(-1)
    }
    if (verdict.kind === 'duplicate' && verdict.baseOffset !== undefined) {
      return this.#pending.find((pending) => pending.baseOffset === verdict.baseOffset)
    }
    if (idempotency?.kind === 'producer') return this.#producers.get(idempotency.id)?.by
    return idempotency === undefined ? undefined : this.#keys.get(idempotency.key)?.by
  }
}

/** The entry as something pending; undefined when it changes nothing. */
function pendingOf(entry: Entry): Pending | undefined {
  const batch = batchOf(entry)
  if (batch !== undefined) return new Pending(batch, [])
  if (entry.kind !== ENTRY_KIND.EXPIRE_PRODUCERS) return undefined
  try {
    return new Pending(undefined, decodeExpireProducers(entry.body))
  } catch (error) {
    if (error instanceof MalformedBatchError) return undefined
    throw error
  }
}
