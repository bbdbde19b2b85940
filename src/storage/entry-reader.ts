import type { GroupLog } from './group-log.ts'
import { decodeRecord, entryOf, linksTo, type PersistRecord } from './journal-record.ts'
import type { KeyValue } from './key-value.ts'
import { recordKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import type { DamagedEntry, Entry } from '../paxos/state.ts'
import type { GroupId, Slot } from '../types/ids.ts'
import { runEntry } from './rows.ts'
import { chainAt, locate, type RunSlice, type SlotRange } from './run-reader.ts'
import { DamagedEntryError, DamagedStoreError } from './storage-errors.ts'

/** Where the entries of one group are. */
export interface LogSource {
  readonly journal: KeyValue
  readonly index: LogIndex
  readonly log: GroupLog
}

/** A slot as it was read: the entry, or what the index knows of one that the journal does not give back. */
export type ReadSlot = Entry | DamagedEntry

export function isDamaged(read: ReadSlot): read is DamagedEntry {
  return !('body' in read)
}

/**
 * Reads live entries in slot order. Each body is held against its checksum, each entry against the index's chain value and
 * against the link to the entry before it; for the very first one that is the index's word alone. An entry is damaged when
 * its body does not hold, or when the journal has lost the record or its head: what stood there is known from the index, and
 * a state record in it that were still needed is in the index, too. Throws where the index itself cannot be believed.
 */
export async function readSlots(source: LogSource, range: SlotRange): Promise<readonly ReadSlot[]> {
  const { journal, index, log } = source
  const slices = await locate(index, log, range)
  const keys = slices.map((slice) => recordKey(slice.run.lsn))
  const values = await readValues(journal, keys)
  const read: ReadSlot[] = []
  for (const [at, slice] of slices.entries()) {
    const record = recordOf(log.group, slice, keys[at], values[at])
    for (let slot = slice.first; slot <= slice.last; slot++) {
      const before = read.at(-1)
      const entry = record === undefined ? undefined : verifiedEntry(record, slice, slot, before)
      read.push(entry ?? (await damagedEntry(source, slice, slot, before)))
    }
  }
  return read
}

/** One that LevelDB cannot give back is missing: the others do not suffer from it. */
async function readValues(
  journal: KeyValue,
  keys: readonly Uint8Array[],
): Promise<readonly (Uint8Array | undefined)[]> {
  if (keys.length === 0) return []
  try {
    return await journal.getMany(keys)
  } catch (error) {
    if (!(error instanceof DamagedStoreError)) throw error
  }
  const values: (Uint8Array | undefined)[] = []
  for (const key of keys) values.push(await readValue(journal, key))
  return values
}

/** Undefined when it is not there, or when LevelDB finds the place damaged. */
export async function readValue(journal: KeyValue, key: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await journal.get(key)
  } catch (error) {
    if (error instanceof DamagedStoreError) return undefined
    throw error
  }
}

function recordOf(
  group: GroupId,
  slice: RunSlice,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
): PersistRecord | undefined {
  const record = key === undefined || value === undefined ? undefined : decodeRecord(key, value)
  if (record === undefined) return undefined
  const isOurs =
    record.kind === 'persist' && record.group === group && record.entries[0]?.slot === slice.run.first
  if (!isOurs) {
    const reason = `journal number ${slice.run.lsn} holds something else`
    throw new DamagedEntryError(group, slice.first as Slot, reason, true)
  }
  return record
}

/** Undefined when the body does not hold. */
function verifiedEntry(
  record: PersistRecord,
  slice: RunSlice,
  slot: number,
  before: ReadSlot | undefined,
): Entry | undefined {
  const at = slot - slice.run.first
  const stored = record.entries[at]
  const neighbour = before ?? record.entries[at - 1]
  if (stored === undefined || stored.chain !== runEntry(slice.run, slot).chain) {
    throw new DamagedEntryError(record.group, slot as Slot, 'journal and index disagree about it', true)
  }
  if (neighbour !== undefined && !linksTo(neighbour.chain, stored)) {
    throw new DamagedEntryError(record.group, slot as Slot, 'it does not follow the entry before it', true)
  }
  return entryOf(record, stored)
}

async function damagedEntry(
  { index, log }: LogSource,
  { run }: RunSlice,
  slot: number,
  before: ReadSlot | undefined,
): Promise<DamagedEntry> {
  const { origin, chain } = runEntry(run, slot)
  const chainBefore = before?.chain ?? (await chainAt(index, log, slot - 1))
  return { slot: slot as Slot, origin, chain, chainBefore }
}
