import type { GroupId } from '../types/ids.ts'
import type { GroupLog, AppliedFacts } from './group-log.ts'
import type { Operation } from './key-value.ts'
import type { OffsetMark } from './log-store.ts'
import { runBytes, type DeletedRow, type PartRow, type Run } from './rows.ts'

/** About what a key and its bookkeeping weigh: bounds need no more than that. */
const ROW_BYTES = 48

/** About what an offset mark takes while it waits. */
const MARK_BYTES = 64

/** About what a journal value weighs that holds a state record alone. */
export const STATE_VALUE_BYTES = 256

/** A part of the rows of the checkpoint at `slot`. */
export interface CheckpointPart extends PartRow {
  readonly slot: number
  readonly part: number
}

/** What one group's records of one index batch change. */
export class GroupChanges {
  isHeadChanged = false
  /** Live runs, ascending; runs that a later record of the same batch drops never reach the index. */
  readonly runs: Run[] = []
  /** Rows of older batches from this slot on are dead, as far as their LSN is below `cutLsn`. */
  cutFrom = Infinity
  cutLsn = 0
  readonly droppedRuns: Run[] = []
  /** Older state records; with the first slot of the run in the same journal value, 0 for none. */
  readonly supersededStates: { readonly lsn: number; readonly runFirst: number }[] = []
  /** By slot; undefined when a repair is not valid any more. */
  readonly repairs = new Map<number, Run | undefined>()
  marks: OffsetMark[] = []
  readonly parts: CheckpointPart[] = []
  applied: AppliedFacts | undefined
  /** By the latin1 form of the machine's key; undefined deletes. */
  readonly machineRows = new Map<
    string,
    { readonly key: Uint8Array; readonly value: Uint8Array | undefined }
  >()
  /** All rows of the machine that older batches hold are dead. */
  isMachineReset = false
  deleted: DeletedRow | undefined
  readonly #layer: IndexLayer

  constructor(layer: IndexLayer) {
    this.#layer = layer
  }

  addRun(run: Run): void {
    this.runs.push(run)
    this.#layer.bytes += run.value.length + ROW_BYTES
  }

  cut(fromSlot: number, lsn: number): void {
    for (let last = this.runs.at(-1); last !== undefined && last.first >= fromSlot; last = this.runs.at(-1)) {
      this.droppedRuns.push(last)
      this.runs.pop()
    }
    this.cutFrom = Math.min(this.cutFrom, fromSlot)
    this.cutLsn = Math.max(this.cutLsn, lsn)
  }

  /** `older` wrote the same slot before. */
  addRepair(run: Run, older: Run | undefined): void {
    if (older !== undefined) this.dropRepair(older)
    this.repairs.set(run.first, run)
    this.#layer.bytes += run.value.length + ROW_BYTES
  }

  dropRepair(run: Run): void {
    this.repairs.set(run.first, undefined)
    this.#layer.addGarbage(run.lsn, runBytes(run))
  }

  supersedeState(lsn: number, runFirst: number): void {
    if (runFirst === 0) this.#layer.addGarbage(lsn, STATE_VALUE_BYTES)
    else this.supersededStates.push({ lsn, runFirst })
  }

  addMarks(marks: readonly OffsetMark[]): void {
    for (const mark of marks) this.marks.push(mark)
    this.#layer.bytes += marks.length * MARK_BYTES
  }

  addPart(part: CheckpointPart): void {
    this.parts.push(part)
    this.#layer.bytes += 28 + ROW_BYTES
  }

  /** What the machine told of itself and its records so far is of a log that is not held any more. */
  resetMachine(): void {
    this.isMachineReset = true
    this.machineRows.clear()
    this.marks = []
  }

  putMachineRow(key: Uint8Array, value: Uint8Array | undefined): void {
    this.machineRows.set(Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1'), {
      key,
      value,
    })
    this.#layer.bytes += key.length + (value?.length ?? 0) + ROW_BYTES
  }
}

/** Changes of the index that wait in memory to be written as one batch. */
export class IndexLayer {
  readonly groups = new Map<GroupId, GroupChanges>()
  /** LSNs that nothing in the index refers to any more, and about what their journal values weigh. */
  readonly garbage = new Map<number, number>()
  /** Deletes that need no reasoning: freed rows, collected garbage. */
  readonly operations: Operation[] = []
  bytes = 0

  get isEmpty(): boolean {
    return this.groups.size === 0 && this.garbage.size === 0 && this.operations.length === 0
  }

  of(log: GroupLog): GroupChanges {
    let changes = this.groups.get(log.group)
    if (changes === undefined) {
      changes = new GroupChanges(this)
      this.groups.set(log.group, changes)
      this.bytes += 4 * ROW_BYTES
    }
    return changes
  }

  addGarbage(lsn: number, valueBytes: number): void {
    this.garbage.set(lsn, Math.max(valueBytes, this.garbage.get(lsn) ?? 0))
    this.bytes += ROW_BYTES
  }

  addOperations(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.operations.push(operation)
      this.bytes += operation.key.length + ROW_BYTES
    }
  }
}
