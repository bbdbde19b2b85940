import type { GroupId } from '../types/ids.ts'
import type { JournalItem } from './journal-writer.ts'
import type { KeyValue, Operation } from './key-value.ts'
import {
  asBuffer,
  deletedKey,
  FLOOR_KEY,
  garbageKey,
  groupRange,
  INDEX_TAG,
  groupNumberOf,
  numberOf,
  recordKey,
  tagRange,
} from './keys.ts'
import type { LogIndex } from './log-index.ts'
import { encodeDeleted, encodeFloor, readRun, type DeletedRow, type Floor } from './rows.ts'
import { isSealed } from './seal.ts'

export interface SweeperOptions {
  /** Garbage that is worth a sweep. */
  readonly garbageCountMin: number
  /** Rows or keys deleted in one batch, so that the writer never stalls. */
  readonly deleteCountMax: number
  /** Groups known to be there, and the number of the newest journal record that tells of them. */
  readonly census: () => { readonly groupCount: number; readonly lastLsn: number }
  readonly durableLsn: () => number
  /** Queues an item with the journal's writer; resolves when it is durable. */
  readonly write: (item: Pick<JournalItem, 'operations' | 'bytes' | 'needsSync'>) => Promise<void>
}

interface UnfreedGroup {
  readonly row: DeletedRow
  /** Nothing of it was found since the start. */
  isUntouched: boolean
}

/**
 * Gives space back, a little after each index batch: rows of deleted groups, and journal keys that later journal records
 * supersede (J3). Before a key goes, a floor is durable: above it no number may be missing, so that a hole is damage and
 * never a deletion (J4). The floor stays at or below what the index has in synced tables, and below the newest record.
 */
export class Sweeper {
  readonly #index: LogIndex
  readonly #options: SweeperOptions
  #floor: Floor
  /** Groups whose rows are still to be freed. At most as many as were ever deleted; each goes once its rows are gone. */
  readonly #unfreed: Map<GroupId, UnfreedGroup>

  constructor(
    index: LogIndex,
    start: { readonly floor: Floor; readonly unfreed: ReadonlyMap<GroupId, DeletedRow> },
    options: SweeperOptions,
  ) {
    this.#index = index
    this.#options = options
    this.#floor = start.floor
    this.#unfreed = new Map(Array.from(start.unfreed, ([group, row]) => [group, { row, isUntouched: true }]))
    index.newGarbageCount = options.garbageCountMin
  }

  addDeleted(group: GroupId, row: DeletedRow): void {
    this.#unfreed.set(group, { row, isUntouched: false })
  }

  /** One bounded step; called while no index batch is being written. True when another step would find work. */
  async step(base: KeyValue): Promise<boolean> {
    const isFreeing = await this.#freeGroups(base)
    const isCollecting = await this.#collect(base)
    return isFreeing || isCollecting
  }

  async #freeGroups(base: KeyValue): Promise<boolean> {
    let left = this.#options.deleteCountMax
    for (const [group, unfreed] of this.#unfreed) {
      const freedCount = await this.#freeRows(base, group, left)
      left -= freedCount
      if (freedCount > 0) unfreed.isUntouched = false
      if (left <= 0) return true
      this.#unfreed.delete(group)
      if (unfreed.isUntouched) this.#markFreed(group, unfreed.row)
    }
    return false
  }

  async #freeRows(base: KeyValue, group: GroupId, countMax: number): Promise<number> {
    const deletes: Operation[] = []
    for (const tag of [INDEX_TAG.RUN, INDEX_TAG.MARK, INDEX_TAG.MACHINE]) {
      if (deletes.length >= countMax) break
      const page = await base.scan({ ...groupRange(tag, group), countMax: countMax - deletes.length })
      for (const { key, value } of page) {
        deletes.push({ type: 'del', key })
        const run = tag === INDEX_TAG.RUN ? readRun(key, groupNumberOf(key), value) : undefined
        if (run !== undefined) this.#index.pending.addGarbage(run.lsn)
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

  async #collect(base: KeyValue): Promise<boolean> {
    const { garbageCountMin, deleteCountMax } = this.#options
    if (this.#index.newGarbageCount < garbageCountMin) return false
    const floorLsn = Math.min(this.#index.settled.lsn, this.#options.durableLsn() - 1)
    if (floorLsn < 1) return false
    const range = {
      from: tagRange(INDEX_TAG.GARBAGE, INDEX_TAG.GARBAGE).from,
      below: garbageKey(floorLsn + 1),
    }
    const page = await base.scan({ ...range, countMax: deleteCountMax })
    if (page.length === 0) {
      this.#index.newGarbageCount = 0
      return false
    }
    const keys = page.filter(({ key, value }) => isSealed(key, asBuffer(value))).map(({ key }) => key)
    await this.#raiseFloor(floorLsn)
    await this.#delete(keys.map((key) => recordKey(numberOf(key))))
    this.#index.pending.addOperations(page.map(({ key }) => ({ type: 'del', key })))
    if (page.length === deleteCountMax) return true
    this.#index.newGarbageCount = 0
    return false
  }

  async #raiseFloor(lsn: number): Promise<void> {
    if (lsn <= this.#floor.lsn) return
    const { groupCount, lastLsn } = this.#options.census()
    const floor = { lsn, groupCount, atLsn: lastLsn }
    const value = encodeFloor(FLOOR_KEY, floor)
    const operations: readonly Operation[] = [{ type: 'put', key: FLOOR_KEY, value }]
    await this.#options.write({ operations, bytes: value.length, needsSync: true })
    this.#floor = floor
  }

  async #delete(keys: readonly Uint8Array[]): Promise<void> {
    if (keys.length === 0) return
    const operations = keys.map((key): Operation => ({ type: 'del', key }))
    await this.#options.write({ operations, bytes: keys.length * 9, needsSync: false })
  }
}
