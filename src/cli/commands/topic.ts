import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { call, callJson } from '../http.ts'
import { bytesText, countText, table } from '../output.ts'
import type { Output } from '../output.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { topicPath } from './topic-answer.ts'
import type { TopicAnswer, TopicList } from './topic-answer.ts'
import { addExport } from './topic-export.ts'
import { addImport } from './topic-import.ts'

interface CreateOptions extends ClientOptions {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config: Readonly<Record<string, unknown>>
}

interface TrimOptions extends ClientOptions {
  readonly partition: number
  readonly before: number
}

/** A cluster holds at most 20,000 partitions, so no list is longer than this many pages. */
const PAGES_MAX = 1_000

export function addCommand(program: Command, output: Output): void {
  const topic = program
    .command('topic')
    .description('list, create, show, trim, export, import and delete topics')

  withClientOptions(topic.command('list').description('list topics'))
    .option('--prefix <prefix>', 'only names that begin so', '')
    .action((options: ClientOptions & { prefix: string }) => list(options, output))
  withClientOptions(topic.command('create').description('create a topic').argument('<name>'))
    .option('--partitions <count>', 'number of partitions', wholeNumber)
    .option('--replication-factor <count>', 'copies of each partition', wholeNumber)
    .option('--config <name=value>', 'a setting of the topic; may be repeated', setting, {})
    .action((name: string, options: CreateOptions) => create(name, options, output))
  withClientOptions(
    topic.command('show').description('show a topic and its partitions').argument('<name>'),
  ).action((name: string, options: ClientOptions) => show(name, options, output))
  withClientOptions(
    topic
      .command('trim')
      .description('let the oldest records of a partition go')
      .argument('<name>')
      .requiredOption('--partition <number>', 'the partition', wholeNumber)
      .requiredOption('--before <offset>', 'the first offset that stays', offset),
  ).action((name: string, options: TrimOptions) => trim(name, options, output))
  addExport(topic, output)
  addImport(topic, output)
  withClientOptions(
    topic.command('delete').description('delete a topic with all its records').argument('<name>'),
  )
    .option('--yes', 'do it; without this nothing happens')
    .action((name: string, options: ClientOptions & { yes?: boolean }) => remove(name, options, output))
}

function offset(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError(`'${text}' is not an offset.`)
  return Number(text)
}

/** `retentionMs=60000` as a value of JSON where it is one, else as a text. */
function setting(text: string, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [, name, value] = /^([A-Za-z]+)=(.*)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(`'${text}' is not of the form name=value.`)
  return {
    ...before,
    [name]: /^(true|false|null|-?\d+)$/.test(value) ? (JSON.parse(value) as unknown) : value,
  }
}

async function list(options: ClientOptions & { prefix: string }, output: Output): Promise<void> {
  const names: string[] = []
  let pageToken: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = new URLSearchParams()
    if (options.prefix !== '') query.set('prefix', options.prefix)
    if (pageToken !== undefined) query.set('pageToken', pageToken)
    const answer = await callJson<TopicList>(options.url, `v1/topics?${query.toString()}`)
    names.push(...answer.items.map((item) => item.name))
    pageToken = answer.nextPageToken
    if (pageToken === undefined) break
  }
  if (options.json === true) output.line(JSON.stringify({ topics: names }))
  else for (const name of names) output.line(name)
}

async function create(name: string, options: CreateOptions, output: Output): Promise<void> {
  const { partitions, replicationFactor, config } = options
  const response = await call(options.url, topicPath(name), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ partitions, replicationFactor, config }),
  })
  const topic = (await response.json()) as TopicAnswer
  if (options.json === true) output.line(JSON.stringify(topic))
  else {
    const what = response.status === 201 ? 'Created' : 'Nothing to do, there is already'
    output.line(`${what} ${topic.name} with ${countText(topic.partitions.length, 'partition')}.`)
  }
}

async function show(name: string, options: ClientOptions, output: Output): Promise<void> {
  const topic = await callJson<TopicAnswer>(options.url, topicPath(name))
  if (options.json === true) return output.line(JSON.stringify(topic))
  output.line(`${topic.name}  id ${topic.id}  created ${topic.createdAt}`)
  const rows = topic.partitions.map((each) => [
    String(each.partition),
    each.leader ?? 'none',
    each.replicas.join(','),
    each.inSync?.join(',') ?? '?',
    `${each.logStart ?? '?'}`,
    `${each.highWatermark ?? '?'}`,
    each.sizeBytes === undefined || each.sizeBytes === null ? '?' : bytesText(each.sizeBytes),
  ])
  output.line(
    table(['partition', 'leader', 'replicas', 'in sync', 'log start', 'high watermark', 'size'], rows),
  )
  output.line(
    Object.entries(topic.config)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join('  '),
  )
}

async function trim(name: string, options: TrimOptions, output: Output): Promise<void> {
  const { partition, before: beforeOffset } = options
  const answer = await callJson<{ logStart: number }>(
    options.url,
    `${topicPath(name)}/partitions/${partition}/trim`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ beforeOffset }),
    },
  )
  output.line(
    options.json === true
      ? JSON.stringify(answer)
      : `Partition ${partition} of ${name} begins at offset ${answer.logStart}.`,
  )
}

async function remove(
  name: string,
  options: ClientOptions & { yes?: boolean },
  output: Output,
): Promise<void> {
  if (options.yes !== true) {
    throw new CommandError(EXIT.usage, `Deleting ${name} removes all its records for ever.`, {
      hint: `If you mean it: synod topic delete ${name} --yes`,
    })
  }
  await call(options.url, topicPath(name), { method: 'DELETE' })
  output.line(options.json === true ? JSON.stringify({ deleted: name }) : `Deleted ${name}.`)
}
