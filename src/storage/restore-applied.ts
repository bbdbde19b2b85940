import type { Checkpoint } from '../paxos/state.ts'
import type { GroupId, Slot } from '../types/ids.ts'
import type { GroupLog } from './group-log.ts'
import type { FoundIndex } from './index-found.ts'
import { scanPages, type KeyValue } from './key-value.ts'
import { appliedKey, groupRange, INDEX_TAG, markKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import { readCheckpointRows } from './part-reader.ts'
import type { AppliedRow, DeletedRow } from './rows.ts'
import { DamagedIndexError, DamagedStoreError } from './storage-errors.ts'

const PAGE_COUNT = 1_024
/** A long recovery writes the index in parts, so that memory stays bounded. */
export const REPLAY_FLUSH_BYTES = 4 * 1024 * 1024

/**
 * Applied state of a batch that is not trusted may stand beside rows of an older one: it is thrown away as a whole and the
 * state machine starts over from the log.
 */
export async function restoreApplied(
  journal: KeyValue,
  index: LogIndex,
  found: FoundIndex,
  deleted: ReadonlyMap<GroupId, DeletedRow>,
): Promise<void> {
  for (const log of index.groups.values()) {
    const { state } = log
    if (state === undefined)
      throw new DamagedStoreError(`Group ${log.group} has entries but no state record.`)
    const { slot, offset, lastAppendedAtMs, logBytes } = state.logStart
    log.applied = { slot: slot - 1, nextOffset: offset, lastAppendedAtMs, logBytes }
    const row = found.applied.get(log.group)
    const isTrusted = row !== undefined && row.number <= found.trusted.number
    if (isTrusted && row.slot >= log.applied.slot) log.applied = appliedOf(row)
    else if (row !== undefined || slot > 1) {
      await dropMarks(index, log)
      await startFromCheckpoint(journal, index, log, state.logStart)
    }
    if (index.pending.bytes > REPLAY_FLUSH_BYTES) await index.flushUntrusted()
  }
  for (const [group, row] of found.applied) {
    if (index.groups.has(group)) continue
    if (deleted.has(group)) await forgetApplied(index, group)
    else
      throw new DamagedIndexError(
        `Group ${group} has applied slot ${row.slot}, but the index has no head of it.`,
      )
  }
}

function appliedOf({ slot, nextOffset, lastAppendedAtMs, logBytes }: AppliedRow): GroupLog['applied'] {
  return { slot, nextOffset, lastAppendedAtMs, logBytes }
}

/**
 * What is applied again makes its rows of marks anew, and may part them at other offsets: an old one must not stand between
 * two of them.
 */
async function dropMarks(index: LogIndex, { group, applied }: GroupLog): Promise<void> {
  const { below } = groupRange(INDEX_TAG.MARK, group)
  const range = { from: markKey(group, applied.nextOffset), below, countMax: PAGE_COUNT }
  for await (const page of scanPages(index.base, range))
    index.pending.addOperations(page.map(({ key }) => ({ type: 'del', key })))
}

/** The table as of the log's start replaces whatever the index has; from there the machine applies the log again. */
async function startFromCheckpoint(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  checkpoint: Checkpoint,
): Promise<void> {
  if (checkpoint.slot === 1) return await forgetApplied(index, log.group)
  const rows = await readCheckpointRows(journal, index, log, checkpoint)
  const { slot, nextOffset, lastAppendedAtMs, logBytes } = log.applied
  const applied = { slot: slot as Slot, nextOffset, lastAppendedAtMs, logBytes }
  index.recordApplied({ group: log.group, ...applied, marks: [], rows, isReset: true })
}

async function forgetApplied(index: LogIndex, group: GroupId): Promise<void> {
  const deletes: { type: 'del'; key: Uint8Array }[] = [{ type: 'del', key: appliedKey(group) }]
  const range = groupRange(INDEX_TAG.MACHINE, group)
  for await (const page of scanPages(index.base, { ...range, countMax: PAGE_COUNT })) {
    for (const { key } of page) deletes.push({ type: 'del', key })
  }
  index.pending.addOperations(deletes)
}
