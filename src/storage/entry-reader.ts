import type { GroupLog } from './group-log.ts'
import { decodeRecord, entryOf, linksTo, type PersistRecord } from './journal-record.ts'
import type { KeyValue } from './key-value.ts'
import { recordKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import type { Entry } from '../paxos/state.ts'
import type { GroupId, Slot } from '../types/ids.ts'
import { runEntry } from './rows.ts'
import { locate, type RunSlice, type SlotRange } from './run-reader.ts'
import { DamagedEntryError } from './storage-errors.ts'

/**
 * Reads live entries in slot order. Each body is held against its checksum, each entry against the index's chain value and
 * against the link to the entry before it; for the very first one that is the index's word alone.
 */
export async function readEntries(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  range: SlotRange,
): Promise<readonly Entry[]> {
  const slices = await locate(index, log, range)
  const keys = slices.map((slice) => recordKey(slice.run.lsn))
  const values = keys.length === 0 ? [] : await journal.getMany(keys)
  const entries: Entry[] = []
  slices.forEach((slice, at) => {
    const record = recordOf(log.group, slice, keys[at], values[at])
    for (let slot = slice.first; slot <= slice.last; slot++)
      entries.push(verifiedEntry(record, slice, slot, entries.at(-1)))
  })
  return entries
}

function recordOf(
  group: GroupId,
  slice: RunSlice,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
): PersistRecord {
  const slot = slice.first as Slot
  if (key === undefined || value === undefined) {
    throw new DamagedEntryError(group, slot, `the journal has lost number ${slice.run.lsn}`, true)
  }
  const record = decodeRecord(key, value)
  if (record === undefined)
    throw new DamagedEntryError(group, slot, `journal number ${slice.run.lsn} fails its checksum`)
  const isOurs =
    record.kind === 'persist' && record.group === group && record.entries[0]?.slot === slice.run.first
  if (!isOurs)
    throw new DamagedEntryError(group, slot, `journal number ${slice.run.lsn} holds something else`, true)
  return record
}

function verifiedEntry(
  record: PersistRecord,
  slice: RunSlice,
  slot: number,
  before: Entry | undefined,
): Entry {
  const at = slot - slice.run.first
  const stored = record.entries[at]
  const neighbour = before ?? record.entries[at - 1]
  if (stored === undefined || stored.chain !== runEntry(slice.run, slot).chain) {
    throw new DamagedEntryError(record.group, slot as Slot, 'journal and index disagree about it', true)
  }
  if (neighbour !== undefined && !linksTo(neighbour.chain, stored)) {
    throw new DamagedEntryError(record.group, slot as Slot, 'it does not follow the entry before it', true)
  }
  const entry = entryOf(record, stored)
  if (entry === undefined)
    throw new DamagedEntryError(record.group, slot as Slot, 'its body fails its checksum')
  return entry
}
