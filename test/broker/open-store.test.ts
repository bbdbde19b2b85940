import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openBrokerStore } from '../../src/broker/open-store.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import { brokerId } from '../../src/types/ids.ts'
import { tempDir } from '../support/temp-dir.ts'

function opener(t: TestContext, { hasPeers = true } = {}) {
  const folder = tempDir(t)
  const warnings: string[] = []
  const open = async () => {
    const store = await openBrokerStore(folder, {
      brokerId: brokerId(1),
      hasPeers,
      onFailure: assert.ifError,
      warn: (sentence) => void warnings.push(sentence),
    })
    t.after(() => store.close())
    await store.recover()
    return store
  }
  return { folder, warnings, open }
}

test('a store that an earlier start found to have forgotten is set aside as it is, and an empty one takes its place', async (t) => {
  const { folder, warnings, open } = opener(t)
  const old = await open()
  const { storeId } = old.identity
  await old.notes.write('seen', ['what was seen of others stays'])
  await old.notes.write('outsider', { storeId, reason: 'It has forgotten.' })
  await old.close()
  const next = await open()
  assert.notEqual(next.identity.storeId, storeId)
  assert.deepEqual(warnings, [`It has forgotten. It is set aside as ${join(folder, `damaged-${storeId}`)}.`])
  const kept = await readdir(join(folder, `damaged-${storeId}`))
  for (const part of ['journal', 'index', 'store.json', 'outsider.json']) assert.ok(kept.includes(part), part)
  assert.deepEqual(await next.notes.read('replaces'), { storeId })
  assert.deepEqual(await next.notes.read('seen'), ['what was seen of others stays'])
  await next.close()
  const again = await open()
  assert.equal(again.identity.storeId, next.identity.storeId, 'The new one is kept.')
})

test('setting aside goes on where a crash stopped it', async (t) => {
  const { folder, open } = opener(t)
  const old = await open()
  const { storeId } = old.identity
  await old.close()
  // The journal has moved already, store.json has not.
  await rm(join(folder, 'journal'), { recursive: true })
  const next = await open()
  assert.notEqual(next.identity.storeId, storeId)
  assert.ok((await readdir(join(folder, `damaged-${storeId}`))).includes('store.json'))
})

test('a store that does not say whose it is is set aside too', async (t) => {
  const { folder, warnings, open } = opener(t)
  await (await open()).close()
  await writeFile(join(folder, 'store.json'), 'no identity')
  await open()
  assert.match(warnings.join(), /damaged-unknown\.$/)
})

for (const [what, file] of [
  ['names no manifest', 'CURRENT'],
  ['does not hold what LevelDB wrote there', 'MANIFEST'],
] as const) {
  test(`a store whose journal cannot be opened, because ${file} ${what}, is set aside and not tried again and again`, async (t) => {
    const { folder, warnings, open } = opener(t)
    const old = await open()
    const { storeId } = old.identity
    await old.close()
    const names = await readdir(join(folder, 'journal'))
    const name = names.find((found) => found.startsWith(file.slice(0, 7)))
    assert.ok(name !== undefined)
    await writeFile(join(folder, 'journal', name), 'MANIFEST-777777\n')
    const next = await open()
    assert.notEqual(next.identity.storeId, storeId)
    assert.equal(warnings.length, 1)
    assert.match(
      warnings[0] ?? '',
      /^The journal in .* cannot be opened .*\. The store is set aside as .*\.$/,
    )
    assert.ok((await readdir(join(folder, `damaged-${storeId}`))).includes('journal'))
  })
}

test('a broker alone keeps its damaged store and does not start: nobody else has the data', async (t) => {
  const { folder, open } = opener(t, { hasPeers: false })
  await (await open()).close()
  await rm(join(folder, 'journal'), { recursive: true })
  await assert.rejects(open(), DamagedStoreError)
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('damaged')),
    [],
  )
})
