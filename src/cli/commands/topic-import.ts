import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson } from '../http.ts'
import { LineSource } from '../line-source.ts'
import { countText } from '../output.ts'
import type { Output } from '../output.ts'
import { Chunks } from '../transfer/chunks.ts'
import type { Chunk } from '../transfer/chunks.ts'
import { recordOfLine } from '../transfer/record-line.ts'
import type { ImportedRecord } from '../transfer/record-line.ts'
import { sendChunk } from '../transfer/send-chunk.ts'
import { tryAgain } from '../try-again.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { topicPath } from './topic-answer.ts'
import type { TopicAnswer } from './topic-answer.ts'

export interface ImportOptions extends ClientOptions {
  readonly id?: string
  readonly repartition?: boolean
  readonly retrySeconds: number
}

interface Counts {
  lineCount: number
  storedCount: number
  knownCount: number
}

/** Chunks of one request stay well below the server's bound of 4 MiB. */
const BOUNDS = { recordsMax: 1_000, bytesMax: 1024 * 1024, waitingBytesMax: 16 * 1024 * 1024 }
const LINES_AT_ONCE = 1_000
const ID_PATTERN = /^[\x21-\x7e]{1,64}$/

export function addImport(topic: Command, output: Output): void {
  withClientOptions(
    topic
      .command('import')
      .description('store the records of an export; the same import twice stores nothing twice')
      .argument('<name>')
      .argument('[file]', 'what topic export wrote; without it standard input'),
  )
    .option('--id <id>', 'by what a repeat is known again; by default the content of the file')
    .option('--repartition', 'choose the partitions anew, by key, instead of those that the lines name')
    .option('--retry-seconds <count>', 'how long to try again while nobody can store it', wholeNumber, 30)
    .action((name: string, file: string | undefined, options: ImportOptions) =>
      importTopic(name, file, options, output),
    )
}

async function importTopic(
  name: string,
  file: string | undefined,
  options: ImportOptions,
  output: Output,
): Promise<void> {
  if (options.id !== undefined && !ID_PATTERN.test(options.id))
    throw new CommandError(EXIT.usage, `'${options.id}' is no id: it has 1 to 64 visible ASCII characters.`)
  const producerId = options.id ?? (file === undefined ? `import-${randomUUID()}` : await idOfContent(file))
  const input: AsyncIterable<Uint8Array> = file === undefined ? process.stdin : createReadStream(file)
  const isIdDrawn = file === undefined && options.id === undefined
  const again = `The same import again goes on from here${isIdDrawn ? `, with --id ${producerId}` : ''}.`
  await importRecords(name, { input, producerId, again, sizeBytes: sizeOf(file) }, options, output)
}

/** So that a repeat is known again, and another file under the same name is not taken for one. */
async function idOfContent(file: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  } catch (error) {
    throw new CommandError(EXIT.usage, `${file} cannot be read: ${String(error)}.`, { cause: error })
  }
  return `import-${hash.digest('hex').slice(0, 48)}`
}

function sizeOf(file: string | undefined): number | undefined {
  return file === undefined ? undefined : statSync(file).size
}

export interface ImportInput {
  readonly input: AsyncIterable<Uint8Array>
  readonly producerId: string
  /** What to tell whoever sees it fail where trying again may help. */
  readonly again: string
  readonly sizeBytes: number | undefined
}

/** Sends the partitions beside each other and each one's records in order. What was stored is told even after a failure. */
export async function importRecords(
  name: string,
  { input, producerId, again, sizeBytes }: ImportInput,
  options: ImportOptions,
  output: Output,
): Promise<void> {
  const to = { url: options.url, topicPath: topicPath(name), producerId, retrySeconds: options.retrySeconds }
  const { partitions } = await tryAgain(options.retrySeconds, () =>
    callJson<TopicAnswer>(options.url, to.topicPath),
  )
  const placement = { partitionCount: partitions.length, isAnew: options.repartition === true }
  const source = new LineSource(input)
  const chunks = new Chunks(BOUNDS)
  const counts: Counts = { lineCount: 0, storedCount: 0, knownCount: 0 }
  const sendAll = async (due: readonly Chunk[]): Promise<void> => {
    const lines = byPartition(due)
    await settled(
      lines.map(async (line) => {
        for (const chunk of line) {
          const sent = await sendChunk(chunk, to).catch((error: unknown) => {
            throw atLines(error, chunk.records, again)
          })
          counts.storedCount += sent.storedCount
          counts.knownCount += sent.knownCount
        }
      }),
    )
  }
  const bar = progressBar(sizeBytes)
  try {
    for (;;) {
      const lines = await source.take({ countMax: LINES_AT_ONCE, bytesMax: BOUNDS.bytesMax })
      if (lines.length === 0) break
      const due = lines.flatMap((line) => {
        counts.lineCount++
        return line.trim() === '' ? [] : chunks.add(recordOfLine(line, counts.lineCount, placement))
      })
      await sendAll(due)
      bar?.update(source.bytesRead, { ...counts })
    }
    await sendAll(chunks.rest())
  } finally {
    bar?.stop()
    report(name, producerId, counts, options, output)
  }
}

/** Each partition's chunks in their order. */
function byPartition(chunks: readonly Chunk[]): readonly (readonly Chunk[])[] {
  const lines = new Map<number, Chunk[]>()
  for (const chunk of chunks) {
    const line = lines.get(chunk.partition)
    if (line === undefined) lines.set(chunk.partition, [chunk])
    else line.push(chunk)
  }
  return [...lines.values()]
}

/** Waits for all, so that what is told at the end is all that was stored; then the first failure is thrown. */
async function settled(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason
}

/** Which lines it was, and how to go on. */
function atLines(error: unknown, records: readonly ImportedRecord[], again: string): unknown {
  if (!(error instanceof CommandError)) return error
  const [first, last] = [records[0]?.lineNumber, records.at(-1)?.lineNumber]
  const place = first === last ? `line ${first}` : `lines between ${first} and ${last}`
  const hint = error.exitCode === EXIT.refused ? error.hint : again
  return new CommandError(error.exitCode, `${error.message} (${place})`, { hint, cause: error })
}

function report(
  topic: string,
  producerId: string,
  { storedCount, knownCount }: Counts,
  options: ImportOptions,
  output: Output,
): void {
  if (options.json === true) {
    output.line(JSON.stringify({ topic, id: producerId, storedCount, knownCount }))
    return
  }
  const known = knownCount === 0 ? '' : `; ${countText(knownCount, 'record')} of an earlier run were there`
  output.line(`Stored ${countText(storedCount, 'record')} in ${topic}${known}.`)
}

/** Only where a person watches. */
function progressBar(sizeBytes: number | undefined): SingleBar | undefined {
  if (!process.stderr.isTTY || (sizeBytes === undefined && process.stdin.isTTY)) return undefined
  const format =
    sizeBytes === undefined
      ? '{storedCount} records'
      : '{bar} {percentage} % | {storedCount} records | {eta_formatted}'
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  bar.start(sizeBytes ?? 1, 0, { storedCount: 0 })
  return bar
}
