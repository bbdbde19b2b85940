import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { bytesOfSize, MEMORY_BYTES_MIN, memoryShares } from './config/memory.ts'
import type { MemoryShares } from './config/memory.ts'
import { configFields, SCHEMA, valueOfText } from './config/schema.ts'
import type { Settings } from './config/schema.ts'
import { didYouMean, sentencesOfIssue } from './config/sentences.ts'
import { isLoopback, parseSeed, readSecret } from './config/values.ts'
import type { ListenAddress, Seed } from './config/values.ts'
import { SynodError } from './errors.ts'
import { brokerId } from './types/ids.ts'
import type { BrokerId } from './types/ids.ts'

/** Everything that one broker is told from outside, checked. */
export interface BrokerConfig {
  readonly brokerId: BrokerId
  readonly dataFolder: string
  readonly public: ListenAddress
  readonly internal: ListenAddress
  /** Undefined: made of the public address. */
  readonly publicUrl: string | undefined
  /** Empty: this broker alone is the cluster. */
  readonly seeds: readonly Seed[]
  /** At least 32 bytes. Undefined: other brokers are not authenticated, which only loopback allows. */
  readonly clusterSecret: Buffer | undefined
  readonly failureDomain: string
  readonly autoCreateTopics: boolean
  /** Origins of browsers; the word `loopback` stands for every origin on this machine. */
  readonly allowedOrigins: readonly string[]
  readonly produceTimeoutMs: number
  readonly heartbeatMs: number
  readonly suspectMs: number
  /** 0: the disk is not searched for damage. */
  readonly scrubIntervalHours: number
  readonly leaderBalance: 'on' | 'off'
  /** Undefined: a broker that is gone is waited for. */
  readonly replaceAfterMs: number | undefined
  readonly memory: MemoryShares
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly insecure: boolean
  readonly insecureInternal: boolean
}

export type ConfigSource = 'flag' | 'environment' | 'file' | 'default'

export interface ConfigInput {
  /** A YAML or JSON file. */
  readonly file: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** By path: `{ 'public.port': '8080' }`. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
}

export interface LoadedConfig {
  readonly config: BrokerConfig
  /** The same as the sources give it, for showing: by the names of the file, and with secrets in it. */
  readonly settings: Settings
  /** Where each setting came from, by path. */
  readonly sources: ReadonlyMap<string, ConfigSource>
}

/** Names of the environment that begin with SYNOD_ but are no setting of a broker. */
const OTHER_VARIABLES = new Set(['SYNOD_URL', 'SYNOD_CI_LTS'])
/** Kubernetes gives each pod such variables for a service of the name 'synod'. */
const KUBERNETES_VARIABLE = /^SYNOD_(SERVICE_(HOST|PORT)|PORT)(_|$)/

/**
 * Reads a broker's settings: flags before environment before file before defaults.
 * Throws 'invalid-config' with one sentence a problem, one a line.
 */
export function loadConfig(input: ConfigInput): LoadedConfig {
  const fields = configFields()
  const problems: string[] = []
  const sources = new Map<string, ConfigSource>(fields.map((field) => [field.path, 'default']))
  const raw = input.file === undefined ? {} : readFile(input.file)

  for (const { path } of fields) if (valueAt(raw, path) !== undefined) sources.set(path, 'file')
  for (const [name, text] of Object.entries(input.env)) {
    // An empty variable is how shells and containers write 'not set'.
    if (!name.startsWith('SYNOD_') || text === undefined || text === '') continue
    const field = fields.find((each) => each.variable === name)
    if (field !== undefined) {
      place(raw, field.path, valueOfText(field.path, text))
      sources.set(field.path, 'environment')
    } else if (!OTHER_VARIABLES.has(name) && !KUBERNETES_VARIABLE.test(name)) {
      problems.push(
        `The environment variable ${name} is not known${didYouMean(
          name,
          fields.map((each) => each.variable),
        )}.`,
      )
    }
  }
  for (const [path, value] of Object.entries(input.flags)) {
    if (value === undefined) continue
    if (path === 'clusterSecret')
      problems.push(
        'A secret given as a flag can be read by everybody on this machine: use clusterSecretFile.',
      )
    place(raw, path, typeof value === 'boolean' ? value : valueOfText(path, value))
    sources.set(path, 'flag')
  }

  const parsed = SCHEMA.safeParse(raw)
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => sentencesOfIssue(issue, raw)))
  if (parsed.data === undefined || problems.length > 0) throw invalid(problems)
  return { config: check(parsed.data), settings: parsed.data, sources }
}

