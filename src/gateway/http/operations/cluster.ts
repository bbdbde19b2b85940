import { createRoute, z } from '@hono/zod-openapi'

import { brokerListSchema, brokerSchema, clusterSchema, healthSchema } from '../cluster-schemas.ts'
import { answerHeaders, brokerParams, json, problems } from './responses.ts'

export const getCluster = createRoute({
  method: 'get',
  path: '/v1/cluster',
  operationId: 'getCluster',
  tags: ['cluster'],
  summary: 'Show the cluster and who controls it',
  description: 'As far as the broker that answers knows.',
  responses: {
    200: { description: 'The cluster.', content: json(clusterSchema), headers: answerHeaders },
    ...problems(),
  },
})

export const listBrokers = createRoute({
  method: 'get',
  path: '/v1/brokers',
  operationId: 'listBrokers',
  tags: ['cluster'],
  summary: 'List the brokers',
  description: 'Every member, in the order of their ids; one that was removed is none any more.',
  responses: {
    200: { description: 'The brokers.', content: json(brokerListSchema), headers: answerHeaders },
    ...problems(),
  },
})

export const getBroker = createRoute({
  method: 'get',
  path: '/v1/brokers/{broker}',
  operationId: 'getBroker',
  tags: ['cluster'],
  summary: 'Show a broker',
  description: 'One of the list of brokers.',
  request: {
    params: brokerParams,
  },
  responses: {
    200: { description: 'The broker.', content: json(brokerSchema), headers: answerHeaders },
    ...problems('not-found'),
  },
})

function probe<Path extends string>(
  path: Path,
  operationId: string,
  { summary, description }: { summary: string; description: string },
) {
  return createRoute({
    method: 'get',
    path,
    operationId,
    tags: ['management'],
    summary,
    description,
    responses: {
      200: { description: 'Yes.', content: json(healthSchema), headers: answerHeaders },
      503: { description: 'No; the reason says why.', content: json(healthSchema), headers: answerHeaders },
      ...problems(),
    },
  })
}

export const getLive = probe('/livez', 'getLive', {
  summary: 'Whether the broker is alive',
  description: 'For whoever restarts what is dead: a broker that is slow or alone is alive.',
})
export const getReady = probe('/readyz', 'getReady', {
  summary: 'Whether the broker takes requests',
  description:
    'It has recovered and heard from a controller, and it is not about to stop. Losing the majority does not count: reads go on.',
})
export const getStarted = probe('/startupz', 'getStarted', {
  summary: 'Whether the broker has started',
  description: 'Until then it recovers what is on its disk, which may take a while.',
})

export const getMetrics = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags: ['management'],
  summary: 'Show metrics in the text format of Prometheus',
  description: 'Counters, gauges and histograms of this broker alone.',
  responses: {
    200: {
      description: 'The metrics.',
      content: { 'text/plain': { schema: z.string() } },
      headers: answerHeaders,
    },
    ...problems(),
  },
})

export const getOpenapiJson = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenapiJson',
  tags: ['management'],
  summary: 'Show this document as JSON',
  description: 'For tools that read JSON.',
  responses: {
    200: {
      description: 'The document.',
      content: json(z.record(z.string(), z.unknown())),
      headers: answerHeaders,
    },
    ...problems(),
  },
})

export const getAsyncapiJson = createRoute({
  method: 'get',
  path: '/asyncapi.json',
  operationId: 'getAsyncapiJson',
  tags: ['management'],
  summary: 'Show the AsyncAPI document of WebSocket sessions',
  description: 'The frames of `/v1/ws`.',
  responses: {
    200: {
      description: 'The document.',
      content: json(z.record(z.string(), z.unknown())),
      headers: answerHeaders,
    },
    ...problems(),
  },
})

export const getOpenapiYaml = createRoute({
  method: 'get',
  path: '/openapi.yaml',
  operationId: 'getOpenapiYaml',
  tags: ['management'],
  summary: 'Show this document as YAML',
  description: 'For tools and people that read YAML.',
  responses: {
    200: {
      description: 'The document.',
      content: { 'application/yaml': { schema: z.string() } },
      headers: answerHeaders,
    },
    ...problems(),
  },
})
