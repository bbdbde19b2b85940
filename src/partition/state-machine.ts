import type { Slot } from '../types/ids.ts'
import type { Entry } from '../paxos/state.ts'
import type { Row } from '../storage/log-store.ts'

/** Machines above this folder see a log only through it. */
export type { Entry } from '../paxos/state.ts'
export { ENTRY_KIND } from '../paxos/state.ts'
export type { Row } from '../storage/log-store.ts'

/** Where a machine stands: the slot applied last (0: none) and the numbers that are kept beside its rows. */
export interface AppliedPoint {
  readonly slot: Slot
  /** Offset of the next record; 0 for machines that hold no records. */
  readonly nextOffset: number
  /** Epoch milliseconds of the newest batch, 0 when there is none. */
  readonly lastAppendedAtMs: number
}

/** Deterministic: the same entries in the same order give the same state on every replica. No clock, no randomness. */
export interface StateMachine<Result> {
  /**
   * Entries come in slot order, each once; NOOP and other control entries too (they usually change nothing).
   * Never throws because of what a body says: a body that cannot be read changes nothing, on every replica alike.
   */
  apply(entry: Entry): Result
  /** Rows changed since the last call, for the index; the machine forgets which. */
  takeRows(): readonly Row[]
  /**
   * All rows as of now, in key order: equal on every replica that has applied as much. For checkpoints; the log of a machine
   * without it is never trimmed.
   */
  allRows?(): readonly Row[]
  /** Rows as stored, in key order; they replace everything. */
  restore(rows: readonly Row[], applied: AppliedPoint): void
}
