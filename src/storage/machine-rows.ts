import type { GroupId } from '../types/ids.ts'
import { scanPages, type KeyValue } from './key-value.ts'
import { groupRange, INDEX_TAG, machinePartOf } from './keys.ts'
import type { Row } from './log-store.ts'
import { readMachineValue } from './rows.ts'
import { DamagedStoreError } from './storage-errors.ts'

const PAGE_COUNT = 1_024

/** All rows of a group's state machine, in key order. */
export async function readMachineRows(index: KeyValue, group: GroupId): Promise<readonly Row[]> {
  const rows: Row[] = []
  for await (const page of scanPages(index, {
    ...groupRange(INDEX_TAG.MACHINE, group),
    countMax: PAGE_COUNT,
  })) {
    for (const { key, value } of page) {
      const plain = readMachineValue(key, value)
      if (plain === undefined)
        throw new DamagedStoreError(`A row of group ${group}'s state machine is damaged.`)
      rows.push({ key: machinePartOf(key), value: plain })
    }
  }
  return rows
}
