import { hostname, userInfo } from 'node:os'
import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { UnsafeRecovery } from '../../index.ts'
import { CommandError, EXIT } from '../exit-codes.ts'
import { table } from '../output.ts'
import type { Output } from '../output.ts'
import { addConfigFlags, asCommandError } from './serve.ts'

interface RecoverOptions {
  readonly config?: string
  readonly json?: boolean
  readonly yesLoseData?: boolean
}

export function addCommand(program: Command, output: Output): void {
  const command = program
    .command('unsafe-recover')
    .description(
      'let one broker go on alone with what its data folder holds, when the others are lost for good; shows what that is, and changes nothing without --yes-lose-data',
    )
    .option('--config <file>', 'the settings that the broker is started with, as for serve')
    .option('--yes-lose-data', 'what only the other brokers held is given up')
    .option('--json', 'print JSON')
  const flags = addConfigFlags(command)
  command.action(async (options: RecoverOptions) => recover(options, flags(), output))
}

async function recover(
  options: RecoverOptions,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  output: Output,
): Promise<void> {
  const isConfirmed = options.yesLoseData === true
  // Loaded only now, so that every other command starts without the broker's code.
  const { recoverUnsafely, SynodError } = await import('../../index.ts')
  try {
    const { config } = loadConfig({ file: options.config, env: process.env, flags })
    const by = `${userInfo().username}@${hostname()}`
    const recovery = await recoverUnsafely(config, { isConfirmed, by, wallMs: Date.now() })
    output.line(options.json === true ? JSON.stringify(recovery) : recoveryText(recovery))
  } catch (error) {
    if (!(error instanceof SynodError) || error.code === 'invalid-config') throw asCommandError(error)
    throw new CommandError(EXIT.refused, error.message, { hint: error.hint, cause: error })
  }
  if (!isConfirmed)
    throw new CommandError(EXIT.refused, 'Nothing was changed.', {
      hint: 'To go on with this and lose what only the others held: the same command with --yes-lose-data',
    })
}

/** What a person has to see before the decision. */
function recoveryText({ broker, store, groups, elsewhere, isDone }: UnsafeRecovery): string {
  const header = ['of', 'voters', 'configuration', 'known to be chosen', 'held', 'next offset']
  const rows = groups.map((each) => [
    each.name,
    each.voters.join(' '),
    String(each.configuration),
    String(each.chosen),
    String(each.through),
    String(each.nextOffset),
  ])
  const lines = [`broker ${broker}, store ${store}`, table(header, rows)]
  if (elsewhere.length > 0) lines.push(`Not on this broker, and not recovered: ${elsewhere.join(', ')}`)
  if (isDone)
    lines.push(
      `Broker ${broker} goes on alone. Start it, then the others with empty data folders, and give its partitions replicas again.`,
    )
  return lines.join('\n')
}
