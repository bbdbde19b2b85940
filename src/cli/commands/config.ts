import type { Command } from 'commander'
import { loadConfig } from '../../config.ts'
import type { ConfigSource, LoadedConfig } from '../../config.ts'
import { configFields } from '../../config/schema.ts'
import type { ConfigField } from '../../config/schema.ts'
import { table } from '../output.ts'
import type { Output } from '../output.ts'
import { addConfigFlags, asCommandError } from './serve.ts'

interface PrintOptions {
  readonly config?: string
  readonly json?: boolean
}

/** A setting as a broker would have it. */
interface Shown {
  readonly setting: string
  /** Undefined when it has none. */
  readonly value: unknown
  readonly source: ConfigSource
  /** The file, variable or option that it came from. */
  readonly from: string | undefined
}

export function addCommand(program: Command, output: Output): void {
  const config = program.command('config').description('show the settings of a broker')
  const command = config
    .command('print')
    .description('show each setting as `synod serve` would have it here, and where it came from')
    .option('--config <file>', 'settings as YAML or JSON; flags and SYNOD_… variables go before it')
    .option('--json', 'print JSON for programs')
  const flags = addConfigFlags(command)
  command.action((options: PrintOptions) => {
    let loaded: LoadedConfig
    try {
      loaded = loadConfig({ file: options.config, env: process.env, flags: flags() })
    } catch (error) {
      throw asCommandError(error)
    }
    const shown = configFields().map((field) => shownOf(field, loaded, options.config))
    output.line(options.json === true ? JSON.stringify(shown) : tableOf(shown))
  })
}

function shownOf(
  field: ConfigField,
  { config, settings, sources }: LoadedConfig,
  file: string | undefined,
): Shown {
  const source = sources.get(field.path) ?? 'default'
  const names = { flag: field.flag, environment: field.variable, file, default: undefined }
  // The one default that depends on another setting.
  const all = { ...settings, failureDomain: config.failureDomain }
  const value = field.path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], all)
  const isSecret = field.path === 'clusterSecret' && value !== undefined
  return { setting: field.path, value: isSecret ? '(hidden)' : value, source, from: names[source] }
}

function tableOf(shown: readonly Shown[]): string {
  const rows = shown.map(({ setting, value, source, from }) => [
    setting,
    textOf(value),
    from === undefined ? source : `${source} ${from}`,
  ])
  return table(['setting', 'value', 'source'], rows)
}

function textOf(value: unknown): string {
  if (value === undefined || typeof value === 'string') return value ?? ''
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value)
}
