import type { GroupId } from '../types/ids.ts'
import type { GroupLog } from './group-log.ts'
import { scanPages, type KeyValue } from './key-value.ts'
import { groupOf, groupRange, INDEX_TAG, machinePartOf, tagRange } from './keys.ts'
import type { Row } from './log-store.ts'
import { readMachineValue } from './rows.ts'
import { DamagedIndexError } from './storage-errors.ts'

const PAGE_COUNT = 1_024

/**
 * Throws a DamagedIndexError when a row of any state machine does not hold, or is of a group that has applied nothing: then
 * the row that said how far it had is lost, and to apply its log on top of these rows would give another state.
 */
export async function checkMachineRows(
  index: KeyValue,
  groups: ReadonlyMap<GroupId, GroupLog>,
): Promise<void> {
  const range = tagRange(INDEX_TAG.MACHINE, INDEX_TAG.MACHINE + 1)
  for await (const page of scanPages(index, { ...range, countMax: PAGE_COUNT })) {
    for (const { key, value } of page) {
      plainValue(key, value)
      const log = groups.get(groupOf(key) as GroupId)
      const { applied, state } = log ?? {}
      // Rows of a log's start come from its checkpoint: without one, a table of nothing has none.
      const isBare = state !== undefined && state.logStart.partCount === 0
      if (isBare && applied !== undefined && applied.slot < state.logStart.slot)
        throw new DamagedIndexError(
          `Group ${groupOf(key)} has rows of its state machine and has applied nothing.`,
        )
    }
  }
}

/** All rows of a group's state machine, in key order. */
export async function readMachineRows(index: KeyValue, group: GroupId): Promise<readonly Row[]> {
  const rows: Row[] = []
  for await (const page of scanPages(index, {
    ...groupRange(INDEX_TAG.MACHINE, group),
    countMax: PAGE_COUNT,
  })) {
    for (const { key, value } of page) {
      rows.push({ key: machinePartOf(key), value: plainValue(key, value) })
    }
  }
  return rows
}

function plainValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  const plain = readMachineValue(key, value)
  if (plain === undefined)
    throw new DamagedIndexError(`A row of group ${groupOf(key)}'s state machine is damaged.`)
  return plain
}
