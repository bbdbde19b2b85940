import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { checkDisk, checkFolder, checkNode, checkPort, judgeRoom } from '../../../src/cli/doctor/machine.ts'
import { tempDir } from '../../support/temp-dir.ts'

const GIB = 1024 ** 3

describe('doctor on this machine', () => {
  test('knows which versions of Node do not fit and which are old', () => {
    const levels = ['v18.20.0', '20.18.9', '20.19.0', '21.0.0', '22.0.0', '26.1.0'].map(
      (each) => checkNode(each).level,
    )
    assert.deepEqual(levels, ['problem', 'problem', 'warning', 'warning', 'ok', 'ok'])
  })

  test('knows a folder that is to be made, an empty one, and one with the stores of several brokers', async (t) => {
    const folder = tempDir(t)
    const sentence = async (path: string): Promise<string | undefined> =>
      (await checkFolder(path))[0]?.sentence
    assert.match((await sentence(join(folder, 'a', 'b'))) ?? '', /is not there yet/)
    assert.match((await sentence(folder)) ?? '', /holds no broker yet/)
    for (const name of ['broker-1', 'broker-2']) {
      mkdirSync(join(folder, name, 'journal'), { recursive: true })
      writeFileSync(join(folder, name, 'store.json'), '{}')
    }
    writeFileSync(join(folder, 'broker-2', 'outsider.json'), '{}')
    assert.deepEqual(
      (await checkFolder(folder)).map(({ level }) => level),
      ['ok', 'warning'],
    )
  })

  test('sees a store that has lost a part or is damaged', async (t) => {
    const folder = tempDir(t)
    mkdirSync(join(folder, 'journal'))
    assert.match((await checkFolder(folder))[0]?.sentence ?? '', /lost its store\.json/)
    writeFileSync(join(folder, 'store.json'), '{"stor')
    assert.match((await checkFolder(folder))[0]?.sentence ?? '', /is damaged/)
    const other = tempDir(t)
    writeFileSync(join(other, 'store.json'), '{}')
    assert.match((await checkFolder(other))[0]?.sentence ?? '', /lost its journal/)
  })

  test('judges room as a broker does', () => {
    const level = (freeBytes: number, totalBytes: number): string =>
      judgeRoom('/d', { freeBytes, totalBytes }).level
    assert.equal(level(0.4 * GIB, 2 * GIB), 'problem')
    assert.equal(level(4 * GIB, 100 * GIB), 'problem')
    assert.equal(level(8 * GIB, 100 * GIB), 'warning')
    assert.equal(level(20 * GIB, 100 * GIB), 'ok')
  })

  test('measures a sync and leaves nothing behind', async (t) => {
    const folder = tempDir(t)
    const [, sync] = await checkDisk(join(folder, 'not-there'))
    assert.match(sync?.sentence ?? '', /is on the disk at .* after \d+\.\d\d ms \(median\)/)
    assert.deepEqual(readdirSync(folder), [])
  })

  test('sees a port that is taken, by whom it may be, and an address that is not of this machine', async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const taken = { name: 'public.port', host: '127.0.0.1', port }
    assert.equal((await checkPort(taken, undefined)).level, 'problem')
    assert.equal((await checkPort(taken, '1')).level, 'ok')
    assert.equal((await checkPort({ ...taken, port: 0 }, undefined)).level, 'ok')
    assert.equal((await checkPort({ ...taken, host: '192.0.2.1' }, undefined)).level, 'problem')
  })
})
