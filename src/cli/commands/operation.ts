import { setTimeout as delay } from 'node:timers/promises'
import { SingleBar } from 'cli-progress'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson, NoAnswerError, ProblemError } from '../http.ts'
import { table } from '../output.ts'
import type { Output } from '../output.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'

export interface OperationAnswer {
  readonly id: string
  readonly kind: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly topic?: string
  readonly partition?: number
  readonly replicas?: readonly string[]
  readonly broker?: string
  readonly stepsDone: number
  readonly stepsTotal: number
  readonly startedAt: string
  readonly endedAt?: string
  readonly problem?: string
}

/** What the commands that start an operation take as well. */
export interface WaitOptions extends ClientOptions {
  readonly wait?: boolean
}

const LOOK_EVERY_MS = 500
/** So long nobody may answer while an operation is waited for: a broker that is removed goes away meanwhile. */
const SILENCE_MS_MAX = 30_000

export function addCommand(program: Command, output: Output): void {
  const operation = program
    .command('operation')
    .description('look at long changes, wait for them, cancel them')

  withClientOptions(operation.command('list').description('list long changes, the newest first')).action(
    (options: ClientOptions) => list(options, output),
  )
  withClientOptions(
    operation.command('show').description('show a long change').argument('<operation>', 'its id', idOf),
  ).action(async (id: string, options: ClientOptions) => show(await find(id, options), options, output))
  withClientOptions(
    operation
      .command('wait')
      .description('wait until a long change has ended')
      .argument('<operation>', 'its id', idOf),
  ).action(async (id: string, options: ClientOptions) =>
    waitFor(await find(id, options), { ...options, wait: true }, output),
  )
  withClientOptions(
    operation.command('cancel').description('call a long change off').argument('<operation>', 'its id', idOf),
  ).action(async (id: string, options: ClientOptions) => {
    const path = `v1/operations/${id}/cancel`
    show(await callJson<OperationAnswer>(options.url, path, { method: 'POST' }), options, output)
  })
}

function idOf(text: string): string {
  if (/^op\d{1,10}$/.test(text)) return text
  throw new InvalidArgumentError('It is an id such as op7; `synod operation list` shows them.')
}

function find(id: string, options: ClientOptions): Promise<OperationAnswer> {
  return callJson<OperationAnswer>(options.url, `v1/operations/${id}`)
}

async function list(options: ClientOptions, output: Output): Promise<void> {
  const { items } = await callJson<{ items: readonly OperationAnswer[] }>(options.url, 'v1/operations')
  if (options.json === true) return output.line(JSON.stringify(items))
  if (items.length === 0) return output.line('There are no operations.')
  const rows = items.map((operation) => [
    operation.id,
    operation.kind,
    subjectText(operation),
    operation.state,
    `${operation.stepsDone}/${operation.stepsTotal}`,
    operation.startedAt,
  ])
  output.line(table(['operation', 'kind', 'of', 'state', 'steps', 'started'], rows))
}

function show(operation: OperationAnswer, options: ClientOptions, output: Output): void {
  output.line(options.json === true ? JSON.stringify(operation) : operationText(operation))
}

function subjectText({ topic, partition, replicas, broker }: OperationAnswer): string {
  if (broker !== undefined) return `broker ${broker}`
  return `partition ${partition} of ${topic} to ${replicas?.join(', ')}`
}

function operationText(operation: OperationAnswer): string {
  const { id, kind, state, stepsDone, stepsTotal, problem } = operation
  const reason = problem === undefined ? '' : `: ${problem}`
  return `${id} (${kind}, ${subjectText(operation)}) is ${state}, ${stepsDone} of ${stepsTotal} steps${reason}`
}

/**
 * Tells of an operation that was started; with --wait until it has ended. Exit codes: `refused` when it failed or was
 * cancelled, `unavailable` when nobody answers any more.
 */
export async function waitFor(
  operation: OperationAnswer,
  options: WaitOptions,
  output: Output,
): Promise<void> {
  if (options.wait !== true) {
    show(operation, options, output)
    if (options.json !== true) output.note(`Follow it with: synod operation wait ${operation.id}`)
    return
  }
  const ended = await untilEnded(operation, options)
  if (options.json === true || ended.state === 'done') show(ended, options, output)
  if (ended.state !== 'done') throw new CommandError(EXIT.refused, `${operationText(ended)}`)
}

async function untilEnded(operation: OperationAnswer, options: ClientOptions): Promise<OperationAnswer> {
  const bar = progressBar(operation)
  let seen = operation
  let heardAtMs = performance.now()
  try {
    while (seen.state === 'running') {
      await delay(LOOK_EVERY_MS)
      try {
        seen = await find(operation.id, options)
        heardAtMs = performance.now()
      } catch (error) {
        if (!isPassing(error) || performance.now() - heardAtMs > SILENCE_MS_MAX) throw error
      }
      bar?.update(seen.stepsDone)
    }
  } finally {
    bar?.stop()
  }
  return seen
}

function isPassing(error: unknown): boolean {
  return error instanceof NoAnswerError || (error instanceof ProblemError && error.problem.retryable === true)
}

/** Only where a person watches. */
function progressBar({ kind, stepsDone, stepsTotal }: OperationAnswer): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined
  const format = `${kind} {bar} {value}/{total}`
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  bar.start(stepsTotal, stepsDone)
  return bar
}
