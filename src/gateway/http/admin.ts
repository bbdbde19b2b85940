import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

import { SynodError } from '../../errors.ts'
import type { BrokerId } from '../../types/ids.ts'
import type { Topic } from '../../types/topic.ts'
import { findTarget } from '../reading/target.ts'
import { addChanges } from './admin-changes.ts'
import type { RequestContext } from './context.ts'
import { asyncapiDocument } from '../ws/asyncapi.ts'
import { openapiDocument, openapiYaml } from './document.ts'
import * as cluster from './operations/cluster.ts'
import * as topics from './operations/topics.ts'
import { leaderAddress } from './redirect.ts'
import { decodePageToken, encodePageToken } from './page-token.ts'
import { brokerJson, configChange, etagOf, paxosJson, topicJson, topicSummaryJson } from './topic-json.ts'
import { findPartition, findTopic } from './topic-lookup.ts'
import { validationError } from './validation.ts'

/** The request's context comes with it. */
export interface AdminEnv {
  readonly Bindings: { readonly context: RequestContext }
}

type Admin = OpenAPIHono<AdminEnv>
type AdminContext = Context<AdminEnv>

/** Whose bodies are settings of a topic. */
const TOPIC_PATH = /^\/v1\/topics\/[^/]+$/
const LIST_LIMIT = 100

/** All that is not produced or read in bulk: validated and typed by the same declarations that make the document. */
export function createAdmin(): Admin {
  const app = new OpenAPIHono<AdminEnv>({
    defaultHook: (result, c: AdminContext) => {
      if (!result.success) throw validationError(result.target, result.error, TOPIC_PATH.test(c.req.path))
    },
  })
  // Thrown on, so that the one place that shapes problems shapes these too.
  app.onError((error) => {
    if (error instanceof HTTPException && error.status === 400)
      throw new SynodError('malformed-json', 'The body is not valid JSON.', {
        hint: 'Check it with `jq . < file`.',
        cause: error,
      })
    throw error
  })
  addTopics(app)
  addPartitions(app)
  addOrders(app)
  addCluster(app)
  addChanges(app)
  addProbes(app)
  addDocument(app)
  return app
}

async function describe(c: AdminContext, topic: Topic) {
  return topicJson(topic, await c.env.context.ports.topics.describe(topic))
}

function addTopics(app: Admin): void {
  app.openapi(topics.listTopics, (c) => {
    const { prefix = '', limit = LIST_LIMIT, pageToken } = c.req.valid('query')
    const after = pageToken === undefined ? '' : decodePageToken(pageToken)
    const found = c.env.context.ports.topics.list({ prefix, after, limit: limit + 1 })
    const last = found.length > limit ? found[limit - 1] : undefined
    const items = found.slice(0, limit).map(topicSummaryJson)
    return c.json(last === undefined ? { items } : { items, nextPageToken: encodePageToken(last.name) }, 200)
  })
  app.openapi(topics.createTopic, async (c) => {
    const { topic: name } = c.req.valid('param')
    const { partitions, replicationFactor, config } = c.req.valid('json')
    const spec = { partitions, replicationFactor, config: configChange(config) }
    const { topic, created } = await c.env.context.ports.topics.create(name, spec)
    c.header('ETag', etagOf(topic))
    const body = await describe(c, topic)
    return created ? c.json(body, 201) : c.json(body, 200)
  })
  app.openapi(topics.getTopic, async (c) => {
    const options = { linearizable: c.req.valid('query').linearizable === 'true' }
    const topic = await findTopic(c.env.context, c.req.valid('param').topic, options)
    c.header('ETag', etagOf(topic))
    return c.json(await describe(c, topic), 200)
  })
  app.openapi(topics.alterTopic, async (c) => {
    const { partitions, config } = c.req.valid('json')
    const { name } = await findTopic(c.env.context, c.req.valid('param').topic)
    const ifRevision = revisionOf(c.req.valid('header')['if-match'])
    const change = { partitions, config: configChange(config) }
    const topic = await c.env.context.ports.topics.alter(name, change, ifRevision)
    c.header('ETag', etagOf(topic))
    return c.json(await describe(c, topic), 200)
  })
  app.openapi(topics.deleteTopic, async (c) => {
    const { name } = await findTopic(c.env.context, c.req.valid('param').topic)
    await c.env.context.ports.topics.delete(name, revisionOf(c.req.valid('header')['if-match']))
    return c.body(null, 204)
  })
}

