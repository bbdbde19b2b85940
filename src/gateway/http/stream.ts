import { setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { SynodError } from '../../errors.ts'
import type { Topic } from '../../types/topic.ts'
import type { Log } from '../ports.ts'
import { toProblem } from '../problem.ts'
import { drained } from '../reading/drained.ts'
import { ndjsonFrom } from '../reading/encoded-batch.ts'
import { TopicFollower } from '../reading/follow.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import type { StartPlan } from '../reading/start-position.ts'
import { findTarget } from '../reading/target.ts'
import { systemTimers, type Timers } from '../reading/timers.ts'
import { READER_TURNS } from '../reading/turns.ts'
import type { RequestContext } from './context.ts'
import { choice, parseQuery } from './query.ts'

const PARAMETERS = ['from', 'follow', 'partition']
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
  const ends = follows ? undefined : await endsOf(log, target.topic, target.plan, timers)
  const starts = await resolvePlan(log, target.topic, target.plan, timers)
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
  await pour(follower, response, { context, topicName: target.topic.name })
}

/** The high watermarks of this moment, for the partitions that are read. */
function endsOf(
  log: Log,
  topic: Topic,
  plan: StartPlan,
  timers: Timers,
): Promise<ReadonlyMap<number, number>> {
  return resolvePlan(
    log,
    topic,
    new Map([...plan.keys()].map((partition) => [partition, { kind: 'latest' }])),
    timers,
  )
}

interface Pouring {
  readonly context: RequestContext
  readonly topicName: string
}

async function pour(follower: TopicFollower, response: ServerResponse, pouring: Pouring): Promise<void> {
  const { context, topicName } = pouring
  const stop = (): void => follower.stop()
  response.once('close', stop)
  response.on('error', stop)
  // Every stream listens here, so the usual limit of listeners does not mean a leak.
  setMaxListeners(0, context.closing)
  context.closing.addEventListener('abort', stop)
  try {
    for (let chunk = await follower.next(); chunk !== undefined; chunk = await follower.next()) {
      const turn = READER_TURNS.enter(chunk.byteLength)
      if (turn !== undefined) await turn
      if (response.destroyed) break
      response.cork()
      for (const batch of chunk.batches) {
        response.write(ndjsonFrom(topicName, chunk.partition, batch, chunk.fromOffset))
      }
      response.uncork()
      // Asked only now: newer versions of Node drain while they uncork.
      if (response.writableNeedDrain) await drained(response)
    }
    if (context.closing.aborted) throw draining()
  } catch (error) {
    if (!(error instanceof SynodError))
      context.options.log.error({ error, requestId: context.requestId }, 'A stream failed')
    if (!response.destroyed)
      response.write(`${JSON.stringify({ problem: toProblem(error, context.requestId, context.path) })}\n`)
  } finally {
    follower.stop()
    context.closing.removeEventListener('abort', stop)
    if (!response.destroyed) response.end()
  }
}

function draining(): SynodError {
  return new SynodError('draining', 'This broker is about to stop.')
}
