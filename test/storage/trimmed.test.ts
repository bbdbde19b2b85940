import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Write } from '../../src/paxos/effects.ts'
import type { Checkpoint } from '../../src/paxos/state.ts'
import { encodeRows } from '../../src/storage/checkpoint-rows.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { INDEX_TAG, tagRange } from '../../src/storage/keys.ts'
import { openLevelStore } from '../../src/storage/level-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { memoryDisk, openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { DamagedStoreError, TrimmedSlotError } from '../../src/storage/storage-errors.ts'
import { slot } from '../../src/types/ids.ts'
import { eventually } from '../support/eventually.ts'
import { folderBytes } from '../support/folder-bytes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { applied, bodiesOf, BROKER, GROUP, persist, SampleLog, TestHost } from './samples.ts'

const MEBIBYTE = 1024 * 1024
const TUNING = { indexSettleBytes: 300, sweepCountMin: 1, sweepBytesMin: 1, sweepShareMin: 0 }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A log of one record a slot, trimmed as a core would have it. */
class TrimmedLog extends SampleLog {
  /** The checkpoint of `last`, whose table is one row that names it. */
  checkpoint(last: number): { readonly checkpoint: Checkpoint; readonly parts: readonly Uint8Array[] } {
    const parts = encodeRows([{ key: Buffer.from('last'), value: Buffer.from(String(last)) }])
    const { configuration } = this.state
    const machine = { offset: last, lastAppendedAtMs: 1_000 * last, logBytes: 0 }
    const chain = this.chainAt(last)
    return { checkpoint: { slot: slot(last + 1), chain, configuration, partCount: 1, ...machine }, parts }
  }

  /** The persists that mark at `last`, or that begin the log there. */
  mark(last: number, becomes: 'checkpoint' | 'start' = 'checkpoint'): readonly (readonly Write[])[] {
    const { checkpoint, parts } = this.checkpoint(last)
    this.state =
      becomes === 'start'
        ? {
            ...this.state,
            logStart: checkpoint,
            checkpoints: [],
            through: slot(Math.max(last, this.through)),
          }
        : { ...this.state, checkpoints: [...this.state.checkpoints, checkpoint], through: slot(this.through) }
    return [
      ...parts.map((bytes, part): Write[] => [{ kind: 'rows', slot: checkpoint.slot, part, bytes }]),
      [{ kind: 'state', state: this.state }],
    ]
  }

  /** The state record by which the log begins at a checkpoint that it has. */
  begin(last: number): Write {
    const checkpoints = this.state.checkpoints.filter((one) => one.slot > last + 1)
    const logStart = this.state.checkpoints.find((one) => one.slot === last + 1) ?? this.state.logStart
    this.state = { ...this.state, logStart, checkpoints, through: slot(this.through) }
    return { kind: 'state', state: this.state }
  }
}

async function persistAll(store: JournaledStore, persists: readonly (readonly Write[])[]): Promise<void> {
  for (const writes of persists) await persist(store, GROUP, writes)
}

async function open(disk: MemoryDisk) {
  const host = new TestHost()
  const store = await openMemoryStore(disk, host.options(TUNING))
  const groups = await store.recover()
  const flush = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      host.elapse()
      await turn()
    }
  }
  return { host, store, groups, flush }
}

/** Ten slots, marked at 4 and 8 and begun after 4; all of it applied and swept. The index is written at so many slots each. */
async function trimmed(disk: MemoryDisk, slotsPerFlush = 1) {
  const opened = await open(disk)
  const log = new TrimmedLog()
  await persist(opened.store, GROUP, [log.promise(1)])
  for (let at = 1; at <= 10; at++) {
    await persist(opened.store, GROUP, log.write(at, [`body ${at}`]))
    opened.store.indexApplied(applied(at, at))
    if (at % slotsPerFlush === 0) await opened.flush(1)
    if (at === 4 || at === 8) await persistAll(opened.store, log.mark(at))
  }
  await persist(opened.store, GROUP, [log.begin(4)])
  await opened.flush(30)
  return { ...opened, log }
}

function withoutIndex(disk: MemoryDisk): MemoryDisk {
  return { ...disk, index: new MemoryKeyValue() }
}

async function rowCount(disk: MemoryDisk, tag: number): Promise<number> {
  return (await disk.index.scan({ ...tagRange(tag, tag + 1), countMax: 1_000 })).length
}

