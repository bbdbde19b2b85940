import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson, NoAnswerError, ProblemError } from '../http.ts'
import type { Problem } from '../http.ts'
import { countText } from '../output.ts'
import type { Output } from '../output.ts'
import { openLines } from '../record-stream.ts'
import { ExportFile, readProgress } from '../transfer/export-file.ts'
import type { ExportTarget } from '../transfer/export-file.ts'
import { exportRanges } from '../transfer/export-ranges.ts'
import type { ExportRange } from '../transfer/export-ranges.ts'
import { tryAgain } from '../try-again.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { topicPath } from './topic-answer.ts'
import type { TopicAnswer } from './topic-answer.ts'

export interface ExportOptions extends ClientOptions {
  readonly from: string
  readonly until: string
  readonly partition?: number
  readonly output?: string
  readonly resume?: boolean
  readonly local?: boolean
  readonly retrySeconds: number
}

/** After so many bytes the progress is noted; what was read since is read again after a crash. */
const NOTE_BYTES = 16 * 1024 * 1024
const PAUSE_MS_MAX = 2_000

export function addExport(topic: Command, output: Output): void {
  withClientOptions(
    topic
      .command('export')
      .description('write the records of a topic, one JSON object a line')
      .argument('<name>'),
  )
    .option(
      '--from <position>',
      'earliest, an offset, 0@17,1@12, -N or time:2026-01-31T12:00:00Z',
      'earliest',
    )
    .option('--until <position>', 'the first record that is left out; in the same forms', 'latest')
    .option('--partition <number>', 'only this partition', wholeNumber)
    .option('-o, --output <file>', 'a new file; without it standard output')
    .option('--resume', 'go on with a file whose export broke off')
    .option('--local', 'what one broker knows, also while there is no majority')
    .option('--retry-seconds <count>', 'how long to try again while nothing comes', wholeNumber, 30)
    .action((name: string, options: ExportOptions) => exportTopic(name, options, output))
}

/** Errors: `usage` for a file that is there or options that do not fit, `refused` when records were trimmed meanwhile. */
export async function exportTopic(name: string, options: ExportOptions, output: Output): Promise<void> {
  const file = options.output
  if (file === undefined && options.resume === true)
    throw new CommandError(EXIT.usage, 'Only an export into a file can be resumed: name it with --output.')
  const progress = file === undefined || options.resume !== true ? undefined : readProgress(file)
  if (file !== undefined && options.resume === true && progress === undefined && existsSync(file))
    return output.note(`Nothing to do: ${file} is whole.`)
  const topic = await tryAgain(options.retrySeconds, () =>
    callJson<TopicAnswer>(options.url, topicPath(name)),
  )
  if (progress !== undefined && (progress.topicId !== topic.id || progress.topic !== topic.name))
    throw new CommandError(EXIT.refused, `${file} is an export of another topic than the ${name} of now.`, {
      hint: 'Export into a new file.',
    })
  const ranges = progress?.ranges ?? (await rangesOf(topic, options))
  const target = await openTarget(file, { topic, ranges, progress }, output)
  try {
    const count = await copy(name, ranges, target, options)
    await target.finish()
    if (file !== undefined) tell(name, file, count, options, output)
  } finally {
    await target.close()
  }
}

function rangesOf(topic: TopicAnswer, options: ExportOptions): Promise<readonly ExportRange[]> {
  const all = topic.partitions.map(({ partition }) => partition)
  const { url, from, until, retrySeconds } = options
  return exportRanges({
    url,
    topicPath: topicPath(topic.name),
    partitions: options.partition === undefined ? all : [options.partition],
    from,
    until,
    isLocal: options.local === true,
    retrySeconds,
  })
}

async function openTarget(
  file: string | undefined,
  start: {
    readonly topic: TopicAnswer
    readonly ranges: readonly ExportRange[]
    readonly progress: ReturnType<typeof readProgress>
  },
  output: Output,
): Promise<ExportTarget> {
  if (file === undefined) return streamTarget(output)
  if (start.progress !== undefined) return ExportFile.resume(file, start.progress)
  const { name, id } = start.topic
  return ExportFile.create(file, { topic: name, topicId: id }, start.ranges)
}

