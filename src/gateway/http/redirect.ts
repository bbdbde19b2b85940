import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

import type { Topic } from '../../types/topic.ts'
import type { Ports } from '../ports.ts'
import { commonHeaders, endAfterBody, sendAnswer } from './answer.ts'
import type { RequestContext } from './context.ts'
import { choice, type Query } from './query.ts'

interface Asked {
  readonly query: Query
  readonly topic: Topic
  readonly partitions: Iterable<number>
}

/** Where the same request is to be sent instead. */
interface Elsewhere {
  readonly path: string
  /** What stands behind the question mark. */
  readonly search: string
}

/**
 * `redirect=true`: the address, query included, at the broker that leads all that the request is about. Undefined when there is
 * none such, or it is this one: then the request is answered here as any other. Error: 'invalid-parameter'.
 */
export function leaderAddress(
  { log, cluster }: Pick<Ports, 'log' | 'cluster'>,
  { query, topic, partitions }: Asked,
  { path, search }: Elsewhere,
): string | undefined {
  if (choice(query, 'redirect', ['true', 'false']) !== 'true') return undefined
  const leaders = new Set([...partitions].map((partition) => log.leaderOf(topic, partition)))
  const [leader] = leaders
  if (leaders.size !== 1 || leader === undefined || leader === cluster.broker) return undefined
  const url = cluster.brokers().find(({ id }) => id === leader)?.publicUrl
  return url === undefined ? undefined : `${url.replace(/\/$/, '')}${path}?${search}`
}

/** Answers with `leaderAddress`; false when there is none. */
export function redirected(response: ServerResponse, context: RequestContext, asked: Asked): boolean {
  const location = leaderAddress(context.ports, asked, context)
  if (location === undefined) return false
  const headers = { ...commonHeaders(context), ...redirectHeaders(location) }
  sendAnswer(response, { status: 307, headers, body: '' })
  return true
}

/** The same before the body was read: what comes of it is not looked at. */
export function redirectedUnread(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  asked: Asked,
): boolean {
  const location = leaderAddress(context.ports, asked, context)
  if (location === undefined) return false
  response.shouldKeepAlive = false
  response.writeHead(307, { ...redirectHeaders(location), 'Content-Length': 0 })
  response.flushHeaders()
  endAfterBody(request, response, context.options)
  return true
}

function redirectHeaders(location: string): OutgoingHttpHeaders {
  return { Location: location, 'Cache-Control': 'no-store' }
}
