import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openLevelStore } from '../../src/storage/level-log-store.ts'
import type { LevelLogStore } from '../../src/storage/level-log-store.ts'
import { tempDir } from '../support/temp-dir.ts'
import { applied, bodiesOf, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

const APPLIED = 27
const BODIES = Array.from({ length: 30 }, (_, at) => `body ${at + 1}`)

interface Opened {
  readonly store: LevelLogStore
  readonly warnings: readonly string[]
}

async function open(folder: string): Promise<Opened> {
  const host = new TestHost()
  return { store: await openLevelStore(folder, host.options()), warnings: host.warnings }
}

/** A store as a power cut leaves it: its index has several tables, and nobody closed it. */
async function crashedStore(t: TestContext): Promise<string> {
  const base = tempDir(t)
  const folder = join(base, 'running')
  const log = new SampleLog()
  for (const [at, from] of [0, 10, 20].entries()) {
    const { store } = await open(folder)
    await store.recover()
    if (at === 0) await persist(store, OTHER, [new SampleLog().promise(5)])
    await persist(store, GROUP, [log.promise(at + 1)])
    for (let slot = from + 1; slot <= from + 10; slot++) {
      await persist(store, GROUP, log.write(slot, [`body ${slot}`]))
      if (slot <= APPLIED) store.indexApplied(applied(slot, slot))
    }
    await store.close()
  }
  const { store } = await open(folder)
  await cp(folder, join(base, 'crashed'), { recursive: true })
  await store.close()
  return join(base, 'crashed')
}

/** Opens it and looks at all that was acknowledged. Returns what the operator was told. */
async function serve(folder: string): Promise<readonly string[]> {
  const { store, warnings } = await open(folder)
  try {
    const groups = await store.recover()
    assert.deepEqual(groups.map(({ group, state }) => [group, state.promised.round]).sort(), [
      [GROUP, 3],
      [OTHER, 5],
    ])
    assert.deepEqual(await bodiesOf(store, 1, 99), BODIES)
    const found = groups.find(({ group }) => group === GROUP)
    const at = found?.applied.slot ?? -1
    assert.ok(at === APPLIED || at === 0, `applied ${at}`)
    assert.equal(found?.tail.length, BODIES.length - at)
    assert.equal((await store.readMarks(GROUP, 0, 99)).length, at)
    const rows = (await store.recoverRows(GROUP)).map(({ value }) => String(value))
    assert.deepEqual(rows, at === 0 ? [] : [String(APPLIED)])
  } finally {
    await store.close()
  }
  return warnings
}

/** The spoilt copy comes up with everything and says so; afterwards it is as good as new. */
async function assertMended(
  t: TestContext,
  crashed: string,
  spoil: (index: string) => Promise<unknown>,
  mayGoUnseen = false,
): Promise<void> {
  const folder = join(tempDir(t), 'spoilt')
  await cp(crashed, folder, { recursive: true })
  await spoil(join(folder, 'index'))
  const warnings = await serve(folder)
  if (!mayGoUnseen) assert.equal(warnings.length, 1, 'told once')
  for (const warning of warnings) assert.match(warning, /^The index .* rebuilt from the journal[.:]/)
  assert.deepEqual(await serve(folder), [])
}

const filesOf = async (index: string, pattern: RegExp): Promise<string[]> =>
  (await readdir(index)).filter((name) => pattern.test(name)).map((name) => join(index, name))

test('comes up without a warning after a crash that damaged nothing', async (t) => {
  const crashed = await crashedStore(t)
  assert.deepEqual(await serve(crashed), [])
})

test('rebuilds an index whose files are gone', async (t) => {
  const crashed = await crashedStore(t)
  await assertMended(t, crashed, (index) => rm(index, { recursive: true }))
  for (const pattern of [/^CURRENT$/, /^MANIFEST/, /\.ldb$/]) {
    await assertMended(t, crashed, async (index) => await rm((await filesOf(index, pattern))[0] as string))
  }
})

test('keeps an index that was set aside for inspection, and only the newest one', async (t) => {
  const crashed = await crashedStore(t)
  for (const text of ['first', 'second']) {
    await writeFile(join(crashed, 'index', 'CURRENT'), text)
    assert.equal((await serve(crashed)).length, 1)
    assert.equal(await readFile(join(crashed, 'index-damaged', 'CURRENT'), 'utf8'), text)
  }
})

test('rebuilds an index whose MANIFEST was cut short', async (t) => {
  const crashed = await crashedStore(t)
  const [manifest] = await filesOf(join(crashed, 'index'), /^MANIFEST/)
  const { size } = await stat(manifest as string)
  for (const left of [0, 7, Math.floor(size / 2), size - 1]) {
    await assertMended(t, crashed, async (index) => {
      await truncate((await filesOf(index, /^MANIFEST/))[0] as string, left)
    })
  }
})

test('rebuilds an index with a flipped bit anywhere in its tables', async (t) => {
  const crashed = await crashedStore(t)
  const names = await readdir(join(crashed, 'index'))
  for (const name of names.filter((file) => file.endsWith('.ldb'))) {
    const table = await readFile(join(crashed, 'index', name))
    for (let at = 3; at < table.length; at += 131) {
      const flipped = Buffer.from(table)
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
      // Some bytes at the end of a table mean nothing.
      const mayGoUnseen = at >= table.length - 48
      await assertMended(t, crashed, (index) => writeFile(join(index, name), flipped), mayGoUnseen)
    }
  }
})

test('takes a table that a crash left unfinished for no damage', async (t) => {
  const crashed = await crashedStore(t)
  const unfinished = join(crashed, 'index', '009999.ldb')
  await writeFile(unfinished, 'the beginning of a tab')
  assert.deepEqual(await serve(crashed), [])
  assert.deepEqual(await filesOf(join(crashed, 'index'), /9999|unreadable/), [])
})
