import type { ServerResponse } from 'node:http'

import type { Topic } from '../../types/topic.ts'
import { sendAnswer } from './answer.ts'
import type { RequestContext } from './context.ts'
import { choice, type Query } from './query.ts'

interface Asked {
  readonly query: Query
  readonly topic: Topic
  readonly partitions: Iterable<number>
}

/**
 * `redirect=true`: sends the client to the broker that leads all that it reads, with the whole address, query included. False
 * when there is none such, or it is this one: then the request is answered here as any other. Error: 'invalid-parameter'.
 */
export function redirected(response: ServerResponse, context: RequestContext, asked: Asked): boolean {
  const { query, topic, partitions } = asked
  if (choice(query, 'redirect', ['true', 'false']) !== 'true') return false
  const { log, cluster } = context.ports
  const leaders = new Set([...partitions].map((partition) => log.leaderOf(topic, partition)))
  const [leader] = leaders
  if (leaders.size !== 1 || leader === undefined || leader === cluster.broker) return false
  const url = cluster.brokers().find(({ id }) => id === leader)?.publicUrl
  if (url === undefined) return false
  const headers = {
    Location: `${url.replace(/\/$/, '')}${context.path}?${context.search}`,
    'Cache-Control': 'no-store',
  }
  sendAnswer(response, { status: 307, headers, body: '' })
  return true
}
