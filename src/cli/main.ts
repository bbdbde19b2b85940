#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { errorColors } from './colors.ts'
import { CommandError, EXIT, EXIT_CODES_TEXT } from './exit-codes.ts'
import { processOutput } from './output.ts'
import type { Output } from './output.ts'

interface CommandModule {
  addCommand(program: Command, output: Output): void
}

/** Each command is loaded only when it is asked for, so that none waits for another's code. */
const COMMANDS: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<CommandModule> }>
> = {
  dev: { summary: 'run a whole cluster on this machine', load: () => import('./commands/dev.ts') },
  serve: { summary: 'run one broker in this process', load: () => import('./commands/serve.ts') },
  topic: {
    summary: 'list, create, show, trim, export, import and delete topics',
    load: () => import('./commands/topic.ts'),
  },
  partition: {
    summary: 'let other brokers hold or lead a partition',
    load: () => import('./commands/partition.ts'),
  },
  broker: { summary: 'list, drain and remove brokers', load: () => import('./commands/broker.ts') },
  operation: {
    summary: 'look at long changes, wait for them, cancel them',
    load: () => import('./commands/operation.ts'),
  },
  doctor: {
    summary: 'look at this machine, settings and the cluster for what is wrong',
    load: () => import('./commands/doctor.ts'),
  },
  config: { summary: 'show the settings of a broker', load: () => import('./commands/config.ts') },
  'unsafe-recover': {
    summary: 'let one broker go on alone when the others are lost for good',
    load: () => import('./commands/unsafe-recover.ts'),
  },
  produce: { summary: 'store the lines of standard input', load: () => import('./commands/produce.ts') },
  tail: { summary: 'print records as they arrive', load: () => import('./commands/tail.ts') },
  cluster: { summary: 'show the brokers and the controller', load: () => import('./commands/cluster.ts') },
  completion: {
    summary: 'print a script with which a shell completes commands and options',
    load: () => import('./commands/completion.ts'),
  },
}
/** The one command that has to know all others. */
const KNOWS_ALL = 'completion'

async function buildProgram(asked: string | undefined, output: Output): Promise<Command> {
  const program = new Command('synod')
    .description('A replicated, durable message log.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .addHelpText('after', `\n${EXIT_CODES_TEXT}`)
    .showSuggestionAfterError()
    .exitOverride()
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === asked || asked === KNOWS_ALL) (await load()).addCommand(program, output)
    else program.command(name).description(summary)
  }
  return program
}

/** The package's own; the compiled program lies some folders below it. */
function version(): string {
  for (const up of ['../../', '../../../']) {
    const path = new URL(`${up}package.json`, import.meta.url)
    if (!existsSync(path)) continue
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof content === 'object' && content !== null && 'version' in content)
      return String(content.version)
  }
  return 'unknown'
}

/** Shows what went wrong in one sentence, with what to try; gives the exit code. */
function explain(error: unknown): number {
  // Commander has printed its own sentence or the help already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const sentence = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${errorColors.red('synod:')} ${sentence}\n`)
  if (error instanceof CommandError) {
    if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`)
    return error.exitCode
  }
  return EXIT.internal
}

/** A reader that has gone (`synod tail … | head`) is no error. */
function exitWhenNobodyReads(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
}

async function main(args: readonly string[]): Promise<number> {
  exitWhenNobodyReads()
  try {
    const isHelp = args[0] === 'help'
    const program = await buildProgram(isHelp ? args[1] : args[0], processOutput())
    await program.parseAsync([...args], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return explain(error)
  }
}

const exitCode = await main(process.argv.slice(2))
// What a command left open (a standard input that never ends, a kept connection) must not hold the process.
process.exitCode = exitCode
if (process.stdout.writableLength === 0) process.exit()
process.stdout.once('drain', () => process.exit())
