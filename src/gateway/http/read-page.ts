import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { StoredRecord } from '../../types/record.ts'
import type { Topic } from '../../types/topic.ts'
import type { ReadResult } from '../ports.ts'
import { recordJson } from '../reading/record-json.ts'
import { encodeCursor } from '../reading/cursor.ts'
import { findTarget, type ReadTarget } from '../reading/target.ts'
import { READER_TURNS } from '../reading/turns.ts'
import { sendJson } from './answer.ts'
import type { RequestContext } from './context.ts'
import { bytesOf, holdUntilSent, takeBytes } from './held-answer.ts'
import { duration, wholeNumber } from './query.ts'
import type { Query } from './query.ts'

const LIMIT = { standard: 100, max: 1_000 }
const PAGE_BYTES = { standard: 1024 * 1024, max: 4 * 1024 * 1024 }
const WAIT_MS_MAX = 60_000

interface PageBounds {
  readonly recordsMax: number
  readonly bytesMax: number
}

/** GET …/partitions/{p}/records: one page, which may be empty. */
export async function readPage(
  _request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  { query }: { readonly query: Query },
): Promise<void> {
  const bounds: PageBounds = {
    recordsMax: wholeNumber(query, 'limit', { min: 1, max: LIMIT.max }) ?? LIMIT.standard,
    bytesMax: wholeNumber(query, 'maxBytes', { min: 1, max: PAGE_BYTES.max }) ?? PAGE_BYTES.standard,
  }
  const waitMs = duration(query, 'wait', WAIT_MS_MAX) ?? 0
  const target = await findTarget(context.ports.topics, {
    topicName: context.params[0] ?? '',
    partition: context.params[1] ?? '',
    from: query.get('from'),
    fallback: 'earliest',
    host: context.host,
  })
  const { topic } = target
  const [partition, fromOffset] = await startOf(context, target)
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  response.once('close', abort)
  const signal = waitMs === 0 ? undefined : AbortSignal.any([gone.signal, context.closing])
  const read = (longestMs: number) =>
    context.ports.log.read({
      topic,
      partition,
      fromOffset,
      ...bounds,
      waitMs: longestMs,
      signal: longestMs === 0 ? undefined : signal,
    })
  try {
    const result = await read(waitMs).catch((error: unknown) => {
      // A wait that is cut short by the broker's own end still has an answer: nothing came.
      if (signal?.aborted === true && !response.destroyed && !(error instanceof SynodError)) return read(0)
      throw error
    })
    if (response.destroyed) return
    const page = await encode(context, result, () =>
      pageJson(topic, partition, { fromOffset, result, bounds }),
    )
    if (response.destroyed) return
    holdUntilSent(context.answers, response, page.length)
    sendJson(response, 200, page)
  } catch (error) {
    if (!response.destroyed) throw error
  } finally {
    response.off('close', abort)
  }
}

/** What was read is held only until it is a page. Errors: 'overloaded'. */
async function encode(context: RequestContext, result: ReadResult, page: () => string): Promise<string> {
  const byteCount = bytesOf(result)
  takeBytes(context.answers, byteCount)
  try {
    await READER_TURNS.enter(byteCount)
    return page()
  } finally {
    context.answers.give(byteCount)
  }
}

/** The one partition that is read, and the offset that `from` means in it. Errors: those of the log. */
async function startOf(
  { ports }: RequestContext,
  { topic, plan }: ReadTarget,
): Promise<[partition: number, fromOffset: number]> {
  const [start, ...more] = plan
  invariant(start !== undefined && more.length === 0, 'A page of a partition reads that one.')
  const [partition, position] = start
  const isOffset = position.kind === 'offset'
  return [partition, isOffset ? position.offset : await ports.log.resolve(topic, partition, position)]
}

interface PageSource {
  readonly fromOffset: number
  readonly result: ReadResult
  readonly bounds: PageBounds
}

function pageJson(topic: Topic, partition: number, { fromOffset, result, bounds }: PageSource): string {
  const lines: string[] = []
  let byteCount = 0
  let nextOffset = fromOffset
  for (const record of recordsFrom(result, fromOffset)) {
    if (lines.length >= bounds.recordsMax) break
    const line = recordJson(topic.name, partition, record)
    byteCount += Buffer.byteLength(line)
    if (lines.length > 0 && byteCount > bounds.bytesMax) break
    lines.push(line)
    nextOffset = record.offset + 1
  }
  const upToDate = nextOffset >= result.highWatermark
  const places = new Map([[partition, nextOffset]])
  const cursor = encodeCursor({ topicId: topic.id, isWholeTopic: false, places, turn: 0 })
  return (
    `{"records":[${lines.join(',')}],"nextOffset":${nextOffset},"highWatermark":${result.highWatermark},` +
    `"logStart":${result.logStart},"upToDate":${upToDate},"cursor":"${cursor}"}`
  )
}

/** The records of the batches from an offset on: the first batch may begin before it. */
export function* recordsFrom(result: ReadResult, fromOffset: number): Generator<StoredRecord> {
  for (const batch of result.batches) {
    for (const record of batch.records) if (record.offset >= fromOffset) yield record
  }
}
