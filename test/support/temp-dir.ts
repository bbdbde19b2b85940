import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A fresh folder that is removed after the test. */
export function tempDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'synod-test-'))
  // Hooks run in the order in which they were set, so what uses the folder may still be there and write to it.
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  return path
}
