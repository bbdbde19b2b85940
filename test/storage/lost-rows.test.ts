import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appliedKey, headKey, INDEX_TAG, markKey, tagRange } from '../../src/storage/keys.ts'
import { memoryDisk, openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { DamagedIndexError } from '../../src/storage/storage-errors.ts'
import { applied, bodiesOf, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Two groups, all of it in the index: one has applied what it holds, the other has only promised. */
async function writtenDisk(): Promise<MemoryDisk> {
  const disk = memoryDisk()
  const host = new TestHost()
  const store = await openMemoryStore(disk, host.options({ indexSettleBytes: 300, sweepCountMin: 1 }))
  await store.recover()
  const log = new SampleLog()
  const other = new SampleLog()
  for (let round = 1; round <= 6; round++) {
    await persist(store, OTHER, [other.promise(round)])
    await persist(store, GROUP, [log.promise(round), ...log.write(round, [`body ${round}`], round)])
    store.indexApplied(applied(round, round))
    host.elapse()
    await turn()
  }
  return disk
}

async function lose(disk: MemoryDisk, key: Uint8Array): Promise<void> {
  assert.notEqual(await disk.index.get(key), undefined)
  await disk.index.batch([{ type: 'del', key }], { sync: true })
}

async function recovered(disk: MemoryDisk) {
  const store = await openMemoryStore(disk, new TestHost().options())
  const groups = await store.recover()
  assert.deepEqual(groups.map(({ group, state }) => `${group}: ${state.promised.round}`).sort(), [
    `${GROUP}: 6`,
    `${OTHER}: 6`,
  ])
  assert.equal((await bodiesOf(store, 1, 9)).length, 6)
  const found = groups.find(({ group }) => group === GROUP)
  const rows = await store.recoverRows(GROUP)
  return { store, appliedSlot: found?.applied.slot, rows: rows.map(({ value }) => String(value)) }
}

test('a group whose head is lost is found again with its promise, whether it has applied anything or not', async () => {
  for (const group of [GROUP, OTHER]) {
    const disk = await writtenDisk()
    await lose(disk, headKey(group))
    await recovered(disk)
  }
})

test('rows of a state machine are not kept when what says how far it came is lost', async () => {
  const disk = await writtenDisk()
  await lose(disk, appliedKey(GROUP))
  const { appliedSlot, rows } = await recovered(disk)
  assert.deepEqual([appliedSlot, rows], [0, []])
})

test('an offset whose row is lost is damage, and not a gap that a reader passes over', async () => {
  for (const offset of [0, 3, 5]) {
    const disk = await writtenDisk()
    await lose(disk, markKey(GROUP, offset))
    const { store } = await recovered(disk)
    await assert.rejects(store.readMarks(GROUP, 0, 100), DamagedIndexError)
    await assert.rejects(store.findOffset(GROUP, offset), DamagedIndexError)
  }
})

test('a row under a key of no known kind makes the index worthless', async () => {
  for (const tag of [INDEX_TAG.RUN + 1, INDEX_TAG.MARK + 1]) {
    const disk = await writtenDisk()
    const key = Buffer.from([tag, 7])
    await disk.index.batch([{ type: 'put', key, value: Buffer.alloc(8) }], { sync: true })
    await recovered(disk)
    assert.deepEqual(await disk.index.scan({ ...tagRange(tag, tag + 1), countMax: 9 }), [])
  }
})
