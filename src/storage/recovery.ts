import type { GroupId, Slot } from '../types/ids.ts'
import { followsLog, groupLogOf, indexedPersist, indexedRows } from './group-log.ts'
import { decodeRecord, entryOf, linksTo, type JournalRecord, type PersistRecord } from './journal-record.ts'
import { scanPages, type KeyValue } from './key-value.ts'
import { FLOOR_KEY, INDEX_TAG, JOURNAL_TAG, numberOf, recordKey, tagRange } from './keys.ts'
import type { RecoveredGroup } from './log-store.ts'
import type { LogIndex } from './log-index.ts'
import { checkMachineRows } from './machine-rows.ts'
import { clearIndex, readIndex, type FoundIndex } from './index-found.ts'
import { REPLAY_FLUSH_BYTES, restoreApplied } from './restore-applied.ts'
import { readFloor, type DeletedRow, type Floor } from './rows.ts'
import { recoverGroup } from './recovered-group.ts'
import { DamagedIndexError, DamagedStoreError, indexDamageOf } from './storage-errors.ts'

const PAGE_COUNT = 1_024
const PAGE_BYTES = 8 * 1024 * 1024
/** Entries of a group that a replay notes as damaged. Others are found when they are read, or by the scrub. */
const SUSPECTS_MAX = 1_000

export interface Recovered {
  readonly groups: readonly RecoveredGroup[]
  /** Highest journal number found; everything found is durable. */
  readonly lastLsn: number
  /** The highest one of a record that is more than a start; a start alone is no progress. */
  readonly factLsn: number
  readonly floor: Floor
  /** Groups whose deletion is on record. */
  readonly deleted: ReadonlyMap<GroupId, DeletedRow>
}

/**
 * Recovers, once more from an empty index when this one is damaged: `setIndexAside` has to empty it. What an index that
 * can still be read says of the journal's end is held against the journal first (J2).
 */
export async function recoverStore(
  journal: KeyValue,
  index: LogIndex,
  setIndexAside: (reason: string) => Promise<void>,
): Promise<Recovered> {
  try {
    return await recoverOnce(journal, index)
  } catch (error) {
    const damage = indexDamageOf(error)
    if (damage === undefined) throw error
    await setIndexAside(damage)
  }
  try {
    index.startOver()
    return await recoverOnce(journal, index)
  } catch (error) {
    const damage = indexDamageOf(error)
    throw damage === undefined ? error : new DamagedStoreError(damage, { cause: error })
  }
}

/**
 * Brings the index to the end of the journal, or says why that cannot be done without guessing. The index is believed up to
 * the first batch number that is missing (J1); from there the journal is replayed, or from its beginning when the index is
 * behind the floor. Intermediate batches give no trust, so a crash meanwhile starts the same recovery again.
 */
async function recoverOnce(journal: KeyValue, index: LogIndex): Promise<Recovered> {
  const floor = await findFloor(journal)
  const lastLsn = await findLastLsn(journal)
  if (floor.lsn > 0 && lastLsn <= floor.lsn) {
    throw new DamagedStoreError(`The journal ends at number ${lastLsn}, at or below its floor ${floor.lsn}.`)
  }
  if (lastLsn < floor.atLsn) {
    throw new DamagedStoreError(
      `The journal ends at number ${lastLsn}, but it had ${floor.atLsn} when its floor was written.`,
    )
  }
  const found = await readIndex(index.base, floor.lsn)
  if (found.highestLsn > lastLsn) {
    throw new DamagedStoreError(
      `The journal ends at number ${lastLsn}, but the index has seen ${found.highestLsn}.`,
    )
  }
  if (found.isDamaged) throw new DamagedIndexError('A row of the index cannot be read.')
  if (found.isRebuilt) await clearIndex(index.base, found)
  index.resume({ number: found.highestNumber, trusted: found.trusted })
  for (const [group, head] of found.heads) {
    const log = groupLogOf(group, head)
    log.isAhead = head.lastLsn > found.trusted.lsn
    log.repaired = found.repaired.get(group)
    index.groups.set(group, log)
    // A stop may have come before all below the log's start was freed.
    if (head.state.logStart.slot > 1) index.trimmed.add(group)
  }
  const replay = new Replay(index, floor, found)
  await replay.run(journal, lastLsn)
  await restoreApplied(journal, index, found, replay.deleted)
  const isUpToDate = found.batchKeys.length === 0 && !found.isRebuilt && index.pending.isEmpty
  if (!isUpToDate) await index.flushRecovered(found.batchKeys)
  checkGroupCount(index, floor, { deleted: replay.deleted, isRebuilt: found.isRebuilt })
  await checkStrays(index.base)
  await checkMachineRows(index.base, index.groups)
  const groups: RecoveredGroup[] = []
  for (const log of index.groups.values()) {
    log.isAhead = false
    const suspects = replay.suspects.get(log.group) ?? []
    groups.push(await recoverGroup({ journal, index, log }, { isRebuilt: found.isRebuilt, suspects }))
  }
  const factLsn = Math.max(await findFactLsn(journal), lastSeenOf(index, replay.deleted))
  return { groups, lastLsn, factLsn, floor, deleted: replay.deleted }
}

