import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { StoredRecord } from '../../types/record.ts'
import type { Topic } from '../../types/topic.ts'
import type { Freshness, ReadResult } from '../ports.ts'
import { recordJson } from '../reading/record-json.ts'
import { encodeCursor } from '../reading/cursor.ts'
import { parseFrom } from '../reading/start-position.ts'
import { findTarget, type ReadTarget } from '../reading/target.ts'
import { READER_TURNS } from '../reading/turns.ts'
import { sendAnswer, sendJson } from './answer.ts'
import type { RequestContext } from './context.ts'
import { freshnessOf, type FreshnessOf } from './freshness.ts'
import { bytesOf, holdUntilSent, takeBytes } from './held-answer.ts'
import { immutableHeaders, isHeldByClient } from './immutable.ts'
import { redirected } from './redirect.ts'
import { PageLines, pageBounds, pageWaitMs, type PageBounds } from './page-bounds.ts'
import type { Query } from './query.ts'

/** GET …/partitions/{p}/records: one page, which may be empty. */
export async function readPage(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  { query }: { readonly query: Query },
): Promise<void> {
  const bounds = pageBounds(query)
  const waitMs = pageWaitMs(query)
  const target = await findTarget(context.ports.topics, {
    topicName: context.params[0] ?? '',
    partition: context.params[1] ?? '',
    from: query.get('from'),
    fallback: 'earliest',
    host: context.host,
  })
  if (redirected(response, context, { query, topic: target.topic, partitions: target.plan.keys() })) return
  const { topic } = target
  const wanted = freshnessOf(request, query)
  const [partition, fromOffset] = await startOf(context, target, wanted)
  const freshness = wanted(partition)
  const untilOffset = await endOf(context, target, { until: query.get('until'), freshness })
  const longestWaitMs = fromOffset < untilOffset ? waitMs : 0
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  response.once('close', abort)
  const signal = longestWaitMs === 0 ? undefined : AbortSignal.any([gone.signal, context.closing])
  const read = (longestMs: number) =>
    context.ports.log.read({
      topic,
      partition,
      fromOffset,
      ...bounds,
      waitMs: longestMs,
      signal: longestMs === 0 ? undefined : signal,
      freshness,
    })
  try {
    const result = await read(longestWaitMs).catch((error: unknown) => {
      // A wait that is cut short by the broker's own end still has an answer: nothing came.
      if (signal?.aborted === true && !response.destroyed && !(error instanceof SynodError)) return read(0)
      throw error
    })
    if (response.destroyed) return
    const range = { fromOffset, untilOffset, isFixed: isFixed(target, query) }
    const page = await encode(context, result, () => pageOf(topic, partition, { range, result, bounds }))
    if (response.destroyed) return
    if (isHeldByClient(request, page.headers))
      return sendAnswer(response, { status: 304, headers: page.headers, body: '' })
    holdUntilSent(context.answers, response, page.body.length)
    sendJson(response, 200, page.body, page.headers)
  } catch (error) {
    if (!response.destroyed) throw error
  } finally {
    response.off('close', abort)
  }
}

/** What was read is held only until it is a page. Errors: 'overloaded'. */
export async function encode<Encoded>(
  context: RequestContext,
  result: ReadResult,
  page: () => Encoded,
): Promise<Encoded> {
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
  freshnessOf: FreshnessOf,
): Promise<[partition: number, fromOffset: number]> {
  const [start, ...more] = plan
  invariant(start !== undefined && more.length === 0, 'A page of a partition reads that one.')
  const [partition, position] = start
  const isOffset = position.kind === 'offset'
  if (isOffset) return [partition, position.offset]
  return [partition, await ports.log.resolve(topic, partition, position, freshnessOf(partition))]
}

/** Where `until` ends the page; without it nothing but its bounds does. Errors: 'invalid-offset', those of the log. */
async function endOf(
  { ports }: RequestContext,
  { topic, plan }: ReadTarget,
  { until, freshness }: { readonly until: string | undefined; readonly freshness: Freshness | undefined },
): Promise<number> {
  if (until === undefined) return Number.POSITIVE_INFINITY
  const partitions = [...plan.keys()]
  const [end] = parseFrom(until, { topic, partitions, fallback: 'latest' })
  invariant(end !== undefined, 'A page of a partition reads that one.')
  const [partition, position] = end
  return position.kind === 'offset'
    ? position.offset
    : ports.log.resolve(topic, partition, position, freshness)
}

/** Both ends were named as offsets, so the address means the same records whenever it is asked. */
function isFixed({ topic, plan }: ReadTarget, query: Query): boolean {
  const until = query.get('until')
  if (until === undefined) return false
  const ends = parseFrom(until, { topic, partitions: [...plan.keys()], fallback: 'latest' })
  return [...plan.values(), ...ends.values()].every(({ kind }) => kind === 'offset')
}

interface PageSource {
  readonly range: { readonly fromOffset: number; readonly untilOffset: number; readonly isFixed: boolean }
  readonly result: ReadResult
  readonly bounds: PageBounds
}

/**
 * A page whose both ends are fixed, and which is whole, stays as it is for ever. So it leaves out what does change: the high
 * watermark and the log's start.
 */
function pageOf(
  topic: Topic,
  partition: number,
  { range, result, bounds }: PageSource,
): { readonly body: string; readonly headers: OutgoingHttpHeaders } {
  const { fromOffset, untilOffset } = range
  const page = new PageLines(bounds)
  let nextOffset = fromOffset
  for (const record of recordsFrom(result, fromOffset)) {
    if (record.offset >= untilOffset || !page.add(recordJson(topic.name, partition, record))) break
    nextOffset = record.offset + 1
  }
  const isWhole = page.hasAllRecords || (nextOffset === untilOffset && nextOffset > fromOffset)
  const isUnchanging = range.isFixed && isWhole
  const upToDate = nextOffset >= (isUnchanging ? untilOffset : Math.min(untilOffset, result.highWatermark))
  const places = new Map([[partition, nextOffset]])
  const cursor = encodeCursor({ topicId: topic.id, isWholeTopic: false, places, turn: 0 })
  const live = `"highWatermark":${result.highWatermark},"logStart":${result.logStart},`
  return {
    body:
      `{"records":[${page.lines.join(',')}],"nextOffset":${nextOffset},${isUnchanging ? '' : live}` +
      `"upToDate":${upToDate},"cursor":"${cursor}"}`,
    headers: isUnchanging ? immutableHeaders({ topicId: topic.id, partition, fromOffset, nextOffset }) : {},
  }
}

/** The records of the batches from an offset on: the first batch may begin before it. */
export function* recordsFrom(result: ReadResult, fromOffset: number): Generator<StoredRecord> {
  for (const batch of result.batches) {
    for (const record of batch.records) if (record.offset >= fromOffset) yield record
  }
}
