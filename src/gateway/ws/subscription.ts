import type { IncomingMessage } from 'node:http'
import { SynodError } from '../../errors.ts'
import { freshnessOf, type FreshnessOf } from '../http/freshness.ts'
import { choice, parseQuery, wholeNumber, type Query } from '../http/query.ts'
import { leaderAddress } from '../http/redirect.ts'
import type { Ports } from '../ports.ts'
import { TopicFollower } from '../reading/follow.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import { UNREADABLE_MS_MAX } from '../reading/retry.ts'
import { findTarget } from '../reading/target.ts'
import type { Timers } from '../reading/timers.ts'
import type { FrameStyle } from './batch-frames.ts'

const PATH = /^\/v1\/topics\/([^/]+)\/subscribe$/
const PARAMETERS = ['from', 'partition', 'batch', 'values', 'consistency', 'redirect']
const CHUNK_BYTES_MAX = 256 * 1024
const ARRAY_RECORDS_MAX = 1_000

/** What a handshake asked for, with its start found. Whoever gets one stops its follower. */
export interface Subscription {
  readonly follower: TopicFollower
  readonly topicName: string
  readonly style: FrameStyle
}

/** What the address itself says, before anybody is asked. */
export interface SubscriptionAddress {
  readonly topicName: string
  readonly partition: string | undefined
  readonly from: string | undefined
  readonly style: FrameStyle
  readonly host: string
  /** What the start is to know of. */
  readonly freshnessOf: FreshnessOf
  readonly query: Query
  /** The request's own path and what stands behind its question mark. */
  readonly path: string
  readonly search: string
}

/** Errors: 'not-found', 'malformed-request', 'unknown-parameter', 'invalid-parameter'. */
export function readAddress(request: IncomingMessage): SubscriptionAddress {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  const search = mark === -1 ? '' : url.slice(mark + 1)
  const topicName = topicOf(path)
  const query = parseQuery(search, PARAMETERS)
  return {
    topicName,
    partition: query.get('partition'),
    from: query.get('from'),
    style: styleOf(query),
    host: request.headers.host ?? 'localhost',
    freshnessOf: freshnessOf(request, query),
    query,
    path,
    search,
  }
}

/** The handshake belongs to the broker that leads what is subscribed to: its client asked to be told. */
export class SeeLeader extends Error {
  override readonly name = 'SeeLeader'
  readonly location: string

  constructor(location: string) {
    super(`Another broker leads: ${location}`)
    this.location = location
  }
}

/** Finds the topic and where to start. Errors: those of `findTarget` and `resolvePlan`; SeeLeader. */
export async function prepareSubscription(
  ports: Pick<Ports, 'log' | 'topics' | 'cluster'>,
  address: SubscriptionAddress,
  timers: Timers,
): Promise<Subscription> {
  const { log, topics } = ports
  const target = await findTarget(topics, { ...address, fallback: 'latest' })
  const asked = { query: address.query, topic: target.topic, partitions: target.plan.keys() }
  const location = leaderAddress(ports, asked, address)
  // Clients that follow want the scheme that they began with.
  if (location !== undefined) throw new SeeLeader(location.replace(/^http/, 'ws'))
  const starts = await resolvePlan(log, target.topic, target.plan, timers, address.freshnessOf)
  const follower = new TopicFollower(log, target.topic, starts, {
    ends: undefined,
    bytesMax: CHUNK_BYTES_MAX,
    timers,
    patienceMs: UNREADABLE_MS_MAX,
    findTopic: target.isWholeTopic ? (name) => topics.find(name) : undefined,
  })
  return { follower, topicName: target.topic.name, style: address.style }
}

function topicOf(path: string): string {
  const encoded = PATH.exec(path)?.[1]
  if (encoded === undefined) {
    throw new SynodError('not-found', `There is no WebSocket at '${path.slice(0, 200)}'.`, {
      hint: 'Subscribe at /v1/topics/{topic}/subscribe.',
    })
  }
  try {
    return decodeURIComponent(encoded)
  } catch (cause) {
    throw new SynodError('malformed-request', `'${encoded.slice(0, 200)}' is not percent-encoded UTF-8.`, {
      hint: 'Write a plain percent sign as %25.',
      cause,
    })
  }
}

function styleOf(query: Query): FrameStyle {
  const batchMax = wholeNumber(query, 'batch', { min: 1, max: ARRAY_RECORDS_MAX })
  const values = choice(query, 'values', ['only'])
  if (batchMax !== undefined && values !== undefined) {
    throw new SynodError(
      'invalid-parameter',
      'batch and values=only do not go together: a value may be any bytes.',
      { hint: 'Leave one of the two out.' },
    )
  }
  if (batchMax !== undefined) return { kind: 'arrays', batchMax }
  return { kind: values === undefined ? 'records' : 'values' }
}
