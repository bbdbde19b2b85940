import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { lockFolder } from '../../../src/cli/dev/folder-lock.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { tempDir } from '../../support/temp-dir.ts'

const MODULE = new URL('../../../src/cli/dev/folder-lock.js', import.meta.url).href

describe('lockFolder', () => {
  test('refuses a second holder with one sentence, and frees the folder at release', async (t) => {
    const folder = join(tempDir(t), 'data')
    const lock = await lockFolder(folder)
    await assert.rejects(
      lockFolder(folder),
      (error) =>
        error instanceof CommandError &&
        error.exitCode === EXIT.dataFolder &&
        error.message.startsWith('Another synod dev runs on'),
    )
    await lock.release()
    await (await lockFolder(folder)).release()
  })

  test('locks a folder whose path is too long for a socket', async (t) => {
    const folder = join(tempDir(t), 'x'.repeat(120))
    const lock = await lockFolder(folder)
    await assert.rejects(lockFolder(folder), CommandError)
    await lock.release()
  })

  test('is not held by a process that was killed', async (t) => {
    const folder = tempDir(t)
    const script = `await (await import(${JSON.stringify(MODULE)})).lockFolder(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await assert.rejects(lockFolder(folder), CommandError)
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.ok(existsSync(join(folder, 'dev.sock')))
    await (await lockFolder(folder)).release()
  })
})
