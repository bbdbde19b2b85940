import type { Checkpoint } from '../paxos/state.ts'
import type { GroupId, Slot } from '../types/ids.ts'
import { decodeRows } from './checkpoint-rows.ts'
import type { GroupLog } from './group-log.ts'
import { decodeRecord } from './journal-record.ts'
import type { KeyValue } from './key-value.ts'
import { checkpointKey, recordKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import type { Row } from './log-store.ts'
import { readPart as readPartRow, type PartRow } from './rows.ts'
import { DamagedEntryError, DamagedStoreError } from './storage-errors.ts'

interface PartPlace {
  readonly slot: number
  readonly part: number
}

/** One part of a checkpoint's rows; undefined when the index knows none. */
export async function readPart(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  place: PartPlace,
): Promise<Uint8Array | undefined> {
  const row = await findPart(index, log.group, place)
  if (row === undefined) return undefined
  const key = recordKey(row.lsn)
  const value = await journal.get(key)
  const damaged = (reason: string, isIndexSuspect: boolean): DamagedEntryError =>
    new DamagedEntryError(log.group, place.slot as Slot, `${reason} of its checkpoint`, isIndexSuspect)
  if (value === undefined) throw damaged(`the journal has lost number ${row.lsn}`, true)
  const record = decodeRecord(key, value)
  if (record === undefined) throw damaged(`journal number ${row.lsn} fails its checksum, a part`, false)
  const isOurs =
    record.kind === 'rows' &&
    record.group === log.group &&
    record.slot === place.slot &&
    record.part === place.part
  if (!isOurs) throw damaged(`journal number ${row.lsn} holds something else than a part`, true)
  return record.bytes
}

/** The rows of a state machine as of the log's start. Throws DamagedStoreError when a part is not there (J3). */
export async function readCheckpointRows(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  { slot, partCount }: Checkpoint,
): Promise<readonly Row[]> {
  const parts: Uint8Array[] = []
  for (let part = 0; part < partCount; part++) {
    const bytes = await readPart(journal, index, log, { slot, part })
    if (bytes === undefined) throw partMissing(log.group, slot, part)
    parts.push(bytes)
  }
  return decodeRows(parts)
}

/** Every part that the state record names must be there (J3). */
export async function checkParts(index: LogIndex, log: GroupLog): Promise<void> {
  const { state } = log
  if (state === undefined) return
  for (const { slot, partCount } of [state.logStart, ...state.checkpoints]) {
    for (let part = 0; part < partCount; part++) {
      if ((await findPart(index, log.group, { slot, part })) === undefined)
        throw partMissing(log.group, slot, part)
    }
  }
}

function partMissing(group: GroupId, slot: number, part: number): DamagedStoreError {
  return new DamagedStoreError(`Group ${group} has lost part ${part} of its checkpoint at slot ${slot}.`)
}

async function findPart(index: LogIndex, group: GroupId, place: PartPlace): Promise<PartRow | undefined> {
  for (const layer of [index.pending, index.flushing]) {
    const found = layer?.groups
      .get(group)
      ?.parts.findLast(({ slot, part }) => slot === place.slot && part === place.part)
    if (found !== undefined) return found
  }
  const key = checkpointKey(group, place.slot, place.part)
  const value = await index.base.get(key)
  return value === undefined ? undefined : readPartRow(key, value)
}
