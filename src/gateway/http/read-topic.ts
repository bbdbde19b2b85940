import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { encodeCursor } from '../reading/cursor.ts'
import { recordJson } from '../reading/record-json.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import { CURSOR_PREFIX } from '../reading/start-position.ts'
import { findTarget, type ReadTarget } from '../reading/target.ts'
import { systemTimers } from '../reading/timers.ts'
import { awaitAny, readInTurns, type PartitionResult, type TurnReads } from '../reading/turn-reads.ts'
import { sendJson } from './answer.ts'
import type { RequestContext } from './context.ts'
import { freshnessOf, type FreshnessOf } from './freshness.ts'
import { holdUntilSent } from './held-answer.ts'
import { PageLines, pageBounds, pageWaitMs, type PageBounds } from './page-bounds.ts'
import type { Query } from './query.ts'
import { redirected } from './redirect.ts'
import { encode, recordsFrom } from './read-page.ts'

/** GET /v1/topics/{topic}/records: a page over all partitions, which take turns from page to page. */
export async function readTopic(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  { query }: { readonly query: Query },
): Promise<void> {
  const { log, topics } = context.ports
  const bounds = pageBounds(query)
  const waitMs = pageWaitMs(query)
  const target = await findTarget(topics, {
    topicName: context.params[0] ?? '',
    partition: undefined,
    from: fromOf(query),
    fallback: 'earliest',
    host: context.host,
  })
  if (redirected(response, context, { query, topic: target.topic, partitions: target.plan.keys() })) return
  const wanted = freshnessOf(request, query)
  const places = await placesOf(context, target, wanted)
  const reads: TurnReads = { topic: target.topic, places, turn: target.turn, freshnessOf: wanted }
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  response.once('close', abort)
  try {
    let page = await fill(context, reads, bounds)
    if (page.isEmpty && waitMs > 0) {
      await awaitAny(log, reads, { waitMs, signal: AbortSignal.any([gone.signal, context.closing]) })
      if (!response.destroyed) page = await fill(context, reads, bounds)
    }
    if (response.destroyed) return
    holdUntilSent(context.answers, response, page.body.length)
    sendJson(response, 200, page.body)
  } finally {
    response.off('close', abort)
  }
}

function fromOf(query: Query): string | undefined {
  const from = query.get('from')
  const cursor = query.get('cursor')
  if (cursor === undefined) return from
  if (from === undefined) return `${CURSOR_PREFIX}${cursor}`
  throw new SynodError('invalid-parameter', "'from' and 'cursor' both say where to begin.", {
    hint: 'Send the cursor of the page before alone.',
  })
}

/** Offsets are tried out when their partition is read. */
async function placesOf(
  { ports }: RequestContext,
  { topic, plan }: ReadTarget,
  freshness: FreshnessOf,
): Promise<ReadonlyMap<number, number>> {
  const open = new Map([...plan].filter(([, { kind }]) => kind !== 'offset'))
  const found = await resolvePlan(ports.log, topic, open, systemTimers, freshness)
  return new Map(
    [...plan].map(([partition, position]) => [
      partition,
      position.kind === 'offset' ? position.offset : (found.get(partition) ?? 0),
    ]),
  )
}

async function fill(
  context: RequestContext,
  reads: TurnReads,
  bounds: PageBounds,
): Promise<{ readonly body: string; readonly isEmpty: boolean }> {
  const { topic } = reads
  const page = new PageLines(bounds)
  const places = new Map(reads.places)
  let { turn } = reads
  let upToDate = true
  const room = () => ({ recordsMax: page.recordsLeft, bytesMax: page.bytesLeft })
  for await (const read of readInTurns(context.ports.log, reads, room)) {
    const nextOffset = await encode(context, read.result, () => take(page, topic.name, read))
    places.set(read.partition, nextOffset)
    upToDate &&= nextOffset >= read.result.highWatermark
    if (!page.isFull) continue
    turn = (read.partition + 1) % topic.partitions.length
    upToDate &&= places.size === 1
    break
  }
  const cursor = encodeCursor({ topicId: topic.id, isWholeTopic: true, places, turn })
  const body = `{"records":[${page.lines.join(',')}],"upToDate":${upToDate},"cursor":"${cursor}"}`
  return { body, isEmpty: page.lines.length === 0 }
}

/** The offset after the last record that has its place in the page. */
function take(
  page: PageLines,
  topicName: string,
  { partition, fromOffset, result }: PartitionResult,
): number {
  let nextOffset = fromOffset
  for (const record of recordsFrom(result, fromOffset)) {
    if (!page.add(recordJson(topicName, partition, record))) break
    nextOffset = record.offset + 1
  }
  return nextOffset
}
