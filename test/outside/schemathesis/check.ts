import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { launchDev } from '../../support/dev-cluster.ts'
import { OUTSIDE, pythonEnvironment, run, type CheckOutcome } from '../prepare.ts'

const FOLDER = join(OUTSIDE, 'schemathesis')
const DOCUMENT = join(OUTSIDE, '../../openapi/openapi.yaml')
/** The same cases each time. */
const SEED = 20261123

/** Schemathesis reads the document, asks three brokers whatever it allows and forbids, and holds the answers against it. */
export async function checkWithSchemathesis(): Promise<CheckOutcome> {
  const programs = pythonEnvironment('schemathesis', join(FOLDER, 'requirements.txt'))
  const folder = mkdtempSync(join(tmpdir(), 'synod-schemathesis-'))
  const cluster = await launchDev({ folder })
  let text = ''
  let code: number
  try {
    const url = cluster.brokers()[0]!.url
    const configuration = ['--config-file', join(FOLDER, 'schemathesis.toml')]
    const args = [...configuration, 'run', DOCUMENT, '--url', url, '--seed', String(SEED), '--no-color']
    code = await run(join(programs, 'schemathesis'), args, {
      cwd: FOLDER,
      onText: (piece) => {
        text += piece
        process.stdout.write(piece)
      },
    })
  } finally {
    await cluster.stop()
  }
  const sentence =
    /^\s+(\d+ generated.*)$/m.exec(text)?.[1] ?? 'Its output does not say how many cases there were.'
  if (code === 0) rmSync(folder, { recursive: true, force: true })
  else console.log(`The brokers' logs and data are in ${folder}.`)
  return { kind: code === 0 ? 'passed' : 'failed', sentence }
}
