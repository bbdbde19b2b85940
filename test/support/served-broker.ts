import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { MAIN } from './dev-cluster.ts'

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** One broker that is a cluster by itself, started by `synod serve` as an operator does it. */
export interface ServedBroker {
  readonly url: string
  readonly pid: number
  /** What it has written to standard error, its log, so far. */
  readonly stderr: () => string
  readonly ended: Promise<Ending>
  /** Whether there was a process to send it to: one that has ended by itself is left alone. */
  kill(signal: NodeJS.Signals): boolean
  stop(): Promise<Ending>
}

/** Starts it on free ports over the folder. Whoever starts it stops it. */
export async function launchBroker(folder: string, args: readonly string[] = []): Promise<ServedBroker> {
  const settings = ['--broker-id', '1', '--data-folder', folder, '--public-port', '0', '--internal-port', '0']
  const child = spawn(
    process.execPath,
    ['--disable-proto=delete', MAIN, 'serve', '--ready-json', ...settings, ...args],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const ended = (once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>).then(
    ([code, signal]) => ({ code, signal, stderr }),
  )
  const url = await Promise.race([
    new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as { readonly ready: boolean; readonly url: string }
        if (line.ready) resolve(line.url)
      })
    }),
    ended.then(({ code, signal }) => {
      throw new Error(`The broker ended before it was ready, with code ${code}, signal ${signal}:\n${stderr}`)
    }),
  ])
  return {
    url,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    ended,
    kill: (signal) => child.kill(signal),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}
