import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, renameSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError, EXIT } from '../exit-codes.ts'

/** How one broker's process is started. */
export interface BrokerSpec {
  readonly id: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Gets what the process writes to standard error. */
  readonly logFile: string
}

export type BrokerEvent =
  | {
      readonly kind: 'ready'
      readonly id: string
      readonly pid: number
      readonly url: string
      readonly isRestart: boolean
    }
  /** The cluster removed it: it is not started again. */
  | { readonly kind: 'removed'; readonly id: string; readonly pid: number }
  | { readonly kind: 'ended'; readonly id: string; readonly pid: number; readonly reason: string }

export interface SupervisorOptions {
  /** Undefined: a broker that ended stays so. */
  readonly restartDelayMs: number | undefined
  /** A broker that has not ended so long after SIGTERM is killed. */
  readonly killAfterMs: number
  readonly onEvent: (event: BrokerEvent) => void
}

interface Broker {
  readonly spec: BrokerSpec
  child: ChildProcess | undefined
  url: string | undefined
  isRemoved: boolean
  ended: Promise<void>
  restartTimer: NodeJS.Timeout | undefined
}

export interface RunningProcess {
  readonly id: string
  readonly url: string
  readonly pid: number
}

const LOG_FILE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Runs brokers as processes of their own, starts again what ends, and leaves none behind: each child holds the other end
 * of its standard input, and stops when that closes, which the system does however this process ends.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #brokers: readonly Broker[]
  #isStopping = false

  constructor(specs: readonly BrokerSpec[], options: SupervisorOptions) {
    this.#options = options
    this.#brokers = specs.map((spec) => ({
      spec,
      child: undefined,
      url: undefined,
      isRemoved: false,
      ended: Promise.resolve(),
      restartTimer: undefined,
    }))
  }

  /** Those that run and have said that they are ready. */
  get running(): readonly RunningProcess[] {
    return this.#brokers.flatMap(({ spec, child, url }) =>
      child?.pid === undefined || url === undefined ? [] : [{ id: spec.id, url, pid: child.pid }],
    )
  }

  /** Resolves when every broker is ready; rejects with the sentence of the first that cannot start. */
  async start(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => this.#launch(broker, false)))
  }

  /** Ends every broker, gently at first. None is left when it resolves. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const ending = this.#brokers.map(async (broker) => {
      clearTimeout(broker.restartTimer)
      const child = broker.child
      if (child === undefined) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.killAfterMs)
      await broker.ended
      clearTimeout(timer)
    })
    await Promise.all(ending)
  }

  /** Ends every broker at once. */
  kill(): void {
    this.#isStopping = true
    for (const { child } of this.#brokers) child?.kill('SIGKILL')
  }

  /** Resolves when the process said that it is ready. */
  #launch(broker: Broker, isRestart: boolean): Promise<void> {
    const { spec } = broker
    const log = openLog(spec.logFile)
    const child = spawn(spec.command, spec.args, {
      env: spec.env,
      stdio: ['pipe', 'pipe', log],
      // A group of its own: Ctrl-C in a terminal reaches this process only, which then stops the brokers in order.
      detached: process.platform !== 'win32',
    })
    closeSync(log)
    // The pipe is only held, never written to; its breaking says what 'close' says as well.
    child.stdin?.on('error', () => undefined)
    broker.child = child

    return new Promise((resolve, reject) => {
      let failure: CommandError | undefined
      broker.ended = new Promise((ended) => {
        const onEnd = (reason: string): void => {
          const pid = child.pid ?? 0
          broker.child = undefined
          broker.url = undefined
          ended()
          const sentence = failure?.message ?? reason
          // It is not wanted any more, which is no failure of a start.
          if (broker.isRemoved) resolve()
          reject(
            failure ??
              new CommandError(
                EXIT.unavailable,
                `Broker ${spec.id} did not start: ${reason}; see ${spec.logFile}.`,
              ),
          )
          if (!this.#isStopping) this.#onEnded(broker, pid, sentence)
        }
        child.once('error', (error) => onEnd(error.message))
        child.once('close', (code, signal) =>
          onEnd(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
        )
      })
      if (child.stdout === null) throw new Error('The standard output of a broker is a pipe.')
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = parseReadyLine(text)
        if (line === undefined) return
        if ('removed' in line) broker.isRemoved = true
        else if ('url' in line) {
          broker.url = line.url
          this.#options.onEvent({ kind: 'ready', id: spec.id, pid: child.pid ?? 0, url: line.url, isRestart })
          resolve()
        } else {
          failure = new CommandError(line.exitCode, `Broker ${spec.id}: ${line.error}`, { hint: line.hint })
        }
      })
    })
  }

  #onEnded(broker: Broker, pid: number, reason: string): void {
    if (broker.isRemoved) return this.#options.onEvent({ kind: 'removed', id: broker.spec.id, pid })
    this.#options.onEvent({ kind: 'ended', id: broker.spec.id, pid, reason })
    if (this.#options.restartDelayMs === undefined) return
    broker.restartTimer = setTimeout(() => {
      // Why a start fails is told by the event 'ended'; the next try comes after the same pause.
      this.#launch(broker, true).catch(() => undefined)
    }, this.#options.restartDelayMs)
  }
}

type ChildLine =
  | { readonly url: string }
  | { readonly removed: true }
  | { readonly error: string; readonly hint: string | undefined; readonly exitCode: number }

function parseReadyLine(text: string): ChildLine | undefined {
  try {
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (line['removed'] === true) return { removed: true }
    if (line['ready'] === true) return { url: String(line['url']) }
    if (line['ready'] !== false) return undefined
    const hint = typeof line['hint'] === 'string' ? line['hint'] : undefined
    return { error: String(line['error']), hint, exitCode: Number(line['exitCode']) || EXIT.internal }
  } catch {
    // Not a line for us: a library may print something.
    return undefined
  }
}

/** Appends; a log that has grown large becomes the old one, and the old one before it is dropped. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_FILE_BYTES_MAX) renameSync(path, `${path}.old`)
  return openSync(path, 'a', 0o600)
}
