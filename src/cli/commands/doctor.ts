import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { BrokerConfig } from '../../config.ts'
import { outColors } from '../colors.ts'
import { judgeCluster, judgePartitions } from '../doctor/cluster.ts'
import { ok, problem, warning } from '../doctor/finding.ts'
import type { Finding } from '../doctor/finding.ts'
import { brokerAt, lookAtCluster, lookAtPartitions } from '../doctor/look.ts'
import { checkDisk, checkFolder, checkNode, checkPort } from '../doctor/machine.ts'
import { CommandError, EXIT } from '../exit-codes.ts'
import { NoAnswerError } from '../http.ts'
import { countText } from '../output.ts'
import type { Output } from '../output.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { addConfigFlags } from './serve.ts'

interface DoctorOptions extends ClientOptions {
  readonly config?: string
}

type Flags = Readonly<Record<string, string | boolean | undefined>>

export function addCommand(program: Command, output: Output): void {
  const command = withClientOptions(
    program
      .command('doctor')
      .description('look at this machine, the settings of a broker and the cluster for what is wrong'),
  ).option('--config <file>', 'the settings that the broker is started with, as for serve')
  const flags = addConfigFlags(command)
  command.action(async (options: DoctorOptions) => {
    const isUrlNamed = command.getOptionValueSource('url') !== 'default'
    await examine(options, flags(), isUrlNamed, output)
  })
}

/** Tells each finding as it comes. Ends with `refused` when something does not work. */
async function examine(
  options: DoctorOptions,
  flags: Flags,
  isUrlNamed: boolean,
  output: Output,
): Promise<void> {
  const findings: Finding[] = []
  const tell = (found: readonly Finding[]): void => {
    findings.push(...found)
    if (options.json !== true) for (const finding of found) output.line(textOf(finding))
  }
  tell([checkNode(process.versions.node), checkClock(Date.now())])
  const { config, found } = settingsOf(options, flags)
  tell(found)
  if (config !== undefined) tell(await examineMachine(config))
  tell(await examineCluster(options.url, isUrlNamed))
  if (options.json === true) output.line(JSON.stringify(findings))
  const problems = findings.filter(({ level }) => level === 'problem')
  const warnings = findings.filter(({ level }) => level === 'warning')
  if (problems.length > 0)
    throw new CommandError(
      EXIT.refused,
      `${countText(problems.length, 'problem')} and ${countText(warnings.length, 'warning')} found.`,
    )
  if (options.json !== true)
    output.line(
      warnings.length === 0 ? 'All is well.' : `No problem, ${countText(warnings.length, 'warning')}.`,
    )
}

/** Brokers' own clocks are compared with this one. */
function checkClock(nowMs: number): Finding {
  const time = new Date(nowMs).toISOString()
  if (nowMs >= Date.UTC(2026, 0, 1)) return ok('clock', `It is ${time} by this machine.`)
  return problem('clock', `It is ${time} by this machine, which is in the past.`, 'Set the clock, by NTP.')
}

/** Without an id of its own in any source it is about this machine in general: then any id will do. */
function settingsOf(
  options: DoctorOptions,
  flags: Flags,
): { readonly config: BrokerConfig | undefined; readonly found: readonly Finding[] } {
  const isNamed =
    options.config !== undefined ||
    flags['brokerId'] !== undefined ||
    (process.env['SYNOD_BROKER_ID'] ?? '') !== ''
  try {
    const { config } = loadConfig({
      file: options.config,
      env: process.env,
      flags: isNamed ? flags : { ...flags, brokerId: '1' },
    })
    return {
      config,
      found: [
        ok(
          'settings',
          isNamed ? 'The settings fit together.' : 'No broker is named: its defaults are looked at.',
        ),
      ],
    }
  } catch (error) {
    const sentences = (error instanceof Error ? error.message : String(error)).split('\n')
    const todo = 'Change it there; synod serve --help lists all settings.'
    return { config: undefined, found: sentences.map((sentence) => problem('settings', sentence, todo)) }
  }
}

async function examineMachine(config: BrokerConfig): Promise<readonly Finding[]> {
  const local =
    config.public.host === '0.0.0.0' || config.public.host === '::' ? 'localhost' : config.public.host
  const broker = await brokerAt(`http://${local.includes(':') ? `[${local}]` : local}:${config.public.port}`)
  return [
    ...(await checkFolder(config.dataFolder)),
    ...(await checkDisk(config.dataFolder)),
    await checkPort({ name: 'public.port', ...config.public }, broker),
    await checkPort({ name: 'internal.port', ...config.internal }, broker),
  ]
}

/** A cluster that nobody named need not be there. */
async function examineCluster(url: string, isUrlNamed: boolean): Promise<readonly Finding[]> {
  try {
    const cluster = judgeCluster(await lookAtCluster(url))
    return [...cluster, ...judgePartitions(await lookAtPartitions(url))]
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const todo = error.hint ?? 'Look at the log of the broker there.'
    const isExpected = error instanceof NoAnswerError && !isUrlNamed
    return [(isExpected ? warning : problem)('cluster', error.message, todo)]
  }
}

function textOf({ level, sentence, todo }: Finding): string {
  const mark = {
    ok: outColors.green('ok      '),
    warning: outColors.yellow('warning '),
    problem: outColors.red('problem '),
  }
  return todo === undefined ? `${mark[level]} ${sentence}` : `${mark[level]} ${sentence}\n          ${todo}`
}