/** What no single field can say: whether the settings fit together. */
function check(settings: Settings): BrokerConfig {
  const problems: string[] = []
  const say = (problem: string): void => void problems.push(problem)
  const id = brokerId(settings.brokerId)
  const seeds = settings.seeds.flatMap((text) => parseSeed(text, say))
  const secret = readSecret(settings, say)
  const isWild = (name: string): boolean => name === '0.0.0.0' || name === '::'

  for (const [index, seed] of seeds.entries()) {
    const before = seeds.slice(0, index)
    if (before.some((each) => each.id === seed.id)) say(`Two seeds have the id ${seed.id}.`)
    if (before.some((each) => each.host === seed.host && each.port === seed.port))
      say(`Two seeds have the address ${seed.host}:${seed.port}.`)
  }
  const self = seeds.find((seed) => seed.id === id)
  if (self !== undefined && !isLoopback(self.host) && isLoopback(settings.internal.host)) {
    say(
      `The seeds say that this broker is at ${self.host}, but internal.host ${settings.internal.host} cannot be reached from other machines.`,
    )
  }
  if (isWild(settings.internal.host) && self === undefined) {
    say(
      `With internal.host ${settings.internal.host} others cannot know the address: name this broker in seeds, or bind to one address.`,
    )
  }
  if (isWild(settings.public.host) && settings.publicUrl === undefined) {
    say(`With public.host ${settings.public.host} clients cannot know the address: set publicUrl.`)
  }
  if (!isLoopback(settings.public.host) && !settings.insecure) {
    say(
      `public.host ${settings.public.host} is open to other machines and there is no access control yet: set insecure to allow it.`,
    )
  }
  if (!isLoopback(settings.internal.host) && secret === undefined && !settings.insecureInternal) {
    say(`internal.host ${settings.internal.host} is open to other machines: set clusterSecretFile.`)
  }
  if (
    settings.public.port !== 0 &&
    settings.public.port === settings.internal.port &&
    settings.public.host === settings.internal.host
  ) {
    say(`public.port and internal.port are both ${settings.public.port}.`)
  }
  if (settings.suspectMs < 3 * settings.heartbeatMs) {
    say(`suspectMs ${settings.suspectMs} must be at least three times heartbeatMs ${settings.heartbeatMs}.`)
  }
  const memoryBytes = bytesOfSize(settings.memory)
  if (memoryBytes === undefined) say(`memory '${settings.memory}' is no size: 512MiB and 2GiB are.`)
  else if (memoryBytes < MEMORY_BYTES_MIN) say(`memory ${settings.memory} is too little: at least 128MiB.`)
  if (problems.length > 0) throw invalid(problems)

  const { clusterSecretFile: _file, ...rest } = settings
  return {
    ...rest,
    brokerId: id,
    seeds,
    clusterSecret: secret,
    replaceAfterMs: settings.replaceAfterMs,
    memory: memoryShares(memoryBytes ?? MEMORY_BYTES_MIN),
    publicUrl: settings.publicUrl?.replace(/\/+$/, ''),
    failureDomain: settings.failureDomain === '' ? `broker-${id}` : settings.failureDomain,
  }
}

/** The file's content as an object of its own, free to be changed. */
function readFile(file: string): Record<string, unknown> {
  let content: unknown
  try {
    // YAML is a superset of JSON, so one parser reads both.
    content = parseYaml(readFileSync(file, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw invalid([`The configuration file ${file} cannot be read: ${reason}.`])
  }
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content))
    throw invalid([`The configuration file ${file} is not an object of settings.`])
  return content as Record<string, unknown>
}

function valueAt(settings: Record<string, unknown>, path: string): unknown {
  let value: unknown = settings
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

function place(settings: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop() ?? ''
  let parent = settings
  for (const name of names) {
    const child = parent[name]
    const isObject = typeof child === 'object' && child !== null && !Array.isArray(child)
    const next = isObject ? (child as Record<string, unknown>) : {}
    parent[name] = next
    parent = next
  }
  parent[last] = value
}

function invalid(problems: readonly string[]): SynodError {
  return new SynodError('invalid-config', problems.join('\n'), {
    hint: 'See `synod serve --help` or docs/operations.md.',
    facts: { problems },
  })
}
