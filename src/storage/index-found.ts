import type { GroupId } from '../types/ids.ts'
import { scanPages, type KeyValue, type Operation } from './key-value.ts'
import { BASE_NUMBER, batchKey, groupOf, INDEX_TAG, numberOf, tagOf, tagRange } from './keys.ts'
import type { Trust } from './log-index.ts'
import {
  DISTRUSTED,
  encodeBatch,
  readApplied,
  readBatch,
  readDeleted,
  readHead,
  type AppliedRow,
  type BatchRow,
  type DeletedRow,
  type Head,
} from './rows.ts'

const PAGE_COUNT = 4_096

/** What a start finds in the index, before the journal is looked at. */
export interface FoundIndex {
  readonly trusted: Trust
  /** Of all batches that left a trace, also behind a missing one. */
  readonly highestNumber: number
  readonly highestLsn: number
  /** Rows of batches, also unreadable ones: the recovery's own batch replaces them. */
  readonly batchKeys: readonly Uint8Array[]
  /** It is behind the floor: `clearIndex`, then replay every key of the journal. */
  readonly isRebuilt: boolean
  /** A row cannot be read, or a run of the broker met one: nothing in the index is to be used. */
  readonly isDamaged: boolean
  readonly heads: ReadonlyMap<GroupId, Head>
  readonly applied: ReadonlyMap<GroupId, AppliedRow>
  readonly deleted: ReadonlyMap<GroupId, DeletedRow>
}

interface Collected {
  base: BatchRow | undefined
  readonly batches: BatchRow[]
  readonly batchKeys: Uint8Array[]
  readonly heads: Map<GroupId, Head>
  readonly applied: Map<GroupId, AppliedRow>
  readonly deleted: Map<GroupId, DeletedRow>
  isDamaged: boolean
}

/**
 * Reads all that a start needs in one pass: batches, heads, applied rows and deletions lie side by side. When the index cannot
 * be brought up to date from where it is, what follows from the journal is to be rebuilt from all of it; what state machines
 * did stays, as far as it is trusted, because chosen entries do not change.
 */
export async function readIndex(base: KeyValue, floorLsn: number): Promise<FoundIndex> {
  const collected = await collect(base)
  const trust = trustOf(collected)
  const highestNumber = Math.max(trust.number, ...collected.batches.map((batch) => batch.number))
  const highestLsn = Math.max(trust.lsn, ...collected.batches.map((batch) => batch.toLsn))
  const { base: _, batches: __, ...rows } = collected
  const found = { ...rows, trusted: trust, highestNumber, highestLsn, isRebuilt: false }
  if (trust.lsn >= floorLsn) return found
  const trusted = { number: trust.number, lsn: 0 }
  return { ...found, isRebuilt: true, trusted, heads: new Map(), deleted: new Map() }
}

/**
 * Takes the trust back first, then the rows: a crash meanwhile must find an index that asks to be rebuilt. Each batch is
 * synced, because a later one that survives alone would be believed.
 */
export async function clearIndex(base: KeyValue, found: FoundIndex): Promise<void> {
  const key = batchKey(BASE_NUMBER)
  const { number } = found.trusted
  const deletes = found.batchKeys.map((batch): Operation => ({ type: 'del', key: batch }))
  const operations: Operation[] =
    number === 0
      ? [...deletes, { type: 'del', key }]
      : [...deletes, { type: 'put', key, value: encodeBatch(key, { number, fromLsn: 0, toLsn: 0 }) }]
  await base.batch(operations, { sync: true })
  for (const tag of [
    INDEX_TAG.HEAD,
    INDEX_TAG.DELETED,
    INDEX_TAG.GARBAGE,
    INDEX_TAG.RUN,
    INDEX_TAG.CHECKPOINT,
  ]) {
    for await (const page of scanPages(base, { ...tagRange(tag, tag + 1), countMax: PAGE_COUNT })) {
      await base.batch(
        page.map(({ key: row }) => ({ type: 'del', key: row })),
        { sync: true },
      )
    }
  }
}

/** As `clearIndex`, for an index of which nothing is used, not even what state machines did. */
export async function emptyIndex(base: KeyValue): Promise<void> {
  for await (const page of scanPages(base, { ...tagRange(0, 0xff), countMax: PAGE_COUNT })) {
    await base.batch(
      page.map(({ key }) => ({ type: 'del', key })),
      { sync: true },
    )
  }
}

async function collect(base: KeyValue): Promise<Collected> {
  const collected: Collected = {
    base: undefined,
    batches: [],
    batchKeys: [],
    heads: new Map(),
    applied: new Map(),
    deleted: new Map(),
    isDamaged: false,
  }
  const range = tagRange(INDEX_TAG.BATCH, INDEX_TAG.DELETED + 1)
  for await (const page of scanPages(base, { ...range, countMax: PAGE_COUNT })) {
    for (const { key, value } of page) collectRow(collected, key, value)
  }
  return collected
}

function collectRow(collected: Collected, key: Uint8Array, value: Uint8Array): void {
  if (tagOf(key) === INDEX_TAG.BATCH) {
    const row = readBatch(key, value)
    if (row === undefined) collected.isDamaged = true
    else if (numberOf(key) === BASE_NUMBER) {
      collected.base = row
      if (row.fromLsn === DISTRUSTED) collected.isDamaged = true
    } else collected.batches.push(row)
    if (row === undefined || numberOf(key) !== BASE_NUMBER) collected.batchKeys.push(key)
    return
  }
  const group = groupOf(key) as GroupId
  const isKept =
    tagOf(key) === INDEX_TAG.APPLIED
      ? keep(collected.applied, group, readApplied(key, value))
      : tagOf(key) === INDEX_TAG.HEAD
        ? keep(collected.heads, group, readHead(key, value))
        : keep(collected.deleted, group, readDeleted(key, value))
  if (!isKept) collected.isDamaged = true
}

function keep<T>(rows: Map<GroupId, T>, group: GroupId, row: T | undefined): boolean {
  if (row === undefined) return false
  rows.set(group, row)
  return true
}

/** Up to the first number that is missing: LevelDB may lose the middle of what was not synced and keep its end (J1). */
function trustOf(collected: Collected): Trust {
  let number = collected.base?.number ?? 0
  let lsn = collected.base?.toLsn ?? 0
  for (const batch of collected.batches) {
    if (batch.number <= number) continue
    if (batch.number !== number + 1 || batch.fromLsn !== lsn) break
    number = batch.number
    lsn = batch.toLsn
  }
  return { number, lsn }
}
