import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const made = new Set<string>()
let isAwaitingExit = false

/**
 * A fresh folder that is removed after the test. Hooks run in the order in which they were set, so what uses the folder may
 * still write to it then, and even make it again; whatever is left goes when the process ends.
 */
export function tempDir(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'synod-test-'))
  made.add(path)
  if (!isAwaitingExit) process.once('exit', () => made.forEach(remove))
  isAwaitingExit = true
  t.after(() => {
    try {
      remove(path)
    } catch {
      // Something is being written to it: the end of the process removes it.
    }
  })
  return path
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}
