import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { CASES, type CaseName, type CaseResult } from './cases.ts'
import { perform, type DeedRequest, type Deeds } from './deeds.ts'

export interface ScriptRun {
  /** One for each case, in the order of CASES, those that were never reported among them. */
  readonly cases: readonly CaseResult[]
  /** What is wrong with the script itself; empty when it is right. */
  readonly faults: readonly string[]
}

export interface ScriptOptions {
  /** The program and its arguments, the brokers' URLs last. */
  readonly command: readonly [string, ...string[]]
  readonly deeds: Deeds
  /** A script that says nothing for so long hangs, and is ended. */
  readonly silenceMs: number
  /** Called with each case as it is reported. */
  readonly onCase?: (result: CaseResult) => void
}

/** Runs one language's script to its end; nothing of it is left running after that. */
export async function runScript(options: ScriptOptions): Promise<ScriptRun> {
  const [program, ...args] = options.command
  // A group of its own, so that what the script starts ends with it.
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const onExit = (): void => endGroup(child)
  process.once('exit', onExit)
  const conversation = new Conversation(child, options)
  try {
    await conversation.run()
  } finally {
    endGroup(child)
    process.off('exit', onExit)
  }
  return conversation.result()
}

class Conversation {
  readonly #child: ChildProcess
  readonly #options: ScriptOptions
  readonly #cases: CaseResult[] = []
  readonly #faults: string[] = []
  #lastMs = performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(child: ChildProcess, options: ScriptOptions) {
    this.#child = child
    this.#options = options
  }

  async run(): Promise<void> {
    const { stdin, stdout } = this.#child
    if (stdin === null || stdout === null) throw new Error('A script has an input and an output.')
    // A script that is gone does not read what was done for it; its end says enough.
    stdin.on('error', () => undefined)
    const ended = once(this.#child, 'close').catch((error: unknown) => {
      this.#faults.push(`It could not be started: ${String(error)}`)
    })
    this.#watch()
    for await (const line of createInterface({ input: stdout })) {
      this.#watch()
      if (this.#faults.length === 0) await this.#take(line)
    }
    await ended
    clearTimeout(this.#timer)
    const { exitCode, signalCode } = this.#child
    if (exitCode !== 0 && this.#faults.length === 0)
      this.#faults.push(`It ended with ${signalCode ?? `exit code ${exitCode}`}.`)
  }

  result(): ScriptRun {
    const cases = CASES.map(
      (name): CaseResult =>
        this.#cases.find((result) => result.name === name) ?? {
          name,
          isPassed: false,
          detail: 'It was not run.',
          tookMs: 0,
        },
    )
    return { cases, faults: this.#faults }
  }

  /** Begins to wait for the next line. */
  #watch(): void {
    clearTimeout(this.#timer)
    const { silenceMs } = this.#options
    this.#timer = setTimeout(() => this.#give(`It said nothing for ${silenceMs} ms.`), silenceMs)
  }

  async #take(line: string): Promise<void> {
    const said = parse(line)
    if (said === undefined) return this.#give(`It wrote a line that is none of the contract: ${line.slice(0, 200)}`)
    if ('event' in said) return this.#do(said)
    const name = CASES[this.#cases.length]
    if (said.case !== name)
      return this.#give(`It reported '${said.case}' where '${name ?? 'the end'}' was due.`)
    this.#report(name, said)
  }

  async #do(request: DeedRequest): Promise<void> {
    clearTimeout(this.#timer)
    try {
      await perform(this.#options.deeds, request)
      this.#child.stdin?.write('done\n')
    } catch (error) {
      this.#give(`'${request.event}' was not done: ${String(error)}`)
    }
    this.#watch()
  }

  #report(name: CaseName, { ok, detail }: CaseLine): void {
    const nowMs = performance.now()
    const result = { name, isPassed: ok, detail, tookMs: nowMs - this.#lastMs }
    this.#lastMs = nowMs
    this.#cases.push(result)
    this.#options.onCase?.(result)
  }

  #give(fault: string): void {
    this.#faults.push(fault)
    endGroup(this.#child)
  }
}

interface CaseLine {
  readonly case: string
  readonly ok: boolean
  readonly detail?: string | undefined
}

function parse(line: string): CaseLine | DeedRequest | undefined {
  let said: unknown
  try {
    said = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof said !== 'object' || said === null) return undefined
  if ('event' in said && typeof said.event === 'string') return { ...said, event: said.event }
  if (!('case' in said && typeof said.case === 'string' && 'ok' in said && typeof said.ok === 'boolean'))
    return undefined
  const detail = 'detail' in said ? String(said.detail) : undefined
  // A failure that says nothing helps nobody.
  if (!said.ok && detail === undefined) return undefined
  return { case: said.case, ok: said.ok, detail }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nothing of it is there any more.
  }
}
