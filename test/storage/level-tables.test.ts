import assert from 'node:assert/strict'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { LevelKeyValue } from '../../src/storage/level-key-value.ts'
import { findCutTables, findDamagedTables, isWholeTable, tablesIn } from '../../src/storage/level-tables.ts'
import { tempDir } from '../support/temp-dir.ts'

/** A folder with one table of several blocks. */
async function writeTable(t: TestContext): Promise<{ folder: string; name: string }> {
  const folder = join(tempDir(t), 'database')
  const database = await LevelKeyValue.open(folder, {
    writeBufferBytes: 1024 * 1024,
    cacheBytes: 65_536,
    mayCreate: true,
    damaged: (reason) => new Error(reason),
  })
  for (let at = 0; at < 40; at++) {
    const key = Buffer.from([1, at])
    await database.batch([{ type: 'put', key, value: Buffer.alloc(300, at) }], { sync: false })
  }
  await database.compact({ from: Buffer.from([1]), below: Buffer.from([2]) })
  await database.close()
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.ldb'))
  assert.ok(name !== undefined)
  return { folder, name }
}

test('finds every flipped bit of what LevelDB reads of a table', async (t) => {
  const { folder, name } = await writeTable(t)
  const table = await readFile(join(folder, name))
  assert.equal(isWholeTable(table), true)
  let unseenCount = 0
  for (let at = 0; at < table.length; at++) {
    const flipped = Buffer.from(table)
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
    if (isWholeTable(flipped)) unseenCount++
    // Between the two handles and the magic number the footer is filled up with bytes that nobody reads.
    if (at < table.length - 48 || at >= table.length - 8) assert.equal(isWholeTable(flipped), false, `${at}`)
  }
  assert.ok(unseenCount < 40, `${unseenCount} of ${table.length}`)
})

test('finds a table that was cut short, or is none', async (t) => {
  const { folder, name } = await writeTable(t)
  assert.deepEqual(await findDamagedTables(folder), [])
  const path = join(folder, name)
  const table = await readFile(path)
  for (const bytes of [table.length - 1, table.length / 2, 60, 8, 0]) {
    await writeFile(path, table)
    await truncate(path, Math.floor(bytes))
    assert.deepEqual(await findDamagedTables(folder), [name], `${bytes} bytes`)
    assert.deepEqual(await findCutTables(folder, [name]), [name], `${bytes} bytes`)
  }
  await writeFile(path, Buffer.alloc(table.length, 0xff))
  assert.deepEqual(await findDamagedTables(folder), [name])
  assert.deepEqual(await findCutTables(folder, [name]), [name])
})

test('a table whose end is there, or that is gone, is not called cut; a wrong bit in the index of its blocks is seen', async (t) => {
  const { folder, name } = await writeTable(t)
  assert.deepEqual(await tablesIn(folder), [name])
  assert.deepEqual(await findCutTables(folder, [name, '999999.ldb']), [])
  const path = join(folder, name)
  const table = await readFile(path)
  const at = table.length - 48 - 20
  table[at] = (table[at] as number) ^ 1
  await writeFile(path, table)
  assert.deepEqual(await findCutTables(folder, [name]), [name])
})
