import { setFlagsFromString } from 'node:v8'
import { Option } from 'commander'
import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { BrokerConfig } from '../../config.ts'
import { configFields } from '../../config/schema.ts'
import type { ConfigField } from '../../config/schema.ts'
import { CommandError, EXIT } from '../exit-codes.ts'
import type { Output } from '../output.ts'

interface ServeOptions {
  readonly config?: string
  readonly readyJson?: boolean
}

/** What `--ready-json` prints, one line: for a parent process that starts brokers. */
export type ReadyLine =
  | { readonly ready: true; readonly id: string; readonly url: string; readonly pid: number }
  | {
      readonly ready: false
      readonly error: string
      readonly hint: string | undefined
      readonly exitCode: number
    }

/** A broker that does not stop within this is ended; the log is safe at any moment. */
const STOP_TIMEOUT_MS = 8_000
/**
 * V8 collects all garbage when what is reachable has grown by so much. Records pass through a broker as buffers outside of its small
 * heap, which count as growth: followers marked their whole heap two to four times a second, for a third of their processor time.
 */
const COLLECT_LATER = '--heap-growing-percent=200'

export function addCommand(program: Command, output: Output): void {
  const command = program
    .command('serve')
    .description('run one broker in this process')
    .option('--config <file>', 'settings as YAML or JSON; flags and SYNOD_… variables go before it')
    .option('--ready-json', 'print one line of JSON when ready, and stop when standard input ends')
  const flags = addConfigFlags(command)
  command.action(async (options: ServeOptions) => serve(options, flags(), output))
}

/** A flag for each setting of a broker; gives what they were set to. */
export function addConfigFlags(
  command: Command,
): () => Readonly<Record<string, string | boolean | undefined>> {
  const paths = new Map<Option, string>()
  for (const field of configFields()) {
    // Everybody on the machine can read the flags of a process.
    if (field.path === 'clusterSecret') continue
    const option = new Option(`${field.flag} ${field.isBoolean ? '[yes]' : '<value>'}`, docOf(field))
    paths.set(option, field.path)
    command.addOption(option)
  }
  return () =>
    Object.fromEntries(
      [...paths].map(([option, path]) => [
        path,
        command.getOptionValue(option.attributeName()) as string | boolean | undefined,
      ]),
    )
}

function docOf(field: ConfigField): string {
  return field.defaultText === undefined ? field.doc : `${field.doc} (default: ${field.defaultText})`
}

async function serve(
  options: ServeOptions,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  output: Output,
): Promise<void> {
  const stopAsked = stopRequest(options.readyJson === true)
  try {
    const { config } = loadConfig({ file: options.config, env: process.env, flags })
    await run(config, stopAsked, options.readyJson === true, output)
  } catch (error) {
    const failure = asCommandError(error)
    if (options.readyJson === true) {
      const line: ReadyLine = {
        ready: false,
        error: failure.message,
        hint: failure.hint,
        exitCode: failure.exitCode,
      }
      output.line(JSON.stringify(line))
    }
    throw failure
  }
}

async function run(
  config: BrokerConfig,
  stopAsked: Promise<void>,
  isReadyTold: boolean,
  output: Output,
): Promise<void> {
  setFlagsFromString(COLLECT_LATER)
  // Loaded only now, so that every other command starts without the broker's code.
  const { startBroker } = await import('../../index.ts')
  const starting = startBroker(config)
  // A parent that is gone, or an impatient person, does not wait for a start that hangs.
  const broker = await Promise.race([starting, stopAsked.then(() => undefined)])
  if (broker === undefined) return stopWithin(async () => (await starting).stop())
  const isStopAsked = await Promise.race([
    broker.ready.then(() => false),
    broker.done.then(() => true),
    stopAsked.then(() => true),
  ])
  if (isStopAsked) {
    await stopWithin(() => broker.stop())
    if (broker.isRemoved) tellRemoved(String(broker.id), isReadyTold, output)
    return
  }

  const line: ReadyLine = { ready: true, id: String(broker.id), url: broker.publicUrl, pid: process.pid }
  output.line(
    isReadyTold
      ? JSON.stringify(line)
      : `Broker ${line.id} serves ${line.url} (data in ${config.dataFolder}).`,
  )
  await Promise.race([broker.done, stopAsked])
  await stopWithin(() => broker.stop())
  if (broker.isRemoved) tellRemoved(String(broker.id), isReadyTold, output)
}

/** Whoever starts brokers again has to know that this one is not wanted any more. */
function tellRemoved(id: string, isReadyTold: boolean, output: Output): void {
  output.line(
    isReadyTold
      ? JSON.stringify({ removed: true, id })
      : `Broker ${id} was removed from the cluster; its data folder can be deleted.`,
  )
}

/** Resolves when this process should stop: by a signal, or by the end of standard input when a parent holds it. */
function stopRequest(endsWithParent: boolean): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    if (!endsWithParent) return
    // However the parent ends, even by kill -9, the system closes its side of the pipe.
    process.stdin.on('end', () => resolve())
    process.stdin.on('close', () => resolve())
    process.stdin.on('error', () => resolve())
    process.stdin.resume()
  })
}

async function stopWithin(stop: () => Promise<void>): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write(`The broker did not stop within ${STOP_TIMEOUT_MS} ms and is ended.\n`)
    process.exit(EXIT.internal)
  }, STOP_TIMEOUT_MS)
  try {
    await stop()
  } finally {
    clearTimeout(timer)
  }
}

/** One sentence and an exit code for whatever a broker fails with. */
export function asCommandError(error: unknown): CommandError {
  const chain = causes(error)
  const has = (...codes: string[]): boolean => chain.some((each) => codes.includes(codeOf(each)))
  const sentence = chain[0]?.message ?? String(error)
  if (error instanceof CommandError) return error
  if (has('invalid-config')) return failed(EXIT.usage, sentence, error)
  const listening = chain.find((each) => 'syscall' in each && each.syscall === 'listen')
  if (listening !== undefined) return failed(EXIT.unavailable, listenSentence(listening), error)
  const isStoreError = chain.some(
    (each) => /Store|Folder/.test(each.name) || each.message.includes('data folder'),
  )
  if (isStoreError || has('ENOSPC', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'disk-full', 'LEVEL_LOCKED')) {
    return failed(EXIT.dataFolder, sentence, error)
  }
  return failed(EXIT.internal, `The broker failed: ${sentence}`, error)
}

function failed(exitCode: number, sentence: string, cause: unknown): CommandError {
  const hint =
    cause instanceof Error && 'hint' in cause && typeof cause.hint === 'string' ? cause.hint : undefined
  return new CommandError(exitCode, sentence, { hint, cause })
}

function listenSentence(error: Error): string {
  const address =
    'address' in error && 'port' in error ? `${String(error.address)}:${String(error.port)}` : 'an address'
  if (codeOf(error) === 'EADDRINUSE') return `The port of ${address} is taken by another process.`
  if (codeOf(error) === 'EACCES') return `Listening on ${address} is not allowed.`
  return `Listening on ${address} failed: ${error.message}.`
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

/** The error and what it was caused by, outermost first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = []
  for (let each = error; each instanceof Error && chain.length < 8; each = each.cause) chain.push(each)
  return chain
}