function streamTarget(output: Output): ExportTarget {
  return {
    async write(lines) {
      for (const line of lines) output.line(line)
      await output.drained()
    },
    note: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

/** One partition after the other. Returns how many records were written. */
async function copy(
  name: string,
  ranges: readonly ExportRange[],
  target: ExportTarget,
  options: ExportOptions,
): Promise<number> {
  const left = [...ranges]
  const total = left.reduce((sum, { nextOffset, untilOffset }) => sum + untilOffset - nextOffset, 0)
  const bar = progressBar(total, options)
  let count = 0
  let unnotedBytes = 0
  try {
    for (const [index, range] of left.entries()) {
      for await (const lines of recordsOf(name, range, options)) {
        await target.write(lines)
        count += lines.length
        unnotedBytes += lines.reduce((sum, line) => sum + line.length, 0)
        const last = JSON.parse(lines.at(-1) ?? '{}') as StreamLine
        left[index] = { ...range, nextOffset: last.offset + 1 }
        bar?.update(count)
        if (unnotedBytes < NOTE_BYTES) continue
        await target.note(left)
        unnotedBytes = 0
      }
    }
  } catch (error) {
    await target.note(left).catch(() => undefined)
    throw error
  } finally {
    bar?.stop()
  }
  return count
}

interface StreamLine {
  readonly offset: number
  readonly problem?: Problem
}

/** Every record of the range once, in order: a stream that breaks or ends early is opened again where it was. */
async function* recordsOf(
  name: string,
  { partition, nextOffset, untilOffset }: ExportRange,
  options: ExportOptions,
): AsyncGenerator<readonly string[]> {
  let next = nextOffset
  let heardAtMs = performance.now()
  for (let pauseMs = 100; next < untilOffset; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const abort = new AbortController()
    let failure: unknown
    try {
      const query = new URLSearchParams({ from: String(next), partition: String(partition), follow: 'false' })
      const path = `${topicPath(name)}/stream?${query.toString()}`
      for await (const lines of await openLines(options.url, path, { signal: abort.signal })) {
        const wanted = wantedOf(lines, next, untilOffset)
        if (wanted.length === 0) break
        next += wanted.length
        heardAtMs = performance.now()
        pauseMs = 100
        yield wanted
        if (next >= untilOffset) return
      }
    } catch (error) {
      if (!isPassing(error)) throw error
      failure = error
    } finally {
      abort.abort()
    }
    if (performance.now() + pauseMs - heardAtMs >= options.retrySeconds * 1_000)
      throw (
        failure ??
        new CommandError(EXIT.tryAgain, `Partition ${partition} of ${name} ends at ${next}.`, {
          hint: `The broker does not know of all records yet, of which there are ${untilOffset}. Try another one with --url.`,
        })
      )
    await delay(pauseMs)
  }
}

/** The lines before the end. A problem is thrown, but not before what came ahead of it was taken. */
function wantedOf(lines: readonly string[], next: number, untilOffset: number): readonly string[] {
  const wanted: string[] = []
  for (const line of lines) {
    const { offset, problem } = JSON.parse(line) as StreamLine
    if (problem !== undefined) {
      if (wanted.length > 0) break
      throw new ProblemError(200, problem)
    }
    if (offset >= untilOffset) break
    if (offset !== next + wanted.length)
      throw new CommandError(EXIT.internal, `After offset ${next + wanted.length - 1} came ${offset}.`)
    wanted.push(line)
  }
  return wanted
}

function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true
  return error instanceof ProblemError && error.problem.retryable === true
}

function tell(name: string, file: string, count: number, options: ExportOptions, output: Output): void {
  output.line(
    options.json === true
      ? JSON.stringify({ topic: name, file, recordCount: count })
      : `Wrote ${countText(count, 'record')} of ${name} into ${file}.`,
  )
}

/** Only where a person watches and the records go elsewhere. */
function progressBar(total: number, options: ExportOptions): SingleBar | undefined {
  if (!process.stderr.isTTY || (options.output === undefined && process.stdout.isTTY)) return undefined
  const format = '{bar} {percentage} % | {value} of {total} records | {eta_formatted}'
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true })
  bar.start(total, 0)
  return bar
}
