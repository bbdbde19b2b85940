import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordKey } from '../../src/storage/keys.ts'
import { memoryDisk, openMemoryStore } from '../../src/storage/memory-log-store.ts'
import type { StoreFiles } from '../../src/storage/journaled-store.ts'
import { PausableKeyValue } from '../support/pausable-key-value.ts'
import { eventually } from '../support/eventually.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, flippedAt, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

/** Two groups of twelve entries of 100,000 bytes, a persist each: record 1 and 2 are their states. */
async function filled(disk: StoreFiles = memoryDisk()) {
  const host = new TestHost()
  const store = await openMemoryStore(disk, host.options())
  await store.recover()
  for (const group of [GROUP, OTHER]) {
    const log = new SampleLog()
    await persist(store, group, [log.promise(1)])
    for (let slot = 1; slot <= 12; slot++) await persist(store, group, log.write(slot, ['x'.repeat(100_000)]))
  }
  const change = async (lsn: number, at: number): Promise<void> => {
    const key = recordKey(lsn)
    const value = flippedAt((await disk.journal.get(key)) as Buffer, at)
    await disk.journal.batch([{ type: 'put', key, value }], { sync: true })
  }
  return { host, disk, store, change }
}

test('the scrub reads everything and finds nothing wrong with a whole store', async () => {
  const { store, host } = await filled()
  const { entryCount, bytes, damagedCount } = await store.scrub(Infinity)
  assert.equal(entryCount, 24)
  assert.equal(damagedCount, 0)
  assert.ok(bytes > 2_400_000 && bytes < 2_500_000)
  assert.deepEqual(host.damage, [])
})

test('the scrub tells a damaged body, a damaged head and a record that is gone', async () => {
  const { store, host, change, disk } = await filled()
  await change(4, 5_000)
  await change(20, 12)
  await disk.journal.batch([{ type: 'del', key: recordKey(9) }], { sync: true })
  const { damagedCount } = await store.scrub(Infinity)
  assert.equal(damagedCount, 3)
  const told = host.damage.flatMap(({ group, entries }) => entries.map(({ slot }) => [group, slot]))
  assert.deepEqual(told, [
    [GROUP, 3],
    [GROUP, 8],
    [OTHER, 6],
  ])
})

test('the scrub tells a state record that the journal has lost', async () => {
  const { store, host, change } = await filled()
  await change(1, 12)
  assert.equal((await store.scrub(Infinity)).damagedCount, 1)
  assert.deepEqual(host.damage, [{ group: GROUP, entries: [], isStateLost: true }])
})

test('the scrub rests after each page for as long as its rate demands', async () => {
  const { store, host } = await filled()
  let isDone = false
  const pass = store.scrub(1_000_000).then(() => (isDone = true))
  let restCount = 0
  while (!isDone) {
    await eventually(() => assert.ok(host.scheduledCount > 0 || isDone))
    restCount += host.scheduledCount
    host.elapse()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await pass
  assert.ok(restCount >= 4, `It rested ${restCount} times for 2.4 MB.`)
})

test('who asks while a pass is under way hears of that one, and closing ends it', async () => {
  const { store, host } = await filled()
  const first = store.scrub(1)
  const second = store.scrub(1)
  await eventually(() => assert.ok(host.scheduledCount > 0))
  await store.close()
  assert.equal(await first, await second)
  assert.ok((await first).entryCount < 24)
})

test('a group that is deleted meanwhile ends there', async () => {
  const { store, host } = await filled()
  const pass = store.scrub(1_000)
  await eventually(() => assert.ok(host.scheduledCount > 0))
  await store.deleteGroup(GROUP)
  await store.deleteGroup(OTHER)
  host.elapse()
  assert.ok((await pass).entryCount < 12)
  assert.deepEqual(host.damage, [])
})

test('a group whose deletion is still on its way to the disk is passed over', async () => {
  const { store, host } = await filled()
  const deleted = store.deleteGroup(GROUP)
  const { entryCount } = await store.scrub(Infinity)
  await deleted
  assert.equal(entryCount, 12)
  assert.deepEqual(host.damage, [])
})

test('a replica that is made anew meanwhile is left to the next pass', async () => {
  const { store, host } = await filled()
  const pass = store.scrub(1_000)
  await eventually(() => assert.ok(host.scheduledCount > 0))
  await store.retireGroup(GROUP, 1)
  const { state } = new SampleLog()
  await persist(store, GROUP, [{ kind: 'state', state: { ...state, minConfiguration: 1 } }])
  await store.deleteGroup(OTHER)
  host.elapse()
  assert.ok((await pass).entryCount < 12)
  assert.deepEqual(host.damage, [])
})

test('the scrub counts parts of checkpoints that cannot be read, and reads a trimmed log from its start on', async () => {
  const { store, disk, host } = await filled()
  const log = new SampleLog()
  const bytes = Buffer.from('rows')
  await persist(store, GROUP, [{ kind: 'rows', slot: slot(5), part: 0, bytes }])
  const logStart = { ...log.state.logStart, slot: slot(5), partCount: 1 }
  const state = { ...log.state, promised: ballot(2), logStart, through: slot(12) }
  await persist(store, GROUP, [{ kind: 'state', state }])
  const whole = await store.scrub(Infinity)
  assert.deepEqual([whole.entryCount, whole.damagedCount, whole.damagedPartCount], [20, 0, 0])
  await disk.journal.batch([{ type: 'del', key: recordKey(27) }], { sync: true })
  assert.equal((await store.scrub(Infinity)).damagedPartCount, 1)
  assert.deepEqual(host.damage, [])
})

/** As `filled`, on databases that hold reads back. The index has all of it on its disk. */
async function filledPausable() {
  const journal = new PausableKeyValue()
  const index = new PausableKeyValue()
  const filledStore = await filled({ ...memoryDisk(), journal, index })
  const { batchCount } = index
  filledStore.host.elapse()
  await eventually(() => assert.ok(index.batchCount > batchCount))
  await new Promise((resolve) => setImmediate(resolve))
  const log = new SampleLog()
  log.entries(
    1,
    Array.from({ length: 12 }, () => 'x'.repeat(100_000)),
  )
  /** A new leader's log, shorter by some: what stood above slot 3 was never chosen. */
  const cut = () => persist(filledStore.store, GROUP, [log.promise(2, 3), ...log.write(4, ['y'], 2)])
  return { ...filledStore, journal, index, cut }
}

test('entries that a new leader cut off while the index was asked for them are no damage of the index', async () => {
  const { store, host, index, cut } = await filledPausable()
  index.pauseReads()
  const pass = store.scrub(Infinity)
  await cut()
  index.resume()
  const { entryCount, damagedCount } = await pass
  assert.deepEqual([entryCount, damagedCount], [16, 0])
  assert.deepEqual(host.damage, [])
  assert.deepEqual(host.warnings, [])
})

test('an entry that a new leader replaced while it was read, and whose record is gone since, is not told as damaged', async () => {
  const { store, host, journal, cut } = await filledPausable()
  journal.pauseReads()
  const pass = store.scrub(Infinity)
  await new Promise((resolve) => setImmediate(resolve))
  await cut()
  // As the sweeper does with a record that nothing needs any more.
  await journal.batch(
    [5, 6, 7].map((lsn) => ({ type: 'del', key: recordKey(lsn) })),
    { sync: true },
  )
  journal.resume()
  const { entryCount, damagedCount } = await pass
  assert.deepEqual([entryCount, damagedCount], [16, 0])
  assert.deepEqual(host.damage, [])
})
