import type { GroupId } from '../types/ids.ts'
import { emptyThrough, type GroupLog } from './group-log.ts'
import { STATE_VALUE_BYTES, type GroupChanges, type IndexLayer } from './index-layer.ts'
import { scanPages, type KeyValue, type Operation } from './key-value.ts'
import {
  appliedKey,
  checkpointKey,
  deletedKey,
  garbageKey,
  groupNumberOf,
  groupRange,
  headKey,
  INDEX_TAG,
  machineKey,
  repairedKey,
  runKey,
} from './keys.ts'
import { markPuts } from './mark-rows.ts'
import {
  encodeApplied,
  encodeDeleted,
  encodeGarbage,
  encodeHead,
  encodeMachineValue,
  encodePart,
  readPart,
  readRun,
  runBytes,
  runEntry,
  type PartRow,
  type Run,
} from './rows.ts'
import { DamagedIndexError, DamagedStoreError } from './storage-errors.ts'

const PAGE = 1_000

/** A group's numbers at the moment its layer was frozen; the log itself goes on changing while the batch is made. */
export type FrozenLog = Readonly<GroupLog>

/**
 * Turns a frozen layer into the operations of one index batch, deletes first. What truncations made dead is only found
 * here, because it needs reads of the database; lookups do not depend on it (run-reader.ts).
 */
export async function resolveLayer(
  base: KeyValue,
  layer: IndexLayer,
  logs: ReadonlyMap<GroupId, FrozenLog>,
  number: number,
): Promise<Operation[]> {
  const operations: Operation[] = [...layer.operations]
  const puts: Operation[] = []
  for (const [group, changes] of layer.groups) {
    if (changes.deleted !== undefined) {
      dropGroup(layer, group, changes, operations, puts)
      continue
    }
    const log = logs.get(group)
    if (log === undefined) continue
    if (changes.cutFrom !== Infinity || changes.supersededStates.length > 0) {
      await dropDead(base, { layer, group, changes, log, operations })
    }
    if (changes.isHeadChanged && log.state !== undefined) puts.push(await headPut(base, changes, log))
    await dropReplaced(base, { layer, group, changes, log, operations })
    putRows(group, changes, number, puts)
  }
  for (const [lsn, valueBytes] of layer.garbage) {
    const key = garbageKey(lsn)
    puts.push({ type: 'put', key, value: encodeGarbage(key, valueBytes) })
  }
  for (const put of puts) operations.push(put)
  return operations
}

function putRows(group: GroupId, changes: GroupChanges, number: number, puts: Operation[]): void {
  for (const run of changes.runs) puts.push({ type: 'put', key: runKey(group, run.first), value: run.value })
  for (const [slot, run] of changes.repairs) {
    const key = repairedKey(group, slot)
    puts.push(run === undefined ? { type: 'del', key } : { type: 'put', key, value: run.value })
  }
  for (const put of markPuts(group, changes.marks)) puts.push(put)
  if (changes.applied !== undefined) {
    const key = appliedKey(group)
    puts.push({ type: 'put', key, value: encodeApplied(key, { number, ...changes.applied }) })
  }
  for (const row of changes.machineRows.values()) {
    const key = machineKey(group, row.key)
    if (row.value === undefined) puts.push({ type: 'del', key })
    else puts.push({ type: 'put', key, value: encodeMachineValue(key, row.value) })
  }
  for (const part of changes.parts) {
    const key = checkpointKey(group, part.slot, part.part)
    puts.push({ type: 'put', key, value: encodePart(key, part) })
  }
}

/** The rest of a deleted group's rows is freed later, by the sweeper. */
function dropGroup(
  layer: IndexLayer,
  group: GroupId,
  changes: GroupChanges,
  operations: Operation[],
  puts: Operation[],
): void {
  for (const run of [...changes.droppedRuns, ...changes.runs]) layer.addGarbage(run.lsn, runBytes(run))
  for (const run of changes.repairs.values()) if (run !== undefined) layer.addGarbage(run.lsn, runBytes(run))
  for (const state of changes.supersededStates) layer.addGarbage(state.lsn, STATE_VALUE_BYTES)
  for (const part of changes.parts) layer.addGarbage(part.lsn, part.byteLength)
  operations.push({ type: 'del', key: headKey(group) }, { type: 'del', key: appliedKey(group) })
  const key = deletedKey(group)
  if (changes.deleted !== undefined)
    puts.push({ type: 'put', key, value: encodeDeleted(key, changes.deleted) })
}

