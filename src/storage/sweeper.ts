import type { GroupId } from '../types/ids.ts'
import type { Collector } from './collector.ts'
import type { KeyValue, Operation } from './key-value.ts'
import { deletedKey, groupNumberOf, groupRange, INDEX_TAG } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import { encodeDeleted, readPart, readRun, runBytes, type DeletedRow } from './rows.ts'
import { freeTrimmed } from './trimmer.ts'

/** Rows that are worth a compaction of the group's ranges in the index: about a mebibyte. */
const COMPACTED_ROW_COUNT_MIN = 4_096

interface UnfreedGroup {
  readonly row: DeletedRow
  /** Rows found since the start. */
  rowCount: number
}

/** Frees what deleted groups and trimmed logs left in the index, a little after each index batch; what they left in the journal becomes garbage. */
export class Sweeper {
  readonly #index: LogIndex
  readonly #collector: Collector
  readonly #deleteCountMax: number
  /** Groups whose rows are still to be freed. At most as many as were ever deleted; each goes once its rows are gone. */
  readonly #unfreed: Map<GroupId, UnfreedGroup>

  /** `deleteCountMax`: rows deleted in one step, so that the writer never stalls. */
  constructor(
    index: LogIndex,
    collector: Collector,
    start: { readonly unfreed: ReadonlyMap<GroupId, DeletedRow>; readonly deleteCountMax: number },
  ) {
    this.#index = index
    this.#collector = collector
    this.#deleteCountMax = start.deleteCountMax
    this.#unfreed = new Map(Array.from(start.unfreed, ([group, row]) => [group, { row, rowCount: 0 }]))
  }

  addDeleted(group: GroupId, row: DeletedRow): void {
    this.#unfreed.set(group, { row, rowCount: 1 })
  }

  /** One bounded step; called after an index batch and while none is being written. */
  async step(base: KeyValue): Promise<void> {
    this.#collector.startWhenDue()
    let left = this.#deleteCountMax
    for (const [group, unfreed] of this.#unfreed) {
      const freedCount = await this.#freeRows(base, group, left)
      left -= freedCount
      unfreed.rowCount += freedCount
      if (left <= 0) return
      this.#unfreed.delete(group)
      if (unfreed.rowCount === 0) this.#markFreed(group, unfreed.row)
      if (unfreed.rowCount >= COMPACTED_ROW_COUNT_MIN) this.#collector.addFreedGroup(group)
    }
    await this.#stepTrimmed(base, left)
  }

  async #stepTrimmed(base: KeyValue, countMax: number): Promise<void> {
    let left = countMax
    const { trimmed, groups } = this.#index
    for (const group of trimmed) {
      const log = groups.get(group)
      // A look costs as much as a row, so that many groups do not make a long step.
      left--
      if (log !== undefined) left -= await freeTrimmed(base, this.#index, log, left)
      if (left <= 0) return
      trimmed.delete(group)
    }
  }

  async stop(): Promise<void> {
    await this.#collector.stop()
  }

  async #freeRows(base: KeyValue, group: GroupId, countMax: number): Promise<number> {
    const deletes: Operation[] = []
    for (const tag of [INDEX_TAG.RUN, INDEX_TAG.MARK, INDEX_TAG.MACHINE, INDEX_TAG.CHECKPOINT]) {
      if (deletes.length >= countMax) break
      const page = await base.scan({ ...groupRange(tag, group), countMax: countMax - deletes.length })
      for (const { key, value } of page) {
        deletes.push({ type: 'del', key })
        const run = tag === INDEX_TAG.RUN ? readRun(key, groupNumberOf(key), value) : undefined
        if (run !== undefined) this.#index.pending.addGarbage(run.lsn, runBytes(run))
        const part = tag === INDEX_TAG.CHECKPOINT ? readPart(key, value) : undefined
        if (part !== undefined) this.#index.pending.addGarbage(part.lsn, part.byteLength)
      }
    }
    this.#index.pending.addOperations(deletes)
    return deletes.length
  }

  /**
   * A start found no row of the group, and what a start finds no power cut takes back: later starts need not look again.
   * The deletion's own journal record stays for good (36 bytes): were it gone, a forgotten older key could raise the group.
   */
  #markFreed(group: GroupId, row: DeletedRow): void {
    const key = deletedKey(group)
    this.#index.pending.addOperations([
      { type: 'put', key, value: encodeDeleted(key, { ...row, isFreed: true }) },
    ])
  }
}
