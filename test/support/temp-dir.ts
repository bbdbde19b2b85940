import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A fresh folder that is removed after the test. */
export function tempDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'synod-test-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