interface Dropping {
  readonly layer: IndexLayer
  readonly group: GroupId
  readonly changes: GroupChanges
  readonly log: FrozenLog
  readonly operations: Operation[]
}

/**
 * What later rows of the same batch replace. A crash before the state record that would have named a part lets it be written
 * once more; the older one is garbage then. The whole table of a machine that was reset goes in this batch, so that rows of
 * two moments never stand side by side: rare, and bounded by the bounds of the table.
 */
async function dropReplaced(base: KeyValue, { layer, group, changes, operations }: Dropping): Promise<void> {
  const keys = changes.parts.map(({ slot, part }) => checkpointKey(group, slot, part))
  const values = keys.length === 0 ? [] : await base.getMany(keys)
  const newest = new Map<string, PartRow>()
  changes.parts.forEach((part, index) => {
    const key = keys[index]
    const value = values[index]
    const name = `${part.slot}.${part.part}`
    const known = newest.get(name) ?? (key && value ? readPart(key, value) : undefined)
    if (known !== undefined && known.lsn < part.lsn) layer.addGarbage(known.lsn, known.byteLength)
    newest.set(name, part)
  })
  if (!changes.isMachineReset) return
  for await (const page of scanPages(base, { ...groupRange(INDEX_TAG.MACHINE, group), countMax: PAGE })) {
    for (const { key } of page) operations.push({ type: 'del', key })
  }
}

/** A journal key is garbage when neither a live run nor the current state record stands in it (J3). */
async function dropDead(base: KeyValue, dropping: Dropping): Promise<void> {
  const { layer, group, changes, log, operations } = dropping
  const live = new Set(changes.runs.map((run) => run.lsn))
  const dropRun = (run: Run): void => {
    if (!live.has(run.lsn) && run.lsn !== log.stateLsn) layer.addGarbage(run.lsn, runBytes(run))
  }
  changes.droppedRuns.forEach(dropRun)
  const isCut = (first: number, lsn: number): boolean => first >= changes.cutFrom && lsn < changes.cutLsn
  if (changes.cutFrom !== Infinity) {
    const range = {
      ...groupRange(INDEX_TAG.RUN, group),
      from: runKey(group, changes.cutFrom),
      countMax: PAGE,
    }
    for await (const page of scanPages(base, range)) {
      for (const { key, value } of page) {
        const run = readRun(key, groupNumberOf(key), value)
        if (run === undefined)
          throw new DamagedIndexError(
            `The index row of group ${group} at slot ${groupNumberOf(key)} is damaged.`,
          )
        if (!isCut(run.first, run.lsn)) continue
        operations.push({ type: 'del', key })
        dropRun(run)
      }
    }
  }
  const shared = changes.supersededStates.filter((state) => !live.has(state.lsn))
  const keys = shared.map((state) => runKey(group, state.runFirst))
  const values = keys.length === 0 ? [] : await base.getMany(keys)
  shared.forEach((state, index) => {
    const key = keys[index]
    const value = values[index]
    const run = key === undefined || value === undefined ? undefined : readRun(key, state.runFirst, value)
    if (run?.lsn !== state.lsn || isCut(run.first, run.lsn)) layer.addGarbage(state.lsn, STATE_VALUE_BYTES)
  })
}

async function headPut(base: KeyValue, changes: GroupChanges, log: FrozenLog): Promise<Operation> {
  const { state } = log
  if (state === undefined) throw new DamagedStoreError(`Group ${log.group} has entries but no state record.`)
  const key = headKey(log.group)
  const chain = log.chain ?? (await chainAtEnd(base, changes, log))
  return { type: 'put', key, value: encodeHead(key, { ...log, state, chain }) }
}

/** 0 when the index does not reach the end yet, as while a journal is replayed whose dead keys are gone. */
async function chainAtEnd(base: KeyValue, changes: GroupChanges, log: FrozenLog): Promise<number> {
  const { state, through, group } = log
  if (state !== undefined && through === emptyThrough(state)) return state.logStart.chain
  const run = changes.runs.at(-1) ?? (await runAtOrBelow(base, group, through))
  return run !== undefined && run.last >= through && run.first <= through ? runEntry(run, through).chain : 0
}

/** The run with the highest first slot that is not above `slot`. */
export async function runAtOrBelow(base: KeyValue, group: GroupId, slot: number): Promise<Run | undefined> {
  const below = runKey(group, slot + 1)
  const [pair] = await base.scan({ from: runKey(group, 0), below, reverse: true, countMax: 1 })
  return pair === undefined ? undefined : readRun(pair.key, groupNumberOf(pair.key), pair.value)
}