const textOf = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString()

test('what lies below the start of a log leaves index and journal, and reads of it say so', async () => {
  const disk = memoryDisk()
  const { store, host } = await trimmed(disk)
  assert.deepEqual(await bodiesOf(store, 5, 10), [
    'body 5',
    'body 6',
    'body 7',
    'body 8',
    'body 9',
    'body 10',
  ])
  await assert.rejects(bodiesOf(store, 4, 10), TrimmedSlotError)
  assert.equal(await rowCount(disk, INDEX_TAG.RUN), 6)
  assert.equal(await rowCount(disk, INDEX_TAG.MARK), 6)
  assert.equal((await store.findOffset(GROUP, 4))?.slot, 5)
  assert.equal((await store.findTime(GROUP, 0))?.slot, 5)
  const records = await disk.journal.scan({ ...tagRange(3, 4), countMax: 100 })
  const texts = records.map(({ value }) => Buffer.from(value).toString('latin1'))
  assert.ok(!texts.some((text) => /body [1-4]$/.test(text)))
  assert.equal(store.groupBytes(GROUP), 'body 5body 6body 7body 8body 9body 10'.length)
  assert.deepEqual(host.failures, [])
})

test('a row of offsets that reaches over the start of a log stays until all of it lies below', async () => {
  const disk = memoryDisk()
  const { store, log, flush } = await trimmed(disk, 3)
  assert.equal(await rowCount(disk, INDEX_TAG.MARK), 3)
  assert.equal((await store.findOffset(GROUP, 4))?.slot, 5)
  assert.equal((await store.findOffset(GROUP, 0))?.slot, 5)
  await persist(store, GROUP, [log.begin(8)])
  await flush(30)
  assert.equal(await rowCount(disk, INDEX_TAG.MARK), 2)
  assert.equal((await store.findOffset(GROUP, 8))?.slot, 9)
})

test('a trimmed log is found again, from its index and from its journal alone', async () => {
  const disk = memoryDisk()
  const { log } = await trimmed(disk)
  for (const loses of ['nothing', 'index'] as const) {
    const { store, groups } = await open(loses === 'index' ? withoutIndex(disk) : disk)
    const [found] = groups
    assert.deepEqual(found?.state, log.state)
    assert.equal((found?.applied.slot ?? 0) + (found?.tail.length ?? 0), 10)
    assert.equal(found?.applied.slot, loses === 'index' ? 4 : 10)
    assert.deepEqual(
      (await store.recoverRows(GROUP)).map(({ value }) => textOf(value)),
      [loses === 'index' ? '4' : '10'],
    )
    const part = await store.readPart(GROUP, slot(9), 0)
    assert.deepEqual(part, Buffer.from(log.checkpoint(8).parts[0] ?? []))
  }
})

test('a machine that began at a checkpoint keeps its whole table through the next start', async () => {
  const disk = memoryDisk()
  await trimmed(disk)
  const rebuilt = withoutIndex(disk)
  const first = await open(rebuilt)
  first.store.indexApplied({ ...applied(5, 5), rows: [{ key: Buffer.from('new'), value: Buffer.from('5') }] })
  await first.flush(5)
  await first.store.close()
  const { store } = await open(rebuilt)
  assert.deepEqual(
    (await store.recoverRows(GROUP)).map(({ key, value }) => `${textOf(key)} ${textOf(value)}`),
    ['last 4', 'new 5'],
  )
})

test('a part of a checkpoint that the journal has lost is damage of the store', async () => {
  const disk = memoryDisk()
  await trimmed(disk)
  const records = await disk.journal.scan({ ...tagRange(3, 4), countMax: 100 })
  const part = records.find(({ value }) => Buffer.from(value).toString('latin1').endsWith('last4'))
  assert.ok(part !== undefined)
  await disk.journal.batch([{ type: 'del', key: part.key }], { sync: true })
  await assert.rejects(open(withoutIndex(disk)), DamagedStoreError)
})

