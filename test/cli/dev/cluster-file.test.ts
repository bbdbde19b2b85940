import assert from 'node:assert/strict'
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import {
  clusterFilePath,
  newClusterSecret,
  readClusterFile,
  writeClusterFile,
} from '../../../src/cli/dev/cluster-file.ts'
import type { DevClusterFile } from '../../../src/cli/dev/cluster-file.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { tempDir } from '../../support/temp-dir.ts'

function example(): DevClusterFile {
  return {
    version: 1,
    clusterSecret: newClusterSecret(),
    brokers: [{ id: 1, publicPort: 8080, internalPort: 20_001 }],
  }
}

function mode(path: string): number {
  return statSync(path).mode & 0o777
}

describe('the cluster file', () => {
  test('is read as it was written, and only its owner can read it', (t) => {
    const folder = join(tempDir(t), 'new', 'folder')
    const content = example()
    assert.equal(readClusterFile(folder), undefined)
    writeClusterFile(folder, content)
    assert.deepEqual(readClusterFile(folder), content)
    assert.equal(mode(clusterFilePath(folder)), 0o600)
    assert.deepEqual(readdirSync(folder), ['cluster.json'])
  })

  test('gets its mode back when a copy has lost it', (t) => {
    const folder = tempDir(t)
    writeClusterFile(folder, example())
    chmodSync(clusterFilePath(folder), 0o644)
    readClusterFile(folder)
    assert.equal(mode(clusterFilePath(folder)), 0o600)
  })

  test('is refused when it is damaged', (t) => {
    const folder = tempDir(t)
    const good = example()
    const damaged = [
      '{"version":1',
      '[]',
      'null',
      JSON.stringify({ ...good, version: 2 }),
      JSON.stringify({ ...good, clusterSecret: 'short' }),
      JSON.stringify({ ...good, brokers: [] }),
      JSON.stringify({ ...good, brokers: [{ id: 1, publicPort: 0, internalPort: 1 }] }),
    ]
    for (const text of damaged) {
      writeFileSync(clusterFilePath(folder), text)
      assert.throws(
        () => readClusterFile(folder),
        (error) =>
          error instanceof CommandError &&
          error.exitCode === EXIT.dataFolder &&
          error.message.includes('cluster.json'),
      )
    }
  })

  test('has a key of 32 random bytes', () => {
    assert.match(newClusterSecret(), /^[0-9a-f]{64}$/)
    assert.notEqual(newClusterSecret(), newClusterSecret())
  })
})
