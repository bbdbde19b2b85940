import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.ts'
import { tempDir } from './temp-dir.ts'

/** The command as it is built. */
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface DevBroker {
  readonly id: string
  readonly url: string
  readonly pid: number
}

/** A cluster as a user starts it: `synod dev`, each broker a process of its own, real disks and sockets. */
export interface DevCluster {
  readonly folder: string
  /** By id; pids change when a broker is started again. */
  brokers(): readonly DevBroker[]
  broker(id: string): DevBroker
  readonly lines: readonly string[]
  /** Ends a broker at once, as a power cut would end its process. */
  kill(id: string): void
  signal(id: string, signal: NodeJS.Signals): void
  /** Stops everything as Ctrl-C does and returns the exit code. */
  stop(): Promise<number | null>
  /** Ends the command alone, at once. */
  killCommand(): void
  /** Ends all brokers and the command itself at once. */
  killAll(): Promise<void>
}

export interface DevOptions {
  readonly brokers?: number
  readonly folder?: string
  readonly args?: readonly string[]
}

/** Starts it on free ports in a temp folder and waits until it says that it is ready. Stopped after the test. */
export async function startDev(t: TestContext, options: DevOptions = {}): Promise<DevCluster> {
  const started: { cluster?: DevCluster } = {}
  // Set before the folder's own hook, so that nothing writes to it any more when it is removed.
  t.after(() => started.cluster?.stop())
  const folder = options.folder ?? tempDir(t)
  started.cluster = await launchDev({ ...options, folder })
  return started.cluster
}

/** As `startDev`, for those who stop it themselves. */
export async function launchDev(options: DevOptions & { readonly folder: string }): Promise<DevCluster> {
  try {
    return await launchOnce(options)
  } catch (error) {
    // Another test that starts at the same moment may have drawn the same port. The next start draws anew.
    if (!String(error).includes('is taken by another process')) throw error
    return await launchOnce(options)
  }
}

async function launchOnce(options: DevOptions & { readonly folder: string }): Promise<DevCluster> {
  const { folder } = options
  const args = [
    'dev',
    '--brokers',
    String(options.brokers ?? 3),
    '--port',
    '0',
    '--data',
    folder,
    '--json',
    ...(options.args ?? []),
  ]
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let brokers: DevBroker[] = []
  const closed = once(child, 'close') as Promise<[number | null]>
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      const message = parse(line)
      if (message?.['brokers'] !== undefined) brokers = message['brokers'] as DevBroker[]
      if (message?.['ready'] === true) resolve()
    })
    createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
    void closed.then(() => reject(new Error(`synod dev ended before it was ready:\n${lines.join('\n')}`)))
  })
  await ready
  return handle(child, closed, folder, lines, () => brokers)
}

function handle(
  child: ChildProcess,
  closed: Promise<[number | null]>,
  folder: string,
  lines: string[],
  brokers: () => readonly DevBroker[],
): DevCluster {
  const broker = (id: string) => {
    const found = brokers().find((candidate) => candidate.id === id)
    if (found === undefined) throw new Error(`No broker ${id}.`)
    return found
  }
  return {
    folder,
    lines,
    brokers,
    broker,
    kill: (id) => process.kill(broker(id).pid, 'SIGKILL'),
    signal: (id, signal) => process.kill(broker(id).pid, signal),
    async stop() {
      for (const { pid } of brokers()) trySignal(pid, 'SIGCONT')
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const [code] = await closed
      return code
    },
    killCommand: () => void child.kill('SIGKILL'),
    async killAll() {
      child.kill('SIGKILL')
      for (const { pid } of brokers()) trySignal(pid, 'SIGKILL')
      await closed
      await eventually(() => {
        for (const { pid } of brokers())
          if (trySignal(pid, 0)) throw new Error(`Process ${pid} is still there.`)
      })
    },
  }
}

function trySignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
}
