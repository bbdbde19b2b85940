import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from '../ports.ts'
import { ndjsonFrom } from '../reading/encoded-batch.ts'
import { TopicFollower, type Chunk } from '../reading/follow.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import { findTarget, type ReadTarget } from '../reading/target.ts'
import { systemTimers, type Timers } from '../reading/timers.ts'
import type { RequestContext } from './context.ts'
import { freshnessOf, type FreshnessOf } from './freshness.ts'
import { redirected } from './redirect.ts'
import { draining, pour } from './pour.ts'
import { choice, parseQuery } from './query.ts'

const PARAMETERS = ['from', 'follow', 'partition', 'consistency', 'redirect']
const CHUNK_BYTES_MAX = 256 * 1024

/**
 * GET /v1/topics/{topic}/stream: NDJSON, one record a line, as it arrives; `follow=false` ends at what was readable when
 * it began. Rejects with a SynodError as long as nothing was sent; later failures end the answer with a line {"problem"}.
 * `context.params[0]` is the topic's name. A client that takes nothing of what waits is the server's socket timeout's matter,
 * as for every answer; here it only stops the reading.
 */
export async function handleStream(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  timers: Timers = systemTimers,
): Promise<void> {
  const { log, topics } = context.ports
  const query = parseQuery(context.search, PARAMETERS)
  const follows = choice(query, 'follow', ['true', 'false']) !== 'false'
  const target = await findTarget(topics, {
    topicName: context.params[0] ?? '',
    partition: query.get('partition'),
    from: query.get('from'),
    fallback: follows ? 'latest' : 'earliest',
    host: context.host,
  })
  if (redirected(response, context, { query, topic: target.topic, partitions: target.plan.keys() })) return
  const wanted = freshnessOf(request, query)
  const ends = follows ? undefined : await endsOf(log, target, timers, wanted)
  const starts = await resolvePlan(log, target.topic, target.plan, timers, wanted)
  if (context.closing.aborted) throw draining()
  const follower = new TopicFollower(log, target.topic, starts, {
    ends,
    bytesMax: CHUNK_BYTES_MAX,
    timers,
    findTopic: follows && target.isWholeTopic ? (name) => topics.find(name) : undefined,
  })
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  })
  response.flushHeaders()
  if (request.method === 'HEAD' || response.destroyed) {
    follower.stop()
    response.end()
    return
  }
  const topicName = target.topic.name
  await pour(follower, response, {
    context,
    timers,
    pieces: (chunk) => lines(topicName, chunk),
    lastPiece: (problem) => `${JSON.stringify({ problem })}\n`,
  })
}

/** The high watermarks of this moment, for the partitions that are read. */
function endsOf(
  log: Log,
  { topic, plan }: ReadTarget,
  timers: Timers,
  wanted: FreshnessOf,
): Promise<ReadonlyMap<number, number>> {
  return resolvePlan(
    log,
    topic,
    new Map([...plan.keys()].map((partition) => [partition, { kind: 'latest' }])),
    timers,
    wanted,
  )
}

function* lines(topicName: string, { partition, batches, fromOffset }: Chunk): Generator<Buffer> {
  for (const batch of batches) yield ndjsonFrom(topicName, partition, batch, fromOffset)
}