function addPartitions(app: Admin): void {
  app.openapi(topics.getOffsets, async (c) => {
    const { ports, host, path, search } = c.env.context
    const { log } = ports
    const { at, linearizable } = c.req.valid('query')
    const { topic: topicName, partition: partitionText } = c.req.valid('param')
    const asked = { topicName, partition: partitionText, from: at, fallback: 'latest', host } as const
    const { topic, plan } = await findTarget(ports.topics, asked)
    const partition = findPartition(topic, partitionText)
    const query = new Map(Object.entries({ redirect: c.req.valid('query').redirect ?? 'false' }))
    const location = leaderAddress(ports, { query, topic, partitions: [partition] }, { path, search })
    if (location !== undefined) return c.body(null, 307, { Location: location, 'Cache-Control': 'no-store' })
    const position = plan.get(partition)
    const freshness = { consistency: linearizable === 'true' ? 'linearizable' : 'local' } as const
    const [earliest, latest, offset] = await Promise.all([
      log.resolve(topic, partition, { kind: 'earliest' }, freshness),
      log.resolve(topic, partition, { kind: 'latest' }, freshness),
      at === undefined || position === undefined
        ? undefined
        : log.resolve(topic, partition, position, freshness),
    ])
    const answer = { topic: topic.name, partition, earliest, latest }
    return c.json(offset === undefined ? answer : { ...answer, offset }, 200)
  })
  app.openapi(topics.getPaxos, async (c) => {
    const topic = await findTopic(c.env.context, c.req.valid('param').topic)
    const partition = findPartition(topic, c.req.valid('param').partition)
    const state = await c.env.context.ports.topics.paxos(topic, partition)
    return c.json(paxosJson(topic, partition, state), 200)
  })
}

function addOrders(app: Admin): void {
  app.openapi(topics.moveLeader, async (c) => {
    const topic = await findTopic(c.env.context, c.req.valid('param').topic)
    const partition = findPartition(topic, c.req.valid('param').partition)
    const { broker } = c.req.valid('json')
    await c.env.context.ports.topics.moveLeader(topic, partition, Number(broker) as BrokerId)
    return c.json({ broker }, 202)
  })
  app.openapi(topics.trimPartition, async (c) => {
    const topic = await findTopic(c.env.context, c.req.valid('param').topic)
    const partition = findPartition(topic, c.req.valid('param').partition)
    const { beforeOffset } = c.req.valid('json')
    const logStart = await c.env.context.ports.topics.trim(topic, partition, beforeOffset)
    return c.json({ topic: topic.name, partition, logStart }, 200)
  })
}

function addCluster(app: Admin): void {
  app.openapi(cluster.getCluster, (c) => {
    const { ports, options } = c.env.context
    const controller = ports.cluster.controller()
    const brokers = ports.cluster.brokers()
    const answer = {
      id: ports.cluster.clusterId,
      broker: String(ports.cluster.broker),
      version: options.version,
      brokerCount: brokers.length,
      aliveCount: brokers.filter(({ state }) => state === 'alive').length,
      outsiders: brokers.filter(({ state }) => state === 'outsider').map(({ id }) => String(id)),
    }
    return c.json(controller === undefined ? answer : { ...answer, controller: String(controller) }, 200)
  })
  app.openapi(cluster.listBrokers, (c) =>
    c.json({ items: c.env.context.ports.cluster.brokers().map(brokerJson) }, 200),
  )
  app.openapi(cluster.getBroker, (c) => {
    const { broker: id } = c.req.valid('param')
    const broker = c.env.context.ports.cluster.brokers().find((candidate) => String(candidate.id) === id)
    if (broker === undefined)
      throw new SynodError('not-found', `There is no broker '${id}'.`, {
        hint: 'List them with GET /v1/brokers.',
      })
    return c.json(brokerJson(broker), 200)
  })
}

function addProbes(app: Admin): void {
  const health = (isWell: boolean, reason: string | undefined) =>
    isWell
      ? { status: 'ok' as const }
      : { status: 'unavailable' as const, ...(reason === undefined ? {} : { reason }) }
  app.openapi(cluster.getLive, (c) => {
    const { live, reason } = c.env.context.ports.cluster.health()
    return live ? c.json(health(true, reason), 200) : c.json(health(false, reason), 503)
  })
  app.openapi(cluster.getReady, (c) => {
    const { ready, reason } = c.env.context.ports.cluster.health()
    if (c.env.context.closing.aborted) return c.json(health(false, 'the broker is about to stop'), 503)
    return ready ? c.json(health(true, reason), 200) : c.json(health(false, reason), 503)
  })
  app.openapi(cluster.getStarted, (c) => {
    const { started, reason } = c.env.context.ports.cluster.health()
    return started ? c.json(health(true, reason), 200) : c.json(health(false, reason), 503)
  })
  app.openapi(cluster.getMetrics, async (c) => c.text(await c.env.context.options.metrics(), 200))
}

function addDocument(app: Admin): void {
  let document: Record<string, unknown> | undefined
  let yaml: string | undefined
  app.openapi(cluster.getOpenapiJson, (c) => {
    document ??= { ...openapiDocument() }
    return c.json(document, 200)
  })
  let frames: Record<string, unknown> | undefined
  app.openapi(cluster.getAsyncapiJson, (c) => {
    frames ??= { ...asyncapiDocument() }
    return c.json(frames, 200)
  })
  app.openapi(cluster.getOpenapiYaml, (c) => {
    yaml ??= openapiYaml()
    return c.body(yaml, 200, { 'Content-Type': 'application/yaml' })
  })
}

/** The revision that If-Match names; undefined when it is not given or `*`. Errors: 'etag-mismatch'. */
function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const match = /^"(\d{1,16})"$/.exec(ifMatch.trim())
  if (match !== null) return Number(match[1])
  throw new SynodError('etag-mismatch', `If-Match ${ifMatch.slice(0, 80)} is not an ETag of a topic.`, {
    hint: 'Send the ETag of GET /v1/topics/{topic} as it is, with its quotes.',
  })
}
