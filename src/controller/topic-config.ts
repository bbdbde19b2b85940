import type { TopicConfig } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { VALUE_BYTES_MAX } from '../partition/record-codec.ts'

/** Some settings; what is left out stays as it is. */
export type ConfigChange = { readonly [Name in keyof TopicConfig]?: TopicConfig[Name] | undefined }

const DAY_MS = 24 * 60 * 60 * 1000
const TOPIC_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,248}$/

export function isTopicName(name: string): boolean {
  return TOPIC_NAME.test(name)
}

/** Why a configuration is refused, for people. */
export interface ConfigProblem {
  readonly field: keyof TopicConfig
  readonly detail: string
  readonly hint: string
}

/** A whole number within bounds, or null where that means something. */
interface NumberField {
  readonly min: number
  readonly max: number
  readonly nullMeans?: string
}

/** One of a few words. */
const WORD_FIELDS = { cleanup: ['delete', 'none'], onFull: ['trim', 'reject'] } as const

type WordName = keyof typeof WORD_FIELDS
type NumberName = Exclude<keyof TopicConfig, 'closed' | WordName>

/** A heartbeat's length is the least delay that can be told from none. */
const MAX_LAG_MS_MIN = 100
const NUMBER_FIELDS: Readonly<Record<NumberName, NumberField>> = {
  retentionMs: { min: 1_000, max: Number.MAX_SAFE_INTEGER, nullMeans: 'for ever' },
  retentionBytes: { min: 1024 * 1024, max: Number.MAX_SAFE_INTEGER, nullMeans: 'without bound' },
  recordBytesMax: { min: 1, max: VALUE_BYTES_MAX },
  maxLagMs: { min: MAX_LAG_MS_MIN, max: DAY_MS },
  maxLagSlots: { min: 1, max: 1_000_000 },
  minInSync: { min: 1, max: 7, nullMeans: 'a majority of the replicas' },
  dedupWindowMs: { min: 1_000, max: 7 * DAY_MS },
  dedupWindowCount: { min: 1, max: 1_000_000 },
}

const NUMBER_NAMES = Object.keys(NUMBER_FIELDS) as NumberName[]
const WORD_NAMES = Object.keys(WORD_FIELDS) as WordName[]
const CONFIG_NAMES: readonly (keyof TopicConfig)[] = [...NUMBER_NAMES, ...WORD_NAMES, 'closed']

/**
 * Replicas recognise duplicates as a function of the log alone, and the window is not in the log: a change would reach
 * them at different slots.
 */
const FIXED_NAMES: readonly (keyof TopicConfig)[] = ['dedupWindowMs', 'dedupWindowCount']

/** The first thing that is wrong with a configuration for `replicationFactor` replicas; undefined when nothing is. */
export function configProblem(config: TopicConfig, replicationFactor: number): ConfigProblem | undefined {
  for (const field of NUMBER_NAMES) {
    const problem = numberProblem(field, config[field], NUMBER_FIELDS[field])
    if (problem !== undefined) return problem
  }
  for (const field of WORD_NAMES) {
    const words: readonly string[] = WORD_FIELDS[field]
    if (words.includes(config[field])) continue
    const detail = `${field} is ${JSON.stringify(config[field])}.`
    return { field, detail, hint: `It is ${words.map((word) => `"${word}"`).join(' or ')}.` }
  }
  if (typeof config.closed !== 'boolean') {
    return {
      field: 'closed',
      detail: `closed is ${JSON.stringify(config.closed)}.`,
      hint: 'It is true or false.',
    }
  }
  return minInSyncProblem(config.minInSync, replicationFactor)
}

function numberProblem(
  field: NumberName,
  value: number | null,
  bounds: NumberField,
): ConfigProblem | undefined {
  if (value === null ? bounds.nullMeans !== undefined : isWithin(value, bounds)) return undefined
  const orNull = bounds.nullMeans === undefined ? '' : `, or null: ${bounds.nullMeans}`
  const hint = `It is a whole number from ${bounds.min} to ${bounds.max}${orNull}.`
  return { field, detail: `${field} is ${JSON.stringify(value)}.`, hint }
}

function isWithin(value: number, { min, max }: NumberField): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max
}

/** Below a majority it would promise nothing; above the replicas it would refuse every record. */
function minInSyncProblem(minInSync: number | null, replicationFactor: number): ConfigProblem | undefined {
  const majority = Math.floor(replicationFactor / 2) + 1
  if (minInSync === null || (minInSync >= majority && minInSync <= replicationFactor)) return undefined
  return {
    field: 'minInSync',
    detail: `minInSync is ${minInSync}, with ${replicationFactor} replicas a partition.`,
    hint: `It is ${majority} to ${replicationFactor} for this topic, or null: a majority of the replicas.`,
  }
}

/** Why `after` may not follow `before` on a topic that exists; undefined when it may. */
export function changeProblem(
  before: TopicConfig,
  after: TopicConfig,
  replicationFactor: number,
): ConfigProblem | undefined {
  for (const field of FIXED_NAMES) {
    if (before[field] === after[field]) continue
    const detail = `${field} of a topic that exists stays ${before[field]}.`
    return { field, detail, hint: 'It is chosen when the topic is created: create another topic.' }
  }
  return configProblem(after, replicationFactor)
}

/** A problem as the error that it is: 'invalid-config'. */
export function configError({ field, detail, hint }: ConfigProblem): SynodError {
  return new SynodError('invalid-config', detail, { hint, facts: { field } })
}

/** `base` with what `change` names. */
export function mergeConfig(base: TopicConfig, change: ConfigChange): TopicConfig {
  const merged: Record<string, unknown> = {}
  for (const field of CONFIG_NAMES) merged[field] = change[field] === undefined ? base[field] : change[field]
  return merged as unknown as TopicConfig
}

export function sameConfig(a: TopicConfig, b: TopicConfig): boolean {
  return CONFIG_NAMES.every((field) => a[field] === b[field])
}

/** A place where a topic is not what was asked for. */
export interface Difference {
  readonly field: string
  readonly asked: unknown
  readonly actual: unknown
}

/** Where `config` is not what `asked` names. */
export function configDifferences(asked: ConfigChange, config: TopicConfig): Difference[] {
  return CONFIG_NAMES.filter((field) => asked[field] !== undefined && asked[field] !== config[field]).map(
    (field) => ({
      field: `config.${field}`,
      asked: asked[field],
      actual: config[field],
    }),
  )
}
