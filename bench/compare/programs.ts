import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../test/support/eventually.ts'

const PEERS = fileURLToPath(new URL('../../../bench/peers', import.meta.url))
const CACHE = join(PEERS, '../.cache')
const STARTED_WITHIN_MS = 30_000

/** Where a program is that bench/peers/install.sh installs, or undefined. */
export function programOf(name: string): string | undefined {
  const folders = [CACHE, ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

export const POST_LUA = join(PEERS, 'post.lua')

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a server whose output goes to a file; it ends with this process at the latest. */
export function serve(
  program: string,
  args: readonly string[],
  logFile: string,
): { readonly pid: number; readonly stop: () => Promise<void> } {
  const log = openSync(logFile, 'a')
  const child = spawn(program, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  running.add(child)
  const ended = once(child, 'close')
  ended.then(
    () => running.delete(child),
    () => running.delete(child),
  )
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  return { pid: child.pid!, stop }
}

/** Starts a program that is talked to; `stop` ends its input, and it itself. */
export function converse(
  program: string,
  args: readonly string[],
): { readonly child: ChildProcessByStdio<Writable, Readable, null>; readonly stop: () => Promise<void> } {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  running.add(child)
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.stdin.end()
    await ended
    running.delete(child)
  }
  return { child, stop }
}

/** Runs a program to its end; returns what it wrote. */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.add(child)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const [code] = (await once(child, 'close')) as [number | null]
  running.delete(child)
  if (code !== 0) throw new Error(`${program} ended with ${code}.`)
  return text
}

/** Until somebody listens there. */
export async function listens(port: number): Promise<void> {
  await eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' })
        socket.once('error', reject).once('connect', () => {
          socket.destroy()
          resolve()
        })
      }),
    { timeoutMs: STARTED_WITHIN_MS },
  )
}
