import { randomUUID } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson } from '../http.ts'
import { LineSource } from '../line-source.ts'
import { countText } from '../output.ts'
import type { Output } from '../output.ts'
import { tryAgain } from '../try-again.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { topicPath } from './topic-answer.ts'

export interface ProduceOptions extends ClientOptions {
  readonly key?: string
  readonly keyField?: string
  readonly partition?: number
  readonly text?: boolean
  readonly batch: number
  readonly retrySeconds: number
}

interface Receipt {
  readonly partition: number
  /** Absent for a duplicate whose place is no longer remembered. */
  readonly offset?: number | null
}

/** What was stored so far, by partition. */
interface Stored {
  recordCount: number
  readonly partitions: Map<number, { first: number; last: number }>
}

const BATCH_RECORDS_MAX = 1_000
/** Well below the server's bound on a request, as JSON escapes make a text longer. */
const BATCH_BYTES_MAX = 1024 * 1024

export function addCommand(program: Command, output: Output): void {
  withClientOptions(
    program
      .command('produce')
      .description('store the lines of standard input, one record each')
      .argument('<topic>')
      .option('--key <key>', 'the key of every record')
      .option('--key-field <name>', 'take the key from this field of each line, which must be a JSON object')
      .option('--partition <number>', 'store everything in this partition', wholeNumber)
      .option('--text', 'store every line as text, even one that is JSON')
      .option(
        '--batch <count>',
        `records in one request, at most ${BATCH_RECORDS_MAX}`,
        wholeNumber,
        BATCH_RECORDS_MAX,
      )
      .option(
        '--retry-seconds <count>',
        'how long to try again while there is no leader or no answer',
        wholeNumber,
        30,
      ),
  ).action(async (topic: string, options: ProduceOptions) => {
    if (options.batch < 1 || options.batch > BATCH_RECORDS_MAX) {
      throw new CommandError(EXIT.usage, `--batch is 1 to ${BATCH_RECORDS_MAX}, not ${options.batch}.`)
    }
    if (process.stdin.isTTY) output.note('Type one record a line; Ctrl-D ends.')
    await produce(topic, options, process.stdin, output)
  })
}

/** Sends the lines in order, one request at a time. What was stored is told even when a later line fails. */
export async function produce(
  topic: string,
  options: ProduceOptions,
  input: AsyncIterable<Uint8Array>,
  output: Output,
): Promise<void> {
  const source = new LineSource(input)
  const stored: Stored = { recordCount: 0, partitions: new Map() }
  const bar = progressBar()
  try {
    for (;;) {
      const lines = await source.take({ countMax: options.batch, bytesMax: BATCH_BYTES_MAX })
      if (lines.length === 0) break
      const first = stored.recordCount + 1
      const records = lines.map((line, index) => recordOf(line, first + index, options))
      note(stored, await send(topic, records, options))
      bar?.update(source.bytesRead, { recordCount: stored.recordCount })
    }
  } finally {
    bar?.stop()
    report(topic, stored, options, output)
  }
}

/** One record of the request's JSON. A line that is JSON goes in as it is, byte for byte. */
function recordOf(line: string, lineNumber: number, options: ProduceOptions): string {
  const parsed = options.text === true ? undefined : parseJson(line)
  const parts = [parsed === undefined ? `"text":${JSON.stringify(line)}` : `"value":${line}`]
  const key = options.keyField === undefined ? options.key : keyOf(parsed, options.keyField, lineNumber)
  if (key !== undefined) parts.push(`"key":${JSON.stringify(key)}`)
  if (options.partition !== undefined) parts.push(`"partition":${options.partition}`)
  return `{${parts.join(',')}}`
}

function parseJson(line: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(line) as unknown }
  } catch {
    return undefined
  }
}

function keyOf(parsed: { readonly value: unknown } | undefined, field: string, lineNumber: number): string {
  const object = parsed?.value
  const isObject = typeof object === 'object' && object !== null && Object.hasOwn(object, field)
  const key: unknown = isObject ? (object as Record<string, unknown>)[field] : undefined
  if (typeof key === 'string' || typeof key === 'number') return String(key)
  throw new CommandError(
    EXIT.refused,
    `Line ${lineNumber} has no field '${field}' with a text or a number for a key.`,
  )
}

/** The same key for every try makes trying again safe, whatever became of the tries before. */
async function send(
  topic: string,
  records: readonly string[],
  options: ProduceOptions,
): Promise<readonly Receipt[]> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
    body: `{"records":[${records.join(',')}]}`,
  }
  const path = `${topicPath(topic)}/batches`
  const { results } = await tryAgain(options.retrySeconds, () =>
    callJson<{ results: readonly Receipt[] }>(options.url, path, request),
  )
  return results
}

function note(stored: Stored, receipts: readonly Receipt[]): void {
  for (const { partition, offset } of receipts) {
    stored.recordCount++
    if (offset === undefined || offset === null) continue
    const range = stored.partitions.get(partition)
    if (range === undefined) stored.partitions.set(partition, { first: offset, last: offset })
    else range.last = Math.max(range.last, offset)
  }
}

function report(topic: string, stored: Stored, options: ProduceOptions, output: Output): void {
  const ranges = [...stored.partitions].toSorted(([a], [b]) => a - b)
  if (options.json === true) {
    const partitions = ranges.map(([partition, { first, last }]) => ({
      partition,
      firstOffset: first,
      lastOffset: last,
    }))
    output.line(JSON.stringify({ topic, recordCount: stored.recordCount, partitions }))
    return
  }
  const places = ranges.map(([partition, { first, last }]) => `partition ${partition}: ${first} to ${last}`)
  output.line(
    `Stored ${countText(stored.recordCount, 'record')} in ${topic}${places.length > 0 ? ` (${places.join('; ')})` : ''}.`,
  )
}

/** Only where a person watches and nobody types: its length is the file's, if standard input is one. */
function progressBar(): SingleBar | undefined {
  if (!process.stderr.isTTY || process.stdin.isTTY) return undefined
  const input = fstatSync(0)
  const isFile = input.isFile() && input.size > 0
  const format = isFile
    ? '{bar} {percentage} % | {recordCount} records | {eta_formatted}'
    : '{recordCount} records'
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  bar.start(isFile ? input.size : 1, 0, { recordCount: 0 })
  return bar
}
