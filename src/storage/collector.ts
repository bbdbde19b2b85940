import type { GroupId } from '../types/ids.ts'
import type { JournalItem } from './journal-writer.ts'
import type { KeyValue, Operation } from './key-value.ts'
import { FLOOR_KEY, garbageKey, groupRange, INDEX_TAG, numberOf, recordKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import type { StoreTuning } from './options.ts'
import { encodeFloor, readGarbage, type Floor } from './rows.ts'

/** Keys of one window. Their numbers and the deletes of their garbage rows are in memory at once. */
const WINDOW_COUNT_MAX = 50_000
/** A new look is worth its while when garbage has grown by this share of what the last look left. */
const GROWTH_SHARE = 1 / 4
/** Groups whose rows in the index are compacted one by one; the rest is left to LevelDB. */
const FREED_GROUPS_MAX = 64
/** The disk is busy when a write has waited so long; a window waits until it is not, but at most so many times. */
const BUSY_MS = 50
const BUSY_RESTS_MAX = 20

export interface CollectorOptions {
  readonly tuning: StoreTuning
  /** Groups known to be there, and the number of the newest journal record that tells of them. */
  readonly census: () => { readonly groupCount: number; readonly lastLsn: number }
  readonly durableLsn: () => number
  /** Age of the oldest write that waits for its sync. */
  readonly oldestPendingMs: () => number
  readonly nowMs: () => number
  readonly schedule: (run: () => void, delayMs: number) => void
  /** Queues an item with the journal's writer; resolves when it is durable. */
  readonly write: (item: Pick<JournalItem, 'operations' | 'bytes' | 'needsSync'>) => Promise<void>
  /** Something waits in the index's pending layer. */
  readonly onChange: () => void
  /** A look has failed. No journal key is deleted any more in this run: what says which are garbage may be at fault. */
  readonly onStopped: (error: unknown) => void
}

interface Window {
  readonly fromLsn: number
  readonly toLsn: number
  /** Garbage, ascending. */
  readonly lsns: readonly number[]
  /** Garbage rows, readable or not. */
  readonly rowKeys: readonly Uint8Array[]
  readonly garbageBytes: number
  /** Bytes of the journal's files between the two numbers, garbage included. */
  readonly bytes: number
}

/**
 * Gives journal keys back that later journal records supersede (J3), and their disk space with them: a deleted key costs as
 * much as before until LevelDB rewrites the files that hold it. So the journal is looked at in windows, one at a time, each
 * small enough that no write waits long for it; a window is freed when enough of it is garbage, and the rows that say so go
 * last, so that a crash in between frees it again. Before a key goes, a floor is durable: above it no number may be missing,
 * so that a hole is damage and never a deletion (J4). The floor stays at or below what the index has in synced tables, and
 * below the newest record.
 */
export class Collector {
  readonly #journal: KeyValue
  readonly #index: LogIndex
  readonly #options: CollectorOptions
  #floor: Floor
  /** At a start: what the last run left, nobody has counted it. */
  #isUncounted = true
  /** What the last look found and left. */
  #left = { count: 0, bytes: 0 }
  readonly #freedGroups: GroupId[] = []
  #running: Promise<void> | undefined
  #isStopped = false
  #endRest: () => void = () => {}

  constructor(journal: KeyValue, index: LogIndex, floor: Floor, options: CollectorOptions) {
    this.#journal = journal
    this.#index = index
    this.#floor = floor
    this.#options = options
  }

  /** Looks through the garbage in the background, when there is enough of it. To be called after an index batch. */
  startWhenDue(): void {
    if (this.#running !== undefined || this.#isStopped || !this.#isDue) return
    this.#running = this.#collect()
      .catch((error: unknown) => {
        this.#isStopped = true
        this.#options.onStopped(error)
      })
      .finally(() => (this.#running = undefined))
  }

  /** The index has many deleted rows of this group, which the next index batch writes. */
  addFreedGroup(group: GroupId): void {
    if (this.#freedGroups.length < FREED_GROUPS_MAX) this.#freedGroups.push(group)
  }

  /** Ends after the window that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#endRest()
    await this.#running
  }

  get #isDue(): boolean {
    const { sweepCountMin, sweepBytesMin } = this.#options.tuning
    const { count, bytes } = this.#index.newGarbage
    return (
      this.#isUncounted ||
      this.#freedGroups.length > 0 ||
      count >= Math.max(sweepCountMin, this.#left.count * GROWTH_SHARE) ||
      bytes >= Math.max(sweepBytesMin, this.#left.bytes * GROWTH_SHARE)
    )
  }

  async #collect(): Promise<void> {
    this.#isUncounted = false
    this.#index.newGarbage = { count: 0, bytes: 0 }
    const left = { count: 0, bytes: 0 }
    const hasGarbage = (await this.#garbage(1, this.#options.durableLsn(), 1)).length > 0
    if (!hasGarbage && this.#freedGroups.length === 0) return
    await this.#index.settle()
    await this.#compactFreedGroups()
    // Values must be in tables before their deletes are written, or the deletes free nothing.
    await this.#compact(this.#journal, { from: FLOOR_KEY, below: FLOOR_KEY })
    const floorLsn = Math.min(this.#index.settled.lsn, this.#options.durableLsn() - 1)
    let fromLsn = 1
    while (!this.#isStopped) {
      const window = await this.#nextWindow(fromLsn, floorLsn)
      if (window === undefined) break
      if (window.garbageBytes >= window.bytes * this.#options.tuning.sweepShareMin)
        await this.#free(window, floorLsn)
      else {
        left.count += window.lsns.length
        left.bytes += window.garbageBytes
      }
      fromLsn = window.toLsn + 1
    }
    this.#left = left
  }

  /** The first garbage from `fromLsn` on, with all that lies near behind it. */
  async #nextWindow(fromLsn: number, floorLsn: number): Promise<Window | undefined> {
    const { sweepWindowBytes, sweepCountMax } = this.#options.tuning
    const first = (await this.#garbage(fromLsn, floorLsn, 1))[0]
    if (first === undefined) return undefined
    const start = numberOf(first.key)
    let toLsn = floorLsn
    let bytes = await this.#bytesOf(start, toLsn)
    while (bytes > sweepWindowBytes && toLsn > start) {
      toLsn = start + Math.floor((toLsn - start) / 2)
      bytes = await this.#bytesOf(start, toLsn)
    }
    const lsns: number[] = []
    const rowKeys: Uint8Array[] = []
    let garbageBytes = 0
    for (let from = start; from <= toLsn;) {
      const page = await this.#garbage(from, toLsn, sweepCountMax)
      for (const { key, value } of page) {
        rowKeys.push(key)
        const valueBytes = readGarbage(key, value)
        // A damaged row deletes nothing; its key stays until a rebuild finds that it is garbage.
        if (valueBytes === undefined) continue
        lsns.push(numberOf(key))
        garbageBytes += valueBytes
      }
      from = page.length < sweepCountMax ? toLsn + 1 : numberOf(page.at(-1)?.key ?? recordKey(toLsn)) + 1
      if (rowKeys.length >= WINDOW_COUNT_MAX) toLsn = from - 1
    }
    return { fromLsn: start, toLsn, lsns, rowKeys, garbageBytes, bytes }
  }

  async #free(window: Window, floorLsn: number): Promise<void> {
    await this.#waitForCalm()
    if (this.#isStopped) return
    await this.#raiseFloor(floorLsn)
    const { sweepCountMax } = this.#options.tuning
    for (let at = 0; at < window.lsns.length; at += sweepCountMax)
      await this.#delete(window.lsns.slice(at, at + sweepCountMax))
    await this.#compact(this.#journal, {
      from: recordKey(window.fromLsn),
      below: recordKey(window.toLsn + 1),
    })
    this.#index.pending.addOperations(window.rowKeys.map((key) => ({ type: 'del', key })))
    this.#options.onChange()
  }

  async #compactFreedGroups(): Promise<void> {
    for (const group of this.#freedGroups.splice(0)) {
      for (const tag of [INDEX_TAG.RUN, INDEX_TAG.MARK, INDEX_TAG.MACHINE]) {
        if (this.#isStopped) return
        await this.#compact(this.#index.base, groupRange(tag, group))
      }
    }
  }

  /** Rests as long as it took, so that writers have the disk half of the time at least. */
  async #compact(database: KeyValue, range: Parameters<KeyValue['compact']>[0]): Promise<void> {
    const { nowMs } = this.#options
    const startedAtMs = nowMs()
    await database.compact(range)
    const tookMs = nowMs() - startedAtMs
    if (tookMs >= 1) await this.#rest(tookMs)
  }

  async #waitForCalm(): Promise<void> {
    for (let rests = 0; rests < BUSY_RESTS_MAX && !this.#isStopped; rests++) {
      if (this.#options.oldestPendingMs() < BUSY_MS) return
      await this.#rest(BUSY_MS)
    }
  }

  async #rest(delayMs: number): Promise<void> {
    if (this.#isStopped) return
    await new Promise<void>((resolve) => {
      this.#endRest = resolve
      this.#options.schedule(resolve, delayMs)
    })
  }

  #garbage(fromLsn: number, toLsn: number, countMax: number): ReturnType<KeyValue['scan']> {
    return this.#index.base.scan({ from: garbageKey(fromLsn), below: garbageKey(toLsn + 1), countMax })
  }

  #bytesOf(fromLsn: number, toLsn: number): Promise<number> {
    return this.#journal.sizeOf({ from: recordKey(fromLsn), below: recordKey(toLsn + 1) })
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

  async #delete(lsns: readonly number[]): Promise<void> {
    if (lsns.length === 0) return
    const operations = lsns.map((lsn): Operation => ({ type: 'del', key: recordKey(lsn) }))
    await this.#options.write({ operations, bytes: operations.length * 9, needsSync: false })
  }
}
