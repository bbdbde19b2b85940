import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLevelStore } from '../../src/storage/level-log-store.ts'
import { DamagedStoreError, DataFolderError } from '../../src/storage/storage-errors.ts'
import { tempDir } from '../support/temp-dir.ts'
import { logStoreSuite } from './log-store-suite.ts'
import { bodiesOf, GROUP, persist, SampleLog, TestHost } from './samples.ts'

logStoreSuite('level', (t) => {
  const folder = tempDir(t)
  return (options) => openLevelStore(folder, options)
})

test('says in one sentence that another broker uses the folder', async (t) => {
  const folder = tempDir(t)
  const store = await openLevelStore(folder, new TestHost().options())
  t.after(() => store.close())
  await assert.rejects(openLevelStore(folder, new TestHost().options()), (error) => {
    assert.ok(error instanceof DataFolderError)
    assert.equal(error.message, `The data folder ${folder} is in use by another broker.`)
    return true
  })
})

test('a note that is damaged on disk is no note', async (t) => {
  const folder = tempDir(t)
  const store = await openLevelStore(folder, new TestHost().options())
  t.after(() => store.close())
  await store.notes.write('seen', [{ walSeq: 12 }])
  const path = join(folder, 'seen.json')
  assert.deepEqual(await store.notes.read('seen'), [{ walSeq: 12 }])
  await writeFile(path, (await readFile(path, 'utf8')).replace('12', '13'))
  assert.equal(await store.notes.read('seen'), undefined)
  await writeFile(path, '{"cr')
  assert.equal(await store.notes.read('seen'), undefined)
})

test('never takes a folder whose journal is gone for a new one', async (t) => {
  const folder = tempDir(t)
  await (await openLevelStore(folder, new TestHost().options())).close()
  await rm(join(folder, 'journal'), { recursive: true })
  await assert.rejects(openLevelStore(folder, new TestHost().options()), DamagedStoreError)
})

test('refuses a journal that LevelDB cannot open, and leaves it as it is', async (t) => {
  const folder = tempDir(t)
  await (await openLevelStore(folder, new TestHost().options())).close()
  const current = join(folder, 'journal', 'CURRENT')
  await writeFile(current, 'nonsense\n')
  await assert.rejects(openLevelStore(folder, new TestHost().options()), (error) => {
    assert.ok(error instanceof DamagedStoreError)
    assert.match(error.message, /The journal in .* cannot be opened/)
    return true
  })
  assert.equal(await readFile(current, 'utf8'), 'nonsense\n')
})

test('refuses a store.json of another store', async (t) => {
  const folder = tempDir(t)
  await (await openLevelStore(folder, new TestHost().options())).close()
  const path = join(folder, 'store.json')
  await writeFile(path, (await readFile(path, 'utf8')).replace('0011', '1111'))
  await assert.rejects(openLevelStore(folder, new TestHost().options()), DamagedStoreError)
})

test('rebuilds an index that is lost or cannot be opened', async (t) => {
  const folder = tempDir(t)
  const log = new SampleLog()
  let store = await openLevelStore(folder, new TestHost().options())
  await store.recover()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b'])])
  await store.close()
  for (const spoil of [
    () => rm(join(folder, 'index'), { recursive: true }),
    () => writeFile(join(folder, 'index', 'CURRENT'), 'nonsense\n'),
  ]) {
    await spoil()
    store = await openLevelStore(folder, new TestHost().options())
    const groups = await store.recover()
    assert.equal(groups[0]?.tail.length, 2)
    assert.deepEqual(await bodiesOf(store, 1, 9), ['a', 'b'])
    await store.close()
  }
})

test('tells the free space of its disk', async (t) => {
  const folder = tempDir(t)
  const { brokerId, onFailure } = new TestHost().options()
  const store = await openLevelStore(folder, { brokerId, onFailure })
  t.after(() => store.close())
  const space = await store.space()
  assert.ok(space.freeBytes > 0)
  assert.match(store.identity.storeId, /^[0-9a-f]{32}$/)
})
