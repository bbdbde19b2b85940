import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { JournalTrial } from '../../src/storage/journal-trial.ts'
import { openLevelStore } from '../../src/storage/level-log-store.ts'
import { NotesOnDisk } from '../../src/storage/notes.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import { tempDir } from '../support/temp-dir.ts'
import { bodiesOf, GROUP, persist, SampleLog, TestHost } from './samples.ts'

const RUNS = 3

/** A store as a kill leaves it, with several tables in its journal and the newest records in the database's own log. */
async function killedStore(t: TestContext): Promise<string> {
  const base = tempDir(t)
  const folder = join(base, 'running')
  const log = new SampleLog()
  for (let run = 0; run < RUNS; run++) {
    const store = await openLevelStore(folder, new TestHost().options())
    await store.recover()
    await persist(store, GROUP, [log.promise(run + 1)])
    for (let at = 1; at <= 10; at++) await persist(store, GROUP, log.write(run * 10 + at, [`body ${at}`]))
    if (run < RUNS - 1) await store.close()
    else {
      await cp(folder, join(base, 'killed'), { recursive: true })
      await store.close()
    }
  }
  return join(base, 'killed')
}

/** What a start that is killed soon leaves behind, without doing anything that could end this process. */
async function noteShortRuns(folder: string, count: number): Promise<void> {
  const store = await openLevelStore(folder, new TestHost().options())
  await store.notes.write('short-runs', { count })
  const note = await readFile(join(folder, 'short-runs.json'))
  await store.close()
  await writeFile(join(folder, 'short-runs.json'), note)
}

test('counts runs until one is closed in good order', async (t) => {
  const folder = await killedStore(t)
  assert.ok(existsSync(join(folder, 'short-runs.json')))
  const store = await openLevelStore(folder, new TestHost().options())
  assert.deepEqual(await store.notes.read('short-runs'), { count: 2 })
  await store.close()
  assert.equal(existsSync(join(folder, 'short-runs.json')), false)
})

test('reads a whole journal after two short runs, and goes on with it', async (t) => {
  const folder = await killedStore(t)
  await noteShortRuns(folder, 7)
  const store = await openLevelStore(folder, new TestHost().options())
  assert.deepEqual(await store.notes.read('short-runs'), { count: 8 })
  await store.recover()
  assert.equal((await bodiesOf(store, 1, 99)).length, RUNS * 10)
  await store.close()
})

test('takes a journal whose keys LevelDB cannot stand for a damaged store, and lives', async (t) => {
  const folder = await killedStore(t)
  await noteShortRuns(folder, 2)
  const journal = join(folder, 'journal')
  const tables = (await readdir(journal)).filter((name) => name.endsWith('.ldb'))
  assert.ok(tables.length >= 2, tables.join(' '))
  for (const name of tables) {
    const path = join(journal, name)
    const table = await readFile(path)
    // The first key of a block: nothing shared with one before, then its length. LevelDB's own part of it has eight bytes.
    assert.equal(table[0], 0)
    assert.ok((table[1] as number) > 8)
    table[1] = 4
    await writeFile(path, table)
  }
  await assert.rejects(openLevelStore(folder, new TestHost().options()), (error) => {
    assert.ok(error instanceof DamagedStoreError)
    assert.match(error.message, /^The journal in .* is broken: reading it ends the process with SIGABRT\.$/)
    return true
  })
})

test('takes a journal with a table that ends too soon for a damaged store, at the first start', async (t) => {
  const folder = await killedStore(t)
  const journal = join(folder, 'journal')
  const last = (await readdir(journal))
    .filter((name) => name.endsWith('.ldb'))
    .sort()
    .at(-1) as string
  await truncate(join(journal, last), (await stat(join(journal, last))).size - 100)
  await assert.rejects(openLevelStore(folder, new TestHost().options()), (error) => {
    assert.ok(error instanceof DamagedStoreError)
    assert.match(error.message, /is damaged: \d+\.ldb has lost its end\.$/)
    return true
  })
})

test('a write that fails because of what a table holds has the journal read at the next start', async (t) => {
  const folder = tempDir(t)
  const notes = new NotesOnDisk(folder)
  const trial = new JournalTrial(join(folder, 'journal'), notes)
  assert.equal(await trial.begin(), undefined)
  await trial.failed(new Error('IO error: journal/000009.log: Input/output error'))
  assert.deepEqual(await notes.read('short-runs'), { count: 1 })
  await trial.failed(new Error('IO error: journal/000005.ldb: Invalid argument'))
  assert.deepEqual(await notes.read('short-runs'), { count: 2 })
})