test('rows of checkpoints that are not named any more go, also such that a crash left unnamed', async () => {
  const disk = memoryDisk()
  const { store, log, flush } = await trimmed(disk)
  assert.equal(await rowCount(disk, INDEX_TAG.CHECKPOINT), 2)
  // Written before a crash took the state record, and written again.
  const [part = [], state = []] = log.mark(10)
  await persistAll(store, [part, part, state, [log.begin(8)]])
  await flush(30)
  assert.equal(await rowCount(disk, INDEX_TAG.CHECKPOINT), 2)
  assert.equal(await store.readPart(GROUP, slot(5), 0), undefined)
  const journal = await disk.journal.scan({ ...tagRange(3, 4), countMax: 100 })
  const texts = journal.map(({ value }) => Buffer.from(value).toString('latin1'))
  assert.equal(texts.filter((text) => /last(4|8|10)$/.test(text)).length, 2)
})

test('a log that goes on from a checkpoint beyond its end forgets all it had, rows of its machine too', async () => {
  const disk = memoryDisk()
  const { store, flush } = await trimmed(disk)
  const log = new TrimmedLog()
  log.write(1, Array<string>(20).fill('elsewhere'))
  log.promise(2, 20)
  await persistAll(store, log.mark(20, 'start'))
  const rows = [{ key: Buffer.from('other'), value: Buffer.from('20') }]
  store.indexApplied({ ...applied(20, 21), rows, isReset: true })
  await flush(30)
  await persist(store, GROUP, log.write(21, ['body 21']))
  store.indexApplied({ ...applied(21, 21), rows: [] })
  await flush(5)
  assert.deepEqual(await bodiesOf(store, 21, 30), ['body 21'])
  assert.equal(await rowCount(disk, INDEX_TAG.MARK), 1)
  assert.deepEqual(
    (await store.readMarks(GROUP, 20, 9)).map((mark) => mark.slot),
    [21],
  )
  await store.close()
  for (const loses of ['nothing', 'index'] as const) {
    const again = await open(loses === 'index' ? withoutIndex(disk) : disk)
    assert.equal(again.groups[0]?.applied.slot, loses === 'index' ? 20 : 21)
    const keys = (await again.store.recoverRows(GROUP)).map(({ key }) => textOf(key))
    assert.deepEqual(keys, [loses === 'index' ? 'last' : 'other'])
  }
})

test('a read that the log was trimmed under says so, and calls nothing damaged', async () => {
  const disk = memoryDisk()
  const { store, log, flush, host } = await trimmed(disk)
  const { scan } = disk.index
  // The rows go while the read waits for them.
  disk.index.scan = async (range) => {
    if (range.reverse !== true) return scan.call(disk.index, range)
    disk.index.scan = scan
    await persist(store, GROUP, [log.begin(8)])
    await flush(30)
    return scan.call(disk.index, range)
  }
  await assert.rejects(store.readMarks(GROUP, 4, 2), TrimmedSlotError)
  assert.deepEqual([host.failures, host.warnings], [[], []])
})

test('rows come back from parts, however small these are', () => {
  const rows = Array.from({ length: 9 }, (_, at) => ({
    key: Buffer.from(`key ${at}`),
    value: Buffer.alloc(at * 10, at),
  }))
  assert.ok(encodeRows(rows, 40).length > 4)
  assert.equal(encodeRows(rows).length, 1)
  assert.deepEqual(encodeRows([]), [])
})

test('gives the disk of a trimmed log back', { timeout: 60_000 }, async (t) => {
  const folder = tempDir(t)
  const failures: Error[] = []
  const store = await openLevelStore(folder, { brokerId: BROKER, onFailure: (error) => failures.push(error) })
  t.after(() => store.close())
  await store.recover()
  const log = new TrimmedLog()
  await persist(store, GROUP, [log.promise(1)])
  for (let at = 1; at <= 48; at++) {
    await persist(store, GROUP, log.write(at, ['x'.repeat(MEBIBYTE)]))
    store.indexApplied(applied(at, at))
    if (at === 46) await persistAll(store, log.mark(at))
  }
  assert.ok((await folderBytes(folder)) > 48 * MEBIBYTE)
  await persist(store, GROUP, [log.begin(46)])
  await eventually(async () => assert.ok((await folderBytes(folder)) < 8 * MEBIBYTE), { timeoutMs: 30_000 })
  assert.equal(store.groupBytes(GROUP), 2 * MEBIBYTE)
  assert.equal((await bodiesOf(store, 47, 48)).length, 2)
  assert.deepEqual(failures, [])
})
