import type { GroupLog } from './group-log.ts'
import { newestCheckpoint } from './group-log.ts'
import type { KeyValue, Operation } from './key-value.ts'
import { groupNumberOf, groupRange, INDEX_TAG, markKey, runKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import { marksEnd, readMarkRow } from './mark-rows.ts'
import { readPart, readRun, runBytes } from './rows.ts'

/** Parts of a group's checkpoints looked at in one step; there are four checkpoints at most. */
const PART_PAGE_COUNT = 1_024

/**
 * Frees what a group has below its log's start: runs, offset marks, rows of checkpoints that the state record names no more.
 * Their journal keys become garbage, for the state record that cuts the log supersedes them (J3). At most `countMax` rows;
 * returns how many, and `countMax` when there may be more. To be called while no index batch is being written.
 */
export async function freeTrimmed(
  base: KeyValue,
  index: LogIndex,
  log: GroupLog,
  countMax: number,
): Promise<number> {
  if (countMax <= 0) return 0
  const operations: Operation[] = []
  await freeParts(base, index, log, operations)
  const areRunsDone = await freeRuns(base, index, log, { operations, countMax })
  const areMarksDone = await freeMarks(base, log, { operations, countMax })
  if (operations.length === 0) return 0
  index.pending.addOperations(operations)
  index.pending.of(log).isHeadChanged = true
  return areRunsDone && areMarksDone ? operations.length : countMax
}

interface Sweep {
  readonly operations: Operation[]
  readonly countMax: number
}

/** A part above the newest checkpoint waits for the state record that will name it. */
async function freeParts(
  base: KeyValue,
  index: LogIndex,
  log: GroupLog,
  operations: Operation[],
): Promise<void> {
  const { state, group } = log
  if (state === undefined) return
  const named = new Set([state.logStart.slot, ...state.checkpoints.map(({ slot }) => slot)].map(Number))
  const newest = newestCheckpoint(state)
  const range = { ...groupRange(INDEX_TAG.CHECKPOINT, group), countMax: PART_PAGE_COUNT }
  for (const { key, value } of await base.scan(range)) {
    const slot = groupNumberOf(key)
    if (named.has(slot) || slot > newest) continue
    const part = readPart(key, value)
    operations.push({ type: 'del', key })
    if (part !== undefined) index.pending.addGarbage(part.lsn, part.byteLength)
  }
}

/** A run that shares its journal value with the state record in force stays until another record replaces that. */
async function freeRuns(base: KeyValue, index: LogIndex, log: GroupLog, sweep: Sweep): Promise<boolean> {
  const countMax = sweep.countMax - sweep.operations.length
  const firstSlot = log.state?.logStart.slot ?? 1
  if (countMax <= 0 || firstSlot === 1) return firstSlot === 1
  const range = { from: runKey(log.group, 0), below: runKey(log.group, firstSlot), countMax }
  const page = await base.scan(range)
  for (const { key, value } of page) {
    const run = readRun(key, groupNumberOf(key), value)
    if (run === undefined || run.last >= firstSlot || run.lsn === log.stateLsn) continue
    sweep.operations.push({ type: 'del', key })
    const bytes = runBytes(run)
    index.pending.addGarbage(run.lsn, bytes)
    log.bytes = Math.max(0, log.bytes - bytes)
  }
  return page.length < countMax
}

async function freeMarks(base: KeyValue, log: GroupLog, sweep: Sweep): Promise<boolean> {
  const countMax = sweep.countMax - sweep.operations.length
  const firstOffset = log.state?.logStart.offset ?? 0
  if (countMax <= 0 || firstOffset === 0) return firstOffset === 0
  const range = { from: markKey(log.group, 0), below: markKey(log.group, firstOffset), countMax }
  const page = await base.scan(range)
  for (const { key, value } of page) {
    // The last row may reach beyond.
    if (marksEnd(readMarkRow(key, value) ?? []) <= firstOffset) sweep.operations.push({ type: 'del', key })
  }
  return page.length < countMax
}
