import { z } from 'zod'

/** One setting: its path in a file, its flag, its environment variable, and one line that says what it is. */
export interface ConfigField {
  readonly path: string
  readonly flag: string
  readonly variable: string
  readonly doc: string
  readonly isBoolean: boolean
  /** As text; undefined when there is none. */
  readonly defaultText: string | undefined
}

/** The seeds vote in the controller's group, and a group has at most seven voters. */
const SEEDS_MAX = 7

const port = z.int().min(0).max(65_535)
const host = z.string().min(1)

export const SCHEMA = z.strictObject({
  brokerId: z.int().min(1).max(65_535).describe('This broker in the cluster, 1 to 65535. Never changes.'),
  dataFolder: z
    .string()
    .min(1)
    .default('./data')
    .describe('Folder of the journal and the index; one broker each.'),
  public: z
    .strictObject({
      host: host.default('127.0.0.1').describe('Address on which clients are served.'),
      port: port.default(8080).describe('Port on which clients are served; 0: any free one.'),
    })
    .prefault({}),
  internal: z
    .strictObject({
      host: host.default('127.0.0.1').describe('Address on which other brokers are served.'),
      port: port.default(9080).describe('Port on which other brokers are served; 0: any free one.'),
    })
    .prefault({}),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('URL at which clients reach this broker, if not its public address.'),
  seeds: z
    .array(z.string())
    .max(SEEDS_MAX)
    .default([])
    .describe("The founding brokers, at most 7: '1=10.0.0.1:9080'. None: this broker alone."),
  clusterSecret: z
    .string()
    .optional()
    .describe('Key that all brokers share: at least 64 hex digits. Never as a flag.'),
  clusterSecretFile: z.string().optional().describe('File (mode 0600) that holds the cluster secret.'),
  failureDomain: z
    .string()
    .default('')
    .describe('What fails as a whole (machine, rack); replicas avoid sharing one. Default: this broker.'),
  autoCreateTopics: z.boolean().default(false).describe('Whether producing to an unknown topic creates it.'),
  allowedOrigins: z
    .array(z.string())
    .max(100)
    .default([])
    .describe("Origins of browsers that may call; 'loopback': every one on this machine."),
  produceTimeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(5_000)
    .describe('After this an undecided produce is answered with outcome-unknown.'),
  heartbeatMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(100)
    .describe('Time between two heartbeats to each other broker.'),
  suspectMs: z
    .int()
    .min(30)
    .max(60_000)
    .default(1_000)
    .describe('A broker that is silent for so long is suspected.'),
  scrubIntervalHours: z
    .int()
    .min(0)
    .max(500)
    .default(24)
    .describe('Pause between two searches of the disk for damaged entries; 0: none.'),
  leaderBalance: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether the controller gives leaderships back to their preferred leaders.'),
  replaceAfterMs: z
    .int()
    .min(5_000)
    .max(2_592_000_000)
    .optional()
    .describe('A broker that is gone for so long gets its replicas rebuilt on others. Default: never.'),
  memory: z
    .string()
    .default('1GiB')
    .describe('What the broker may take, at least 128MiB: caches, queues and buffers have shares of it.'),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('The least important lines that are logged.'),
  insecure: z
    .boolean()
    .default(false)
    .describe('Allows a public address off this machine: there is no access control yet.'),
  insecureInternal: z
    .boolean()
    .default(false)
    .describe('Allows an internal address off this machine without a cluster secret.'),
})

/** As the sources give them: each one valid by itself. */
export type Settings = z.infer<typeof SCHEMA>

/** Every setting, in the order of the documentation. */
export function configFields(): readonly ConfigField[] {
  return [...SETTINGS].map(([path, schema]) => ({
    path,
    flag: `--${path.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    variable: `SYNOD_${path
      .replaceAll('.', '_')
      .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
      .toUpperCase()}`,
    doc: schema.description ?? '',
    isBoolean: core(schema) instanceof z.ZodBoolean,
    defaultText: defaultText(schema),
  }))
}

/** A text of the environment or the command line as the value that its setting takes; checked later like any other. */
export function valueOfText(path: string, text: string): unknown {
  const schema = SETTINGS.get(path)
  const inner = schema === undefined ? undefined : core(schema)
  if (inner instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text
  if (inner instanceof z.ZodNumber) return /^-?\d+$/.test(text) ? Number(text) : text
  if (inner instanceof z.ZodArray)
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  return text
}

/** The names that an object of settings has; `path` is empty for the top. */
export function namesAt(path: string): readonly string[] {
  const start = path === '' ? 0 : path.length + 1
  const below = [...SETTINGS.keys()].filter((each) => path === '' || each.startsWith(`${path}.`))
  return [...new Set(below.map((each) => each.slice(start).split('.')[0] ?? ''))]
}

const SETTINGS: ReadonlyMap<string, z.ZodType> = new Map(leaves(SCHEMA, ''))

function* leaves(object: z.ZodObject, prefix: string): Generator<[path: string, schema: z.ZodType]> {
  for (const [name, schema] of Object.entries(object.shape as Record<string, z.ZodType>)) {
    const inner = core(schema)
    if (inner instanceof z.ZodObject) yield* leaves(inner, `${prefix}${name}.`)
    else yield [`${prefix}${name}`, schema]
  }
}

function defaultText(schema: z.ZodType): string | undefined {
  const result = schema.safeParse(undefined)
  if (!result.success || result.data === undefined) return undefined
  const text = String(result.data as string | number | boolean | readonly string[])
  return text === '' ? undefined : text
}

/** The schema inside of defaults and optionals. */
function core(schema: z.ZodType): z.ZodType {
  let inner: unknown = schema
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
    inner = inner.unwrap()
  }
  return inner as z.ZodType
}