/** A record that the index has seen is not forgotten when the journal has lost it: its entries are damaged, no more. */
function lastSeenOf(index: LogIndex, deleted: ReadonlyMap<GroupId, DeletedRow>): number {
  let last = 0
  for (const { lastLsn } of index.groups.values()) last = Math.max(last, lastLsn)
  for (const { lsn } of deleted.values()) last = Math.max(last, lsn)
  return last
}

async function findFloor(journal: KeyValue): Promise<Floor> {
  const value = await journal.get(FLOOR_KEY)
  if (value === undefined) return { lsn: 0, groupCount: 0, atLsn: 0 }
  const floor = readFloor(FLOOR_KEY, value)
  if (floor === undefined) throw new DamagedStoreError('The floor of the journal is damaged.')
  return floor
}

/** 0 for an empty journal. The newest key is never deleted (sweeper.ts). */
async function findLastLsn(journal: KeyValue): Promise<number> {
  const range = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)
  const [newest] = await journal.scan({ ...range, reverse: true, countMax: 1 })
  return newest === undefined ? 0 : numberOf(newest.key)
}

/** Starts that nothing followed say nothing: a store that is started again and again must not seem to go on. */
async function findFactLsn(journal: KeyValue): Promise<number> {
  const { from } = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)
  let { below } = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)
  for (;;) {
    const [newest] = await journal.scan({ from, below, reverse: true, countMax: 1 })
    if (newest === undefined) return 0
    if (decodeRecord(newest.key, newest.value)?.kind !== 'start') return numberOf(newest.key)
    below = newest.key
  }
}

/** Reads the journal from what the index is trusted for and tells the index of every record. */
class Replay {
  readonly deleted: Map<GroupId, DeletedRow>
  /** Slots of entries that were read and whose bodies do not hold; later records may have replaced them. */
  readonly suspects = new Map<GroupId, Slot[]>()
  readonly #index: LogIndex
  readonly #floor: Floor
  readonly #found: FoundIndex
  #lastLsn = 0

  constructor(index: LogIndex, floor: Floor, found: FoundIndex) {
    this.#index = index
    this.#floor = floor
    this.#found = found
    this.deleted = new Map(found.deleted)
  }

