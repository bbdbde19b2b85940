import assert from 'node:assert/strict'
import { test } from 'node:test'
import { INDEX_TAG, tagRange } from '../../src/storage/keys.ts'
import { openLevelStore } from '../../src/storage/level-log-store.ts'
import { memoryDisk, openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import type { KeyRange, KeyValue } from '../../src/storage/key-value.ts'
import { eventually } from '../support/eventually.ts'
import { folderBytes } from '../support/folder-bytes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { CrashingKeyValue } from './crashing-disk.ts'
import { bodiesOf, BROKER, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

const MEBIBYTE = 1024 * 1024
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function startOn(disk: MemoryDisk, tuning: Partial<StoreTuning>) {
  const host = new TestHost()
  const journal = new CrashingKeyValue(disk.journal)
  const index = new CrashingKeyValue(disk.index)
  const compacted: string[] = []
  const { compact } = journal
  journal.compact = async (range: KeyRange) => {
    compacted.push(Buffer.from(range.from).toString('hex'))
    await compact.call(journal, range)
  }
  const store = await openMemoryStore({ journal, index, identity: disk.identity }, host.options(tuning))
  await store.recover()
  const flush = async (times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) {
      host.elapse()
      await turn()
    }
  }
  const keyCount = async (database: KeyValue, first: number, below: number): Promise<number> =>
    (await database.scan({ ...tagRange(first, below), countMax: 10_000 })).length
  return {
    host,
    store,
    journal,
    index,
    compacted,
    flush,
    recordCount: () => keyCount(journal, 3, 4),
    garbageCount: () => keyCount(index, INDEX_TAG.GARBAGE, INDEX_TAG.GARBAGE + 1),
  }
}

/** Two groups whose persists stand side by side, with bodies of 1,000 bytes. */
async function fill({ store }: Awaited<ReturnType<typeof startOn>>, count: number, otherEach: number) {
  const log = new SampleLog()
  const other = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  await persist(store, OTHER, [other.promise(1)])
  for (let slot = 1; slot <= count; slot++) {
    await persist(store, GROUP, log.write(slot, ['x'.repeat(1_000)]))
    for (let each = 0; each < otherEach; each++)
      await persist(store, OTHER, other.write(other.through + 1, ['y'.repeat(1_000)]))
  }
  return { log, other }
}

test('gives the disk of a deleted group back', { timeout: 60_000 }, async (t) => {
  const folder = tempDir(t)
  const failures: Error[] = []
  const store = await openLevelStore(folder, { brokerId: BROKER, onFailure: (error) => failures.push(error) })
  t.after(() => store.close())
  await store.recover()
  const log = new SampleLog()
  const kept = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  await persist(store, OTHER, [kept.promise(1), ...kept.write(1, ['kept'])])
  for (let slot = 1; slot <= 64; slot++) {
    await persist(store, GROUP, log.write(slot, ['x'.repeat(MEBIBYTE)]))
    await persist(store, OTHER, kept.write(slot + 1, ['kept']))
  }
  assert.ok((await folderBytes(folder)) > 64 * MEBIBYTE)
  await store.deleteGroup(GROUP)
  await eventually(async () => assert.ok((await folderBytes(folder)) < 4 * MEBIBYTE), { timeoutMs: 30_000 })
  assert.equal((await bodiesOf(store, 1, 99, OTHER)).length, 65)
  await store.close()
  assert.deepEqual(failures, [])
  const next = await openLevelStore(folder, new TestHost().options())
  t.after(() => next.close())
  const groups = await next.recover()
  assert.deepEqual(
    groups.map(({ group, tail }) => [group, tail.length]),
    [[OTHER, 65]],
  )
})

test('rewrites nothing of which little is garbage, and frees it once enough is', async () => {
  const run = await startOn(memoryDisk(), { sweepCountMin: 1, sweepShareMin: 0.5, sweepWindowBytes: 100_000 })
  const { other } = await fill(run, 10, 2)
  await run.store.deleteGroup(GROUP)
  await run.flush(6)
  assert.equal(await run.recordCount(), 33, 'a third is garbage: nothing was deleted')
  assert.equal(await run.garbageCount(), 11)
  await persist(run.store, OTHER, [other.promise(2, 10), ...other.write(11, ['z'], 2)])
  await run.flush(8)
  assert.ok((await run.recordCount()) <= 13, `${await run.recordCount()} keys`)
  assert.equal(await run.garbageCount(), 0)
  assert.equal((await bodiesOf(run.store, 1, 99, OTHER)).length, 11)
})

test('frees a journal window by window, none larger than it may be', async () => {
  const run = await startOn(memoryDisk(), { sweepCountMin: 1, sweepCountMax: 3, sweepWindowBytes: 5_000 })
  await fill(run, 40, 0)
  await run.store.deleteGroup(GROUP)
  await run.flush(60)
  const windows = new Set(run.compacted.filter((from) => from.startsWith('03')))
  assert.ok(windows.size >= 8, `${windows.size} windows for 40,000 bytes`)
  assert.equal(await run.recordCount(), 2, 'the first record of the other group, and the deletion')
  assert.equal(await run.garbageCount(), 0)
})

test('frees again what a crash left between the deletes and the rows that told of them', async () => {
  const disk = memoryDisk()
  const run = await startOn(disk, { sweepCountMin: 1 })
  await fill(run, 10, 0)
  await run.store.deleteGroup(GROUP)
  const { compact } = run.journal
  run.journal.compact = (range) =>
    range.from[0] === 3 ? new Promise(() => {}) : compact.call(run.journal, range)
  await run.flush(6)
  assert.equal(await run.recordCount(), 2)
  assert.equal(await run.garbageCount(), 11)
  // The deletes are not synced: the power cut takes them.
  const journal = await run.journal.crash(() => true, Infinity)
  const index = await run.index.crash(() => false, Infinity)
  const again = await startOn({ ...disk, journal, index }, { sweepCountMin: 1_000 })
  assert.equal(await again.recordCount(), 13)
  await persist(again.store, OTHER, [new SampleLog().promise(2)])
  await again.flush(6)
  assert.ok((await again.recordCount()) <= 3, `${await again.recordCount()} keys`)
  assert.equal(await again.garbageCount(), 0)
})

/** A store with garbage, whose disk does not come to the end of a write. */
async function busyStore() {
  const run = await startOn(memoryDisk(), { sweepCountMin: 1 })
  await fill(run, 10, 0)
  await run.store.deleteGroup(GROUP)
  let finish: () => void = () => {}
  const held = new Promise<void>((resolve) => (finish = resolve))
  const { batch } = run.journal
  run.journal.batch = async (operations, options) => {
    await held
    await batch.call(run.journal, operations, options)
  }
  const waiting = persist(run.store, OTHER, [new SampleLog().promise(2)])
  await turn()
  run.host.nowMs += 1_000
  await run.flush(10)
  assert.equal(run.journal.written.length, 14)
  assert.equal(await run.garbageCount(), 11)
  return { ...run, finish, waiting }
}

test('waits while the disk is busy, but not for ever', async () => {
  const { store, flush, finish, waiting, recordCount, garbageCount } = await busyStore()
  const queuedBytes = store.usage().pendingBytes
  await flush(5)
  assert.equal(store.usage().pendingBytes, queuedBytes)
  await flush(10)
  assert.ok(store.usage().pendingBytes > queuedBytes, 'the floor is queued')
  finish()
  await waiting
  await flush(5)
  assert.ok((await recordCount()) <= 3)
  assert.equal(await garbageCount(), 0)
})

test('ends its wait when the store is closed', async () => {
  const { store, finish, waiting, host, garbageCount } = await busyStore()
  const closed = store.close()
  finish()
  await waiting
  await closed
  assert.deepEqual(host.failures, [])
  assert.ok((await garbageCount()) >= 11, 'the next start frees it')
})
