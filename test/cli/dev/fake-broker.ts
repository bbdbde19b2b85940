import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrokerSpec } from '../../../src/cli/dev/supervisor.ts'

/** How a stand-in for a broker behaves. */
export type Manner = 'good' | 'fails' | 'ends-early' | 'stubborn' | 'removed' | 'removed-before'

/**
 * The shortest program that keeps the promises of `synod serve --ready-json`: it says when it is ready and stops when
 * its standard input ends. A stubborn one does not mind SIGTERM.
 */
const SCRIPT = `
const manner = process.argv[2]
if (manner === 'ends-early') process.exit(3)
if (manner === 'removed-before') console.log(JSON.stringify({ removed: true, id: '1' }))
else if (manner === 'fails') {
  console.log(JSON.stringify({ ready: false, error: 'The port is taken.', hint: 'Take another.', exitCode: 69 }))
  process.exitCode = 69
} else {
  if (manner === 'stubborn') process.on('SIGTERM', () => console.error('no'))
  process.stdin.on('end', () => process.exit(0)).resume()
  console.error('a line for the log')
  console.log('a line of somebody else')
  if (manner === 'removed') setTimeout(() => {
    console.log(JSON.stringify({ removed: true, id: '1' }))
    process.exit(0)
  }, 20)
  console.log(JSON.stringify({ ready: true, id: '1', url: 'http://127.0.0.1:1', pid: process.pid }))
}
`

export function fakeBroker(folder: string, id: string, manner: Manner = 'good'): BrokerSpec {
  const script = join(folder, 'fake-broker.cjs')
  writeFileSync(script, SCRIPT)
  return {
    id,
    command: process.execPath,
    args: [script, manner],
    env: process.env,
    logFile: join(folder, `broker-${id}.log`),
  }
}