  /** Up to the newest key, which a search from the end found: a key that rotted in its table is found from one side alone. */
  async run(journal: KeyValue, lastLsn: number): Promise<void> {
    const from = recordKey(this.#found.trusted.lsn + 1)
    const { below } = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)
    for await (const page of scanPages(journal, {
      from,
      below,
      countMax: PAGE_COUNT,
      bytesMax: PAGE_BYTES,
    })) {
      for (const { key, value } of page) this.#take(numberOf(key), key, value)
      if (this.#index.pending.bytes > REPLAY_FLUSH_BYTES) await this.#index.flushUntrusted()
    }
    const reached = Math.max(this.#lastLsn, this.#found.trusted.lsn)
    if (reached < lastLsn) {
      throw new DamagedStoreError(
        `The journal's newest number is ${lastLsn}, but none is found above ${reached}.`,
      )
    }
  }

  #take(lsn: number, key: Uint8Array, value: Uint8Array): void {
    const missing = Math.max(this.#lastLsn, this.#found.trusted.lsn, this.#floor.lsn) + 1
    if (lsn > missing) {
      throw new DamagedStoreError(`The journal has lost number ${missing}, though it goes on to ${lsn}.`)
    }
    this.#lastLsn = lsn
    const record = decodeRecord(key, value)
    // Nothing is known of it: it may have been a promise.
    if (record === undefined) throw new DamagedStoreError(`Journal number ${lsn} fails its checksum.`)
    this.#apply(lsn, record, value.length)
  }

  #noteSuspects(record: PersistRecord): void {
    for (const stored of record.entries) {
      if (entryOf(record, stored) !== undefined) continue
      let suspects = this.suspects.get(record.group)
      if (suspects === undefined) this.suspects.set(record.group, (suspects = []))
      if (suspects.length < SUSPECTS_MAX) suspects.push(stored.slot)
    }
  }

  #apply(lsn: number, record: JournalRecord, valueBytes: number): void {
    if (record.kind === 'start') return this.#index.recordStart(lsn)
    if (record.kind === 'deletion') {
      const { group, born, minConfiguration } = record
      const deleted = { lsn, born, isFreed: false, minConfiguration }
      this.deleted.set(group, deleted)
      this.#index.recordDeletion(group, deleted)
      return
    }
    if (this.deleted.has(record.group)) {
      this.#index.recordDead(lsn, valueBytes)
      return
    }
    const isKnown = this.#index.groups.has(record.group)
    if (!this.#found.isRebuilt && !isKnown && record.born <= this.#found.trusted.lsn) {
      throw new DamagedIndexError(`The index has no head of group ${record.group}, which is older.`)
    }
    if (record.kind === 'rows') {
      this.#index.recordPersist(record.group, record.born, indexedRows(lsn, record))
      return
    }
    this.#checkFollows(lsn, record)
    this.#noteSuspects(record)
    const persist = indexedPersist(lsn, record.group, record)
    this.#index.recordPersist(record.group, record.born, persist)
  }

  /** Only where no record can be missing: behind a log whose end is known, above the floor. */
  #checkFollows(lsn: number, record: PersistRecord): void {
    const log = this.#index.groups.get(record.group)
    if (this.#found.isRebuilt || log === undefined || log.isAhead) return
    if (!followsLog(log, record)) {
      throw new DamagedStoreError(
        `Journal number ${lsn} leaves a hole behind slot ${log.through} of group ${log.group}.`,
      )
    }
    const first = record.entries[0]
    const isNext = first !== undefined && first.slot === log.through + 1 && record.state === undefined
    if (isNext && log.chain !== undefined && !linksTo(log.chain, first)) {
      throw new DamagedStoreError(
        `Slot ${first.slot} of group ${log.group} does not follow the slot before it.`,
      )
    }
  }
}

/** How many groups of those that the floor counted must be there: an index that lost a head has forgotten its promise. */
function checkGroupCount(
  index: LogIndex,
  floor: Floor,
  { deleted, isRebuilt }: { readonly deleted: ReadonlyMap<GroupId, DeletedRow>; readonly isRebuilt: boolean },
): void {
  let count = 0
  for (const { lsn, born } of deleted.values())
    if (lsn > floor.atLsn && born !== 0 && born <= floor.atLsn) count++
  for (const log of index.groups.values()) if (log.born <= floor.atLsn) count++
  if (count === floor.groupCount) return
  const sentence = `has ${count} groups of the ${floor.groupCount} that it must have.`
  if (isRebuilt) throw new DamagedStoreError(`The journal ${sentence}`)
  throw new DamagedIndexError(`The index ${sentence}`)
}

/** A key that no row of this store begins with was another one once, and that one is missing. */
async function checkStrays(index: KeyValue): Promise<void> {
  for (const [first, below] of [
    [0, INDEX_TAG.BATCH],
    [INDEX_TAG.RUN + 1, INDEX_TAG.MACHINE],
    [INDEX_TAG.MARK + 1, 0xff],
  ] as const) {
    const strays = await index.scan({ ...tagRange(first, below), countMax: 1 })
    if (strays.length > 0) throw new DamagedIndexError('The index has a row of no known kind.')
  }
}
