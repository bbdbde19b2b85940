import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { callJson, NoAnswerError, ProblemError } from '../http.ts'
import type { Problem } from '../http.ts'
import type { Output } from '../output.ts'
import { openLines } from '../record-stream.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { recordText } from './record-text.ts'
import { topicPath } from './topic-answer.ts'
import type { TopicAnswer } from './topic-answer.ts'

export interface TailOptions extends ClientOptions {
  readonly from?: string
  readonly partition?: number
  readonly follow: boolean
}

interface StreamLine {
  readonly partition: number
  readonly offset: number
  readonly problem?: Problem
}

/** Where reading goes on, by partition: the next offset. */
type Positions = Map<number, number>

const PAUSE_MAX_MS = 2_000

export function addCommand(program: Command, output: Output): void {
  withClientOptions(
    program
      .command('tail')
      .description('print records as they arrive')
      .argument('<topic>')
      .option(
        '--from <position>',
        'earliest, latest, -N (the last N), an offset, 0@17,1@12 or time:2026-01-31T12:00:00Z',
      )
      .option('--partition <number>', 'only this partition', wholeNumber)
      .option('--follow', 'wait for more records (the default)', true)
      .option('--no-follow', 'end after the last record there is now'),
  ).action(async (topic: string, options: TailOptions) => tail(topic, options, output, undefined))
}

/**
 * Prints every record from the start position on once, in order within its partition. While following, a stream that
 * breaks is opened again where it broke. Returns at the end of a stream that does not follow.
 */
export async function tail(
  topic: string,
  options: TailOptions,
  output: Output,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wish = options.from ?? (options.follow ? 'latest' : 'earliest')
  const positions: Positions = options.follow
    ? await fixStart(topic, wish, options, signal)
    : new Map<number, number>()
  let pauseMs = 100
  let hasConnected = false
  let lastTold = ''
  for (;;) {
    const from = options.follow && positions.size > 0 ? positionsText(positions) : wish
    let isBroken: unknown
    try {
      const groups = await openStream(topic, from, options, signal)
      hasConnected = true
      for await (const lines of groups) {
        for (const line of lines) {
          const record = JSON.parse(line) as StreamLine
          if (record.problem !== undefined) throw new ProblemError(200, record.problem)
          positions.set(record.partition, record.offset + 1)
          output.line(options.json === true ? line : recordText(line))
          pauseMs = 100
          lastTold = ''
          await output.drained()
        }
      }
      if (!options.follow) return
    } catch (error) {
      if (signal?.aborted === true) return
      if (!options.follow || !hasConnected || !isPassing(error)) throw error
      isBroken = error
    }
    // A stream that follows ends only when its broker stops.
    const why = isBroken instanceof Error ? isBroken.message : 'The broker ended the stream.'
    if (why !== lastTold) output.note(`${why} Trying again.`)
    lastTold = why
    await delay(pauseMs, undefined, { signal })
    pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
  }
}

/** Resolves when the broker has begun to answer. */
function openStream(
  topic: string,
  from: string,
  options: TailOptions,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<readonly string[]>> {
  const query = new URLSearchParams({ from, follow: String(options.follow) })
  if (options.partition !== undefined) query.set('partition', String(options.partition))
  return openLines(options.url, `${topicPath(topic)}/stream?${query.toString()}`, { signal })
}

/**
 * The start as an offset in each partition, where 'now' or 'the last N' would mean something else after a break.
 * Empty when the wish means the same whenever it is asked.
 */
async function fixStart(
  topic: string,
  wish: string,
  options: TailOptions,
  signal: AbortSignal | undefined,
): Promise<Positions> {
  const fixed: Positions = new Map()
  const last = /^-(\d+)$/.exec(wish)
  if (wish !== 'latest' && last === null) return fixed
  const answer = await callJson<TopicAnswer>(options.url, topicPath(topic), { signal }).catch(
    (error: unknown) => {
      // The topic may come to be by the first produce; the stream itself says what it thinks of a missing one.
      if (error instanceof ProblemError && error.problem.code === 'topic-not-found') return undefined
      throw error
    },
  )
  for (const { partition, highWatermark, logStart } of answer?.partitions ?? []) {
    if (options.partition !== undefined && options.partition !== partition) continue
    // A partition without a leader knows no end: then the wish goes to the server as it is.
    if (highWatermark === undefined || highWatermark === null) return new Map()
    fixed.set(partition, Math.max(logStart ?? 0, highWatermark - Number(last?.[1] ?? 0)))
  }
  return fixed
}

function positionsText(positions: Positions): string {
  return [...positions].map(([partition, offset]) => `${partition}@${offset}`).join(',')
}

/** Whether a new stream may go on where this one ended. */
function isPassing(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true
  return error instanceof ProblemError && error.problem.retryable === true && error.exitCode === EXIT.tryAgain
}
