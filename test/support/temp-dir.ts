import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/**
 * A fresh folder that is removed after the test. Hooks run in the order in which they were set, so what uses the folder may
 * still write to it then; it must not keep later hooks from stopping that, so the rest goes when the process ends.
 */
export function tempDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'synod-test-'))
  const remove = (): void => rmSync(path, { recursive: true, force: true })
  t.after(() => {
    try {
      remove()
    } catch {
      process.once('exit', remove)
    }
  })
  return path
}
