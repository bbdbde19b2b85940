import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Random } from '../sim/random.ts'
import { tempDir } from '../support/temp-dir.ts'
import { flipIn, KINDS, truncateIn } from './kinds.ts'

const JOURNAL_LOG = KINDS.find(({ name }) => name === 'journal/*.log')!
const BYTES = Buffer.from('what was written')

function dataFolder(t: TestContext): { folder: string; path: string } {
  const folder = tempDir(t)
  mkdirSync(join(folder, 'journal'))
  const path = join(folder, 'journal', '000003.log')
  writeFileSync(path, BYTES)
  return { folder, path }
}

test('one bit of one file is flipped', (t) => {
  const { folder, path } = dataFolder(t)
  assert.match(flipIn(folder, JOURNAL_LOG, new Random(1)) ?? '', /^journal\/000003\.log bit \d of byte/)
  const flipped = readFileSync(path).map((byte, at) => byte ^ BYTES[at]!)
  assert.equal(flipped.length, BYTES.length)
  assert.equal([...flipped].filter((byte) => byte !== 0).length, 1)
})

test('a file that is cut is shorter, and the same up to there', (t) => {
  const { folder, path } = dataFolder(t)
  assert.match(truncateIn(folder, JOURNAL_LOG, new Random(1)) ?? '', /^journal\/000003\.log cut to/)
  const rest = readFileSync(path)
  assert.ok(rest.length < BYTES.length)
  assert.deepEqual(rest, BYTES.subarray(0, rest.length))
})

test('where there is no file of a kind nothing is damaged', (t) => {
  for (const damage of [flipIn, truncateIn])
    for (const kind of KINDS) assert.equal(damage(tempDir(t), kind, new Random(1)), undefined)
})
