import type { IncomingMessage, ServerResponse } from 'node:http'

import { encodeCursor } from '../reading/cursor.ts'
import { TopicFollower, type Chunk } from '../reading/follow.ts'
import { recordJson } from '../reading/record-json.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import { CURSOR_PREFIX } from '../reading/start-position.ts'
import { findTarget, type ReadTarget } from '../reading/target.ts'
import { systemTimers, type Timers } from '../reading/timers.ts'
import type { RequestContext } from './context.ts'
import { freshnessOf } from './freshness.ts'
import { redirected } from './redirect.ts'
import { draining, pour } from './pour.ts'
import type { Query } from './query.ts'

/** With an id of up to 8 KiB a record, a chunk is to stay small. */
const CHUNK_BYTES_MAX = 64 * 1024
const HEARTBEAT_MS = 15_000

/**
 * GET /v1/topics/{topic}/events: server-sent events, one record each. The id of an event is the cursor after it, which a
 * browser sends as `Last-Event-ID` when it connects again; it then counts, and not the `from` of the address, which is as old
 * as the page. Rejects with a SynodError as long as nothing was sent; later failures end the answer with an event `problem`.
 */
export async function handleEvents(
  request: IncomingMessage,
  response: ServerResponse,
  { context, query, timers = systemTimers }: EventsCall,
): Promise<void> {
  const { log, topics } = context.ports
  const lastId = request.headers['last-event-id']
  const target = await findTarget(topics, {
    topicName: context.params[0] ?? '',
    partition: query.get('partition'),
    from: typeof lastId === 'string' && lastId !== '' ? `${CURSOR_PREFIX}${lastId}` : query.get('from'),
    fallback: 'latest',
    host: context.host,
  })
  if (redirected(response, context, { query, topic: target.topic, partitions: target.plan.keys() })) return
  const starts = await resolvePlan(log, target.topic, target.plan, timers, freshnessOf(request, query))
  if (context.closing.aborted) throw draining()
  const follower = new TopicFollower(log, target.topic, starts, {
    ends: undefined,
    bytesMax: CHUNK_BYTES_MAX,
    timers,
    findTopic: target.isWholeTopic ? (name) => topics.find(name) : undefined,
  })
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  })
  const events = new Events(target, starts)
  if (request.method === 'HEAD' || response.destroyed) {
    follower.stop()
    response.end()
    return
  }
  // Who loses the connection before the first record comes is to go on from here all the same.
  response.write(`id: ${events.cursor}\n\n`)
  await pour(follower, response, {
    context,
    timers,
    pieces: (chunk) => events.of(chunk),
    lastPiece: (problem) => `event: problem\ndata: ${JSON.stringify(problem)}\n\n`,
    heartbeat: { text: ': hb\n\n', everyMs: HEARTBEAT_MS },
  })
}

export interface EventsCall {
  readonly context: RequestContext
  readonly query: Query
  readonly timers?: Timers
}

/** Records as events, with the place after each of them. */
class Events {
  readonly #target: ReadTarget
  readonly #places: Map<number, number>

  constructor(target: ReadTarget, starts: ReadonlyMap<number, number>) {
    this.#target = target
    this.#places = new Map(starts)
  }

  get cursor(): string {
    const { topic, isWholeTopic } = this.#target
    return encodeCursor({ topicId: topic.id, isWholeTopic, places: this.#places, turn: 0 })
  }

  *of({ partition, batches, fromOffset }: Chunk): Generator<string> {
    // Partitions that were added are followed from their first record, whichever of them has one first.
    for (let added = this.#places.size; this.#target.isWholeTopic && added < partition; added++)
      this.#places.set(added, 0)
    for (const batch of batches) {
      for (const record of batch.records) {
        if (record.offset < fromOffset) continue
        this.#places.set(partition, record.offset + 1)
        yield `id: ${this.cursor}\ndata: ${recordJson(this.#target.topic.name, partition, record)}\n\n`
      }
    }
  }
}
