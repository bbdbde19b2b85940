import { createRoute, z } from '@hono/zod-openapi'

import { brokerListSchema, brokerSchema, clusterSchema, healthSchema } from '../schemas.ts'
import { answerHeaders, json, problems } from './responses.ts'

export const getCluster = createRoute({
  method: 'get',
  path: '/v1/cluster',
  operationId: 'getCluster',
  tags: ['cluster'],
  summary: 'Show the cluster and who controls it',
  responses: { 200: { description: 'The cluster.', content: json(clusterSchema), headers: answerHeaders }, ...problems() },
})

export const listBrokers = createRoute({
  method: 'get',
  path: '/v1/brokers',
  operationId: 'listBrokers',
  tags: ['cluster'],
  summary: 'List the brokers',
  responses: { 200: { description: 'The brokers.', content: json(brokerListSchema), headers: answerHeaders }, ...problems() },
})

export const getBroker = createRoute({
  method: 'get',
  path: '/v1/brokers/{broker}',
  operationId: 'getBroker',
  tags: ['cluster'],
  summary: 'Show a broker',
  request: { params: z.object({ broker: z.string().regex(/^\d{1,5}$/).openapi({ description: 'The id of a broker.', example: '1' }) }) },
  responses: { 200: { description: 'The broker.', content: json(brokerSchema), headers: answerHeaders }, ...problems('not-found') },
})

function probe<Path extends string>(path: Path, operationId: string, summary: string) {
  return createRoute({
    method: 'get',
    path,
    operationId,
    tags: ['management'],
    summary,
    responses: {
      200: { description: 'Yes.', content: json(healthSchema), headers: answerHeaders },
      503: { description: 'No; the reason says why.', content: json(healthSchema), headers: answerHeaders },
      default: problems().default,
    },
  })
}

export const getLive = probe('/livez', 'getLive', 'Whether the broker is alive')
export const getReady = probe('/readyz', 'getReady', 'Whether the broker takes requests')
export const getStarted = probe('/startupz', 'getStarted', 'Whether the broker has started')

export const getMetrics = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags: ['management'],
  summary: 'Show metrics in the text format of Prometheus',
  responses: {
    200: { description: 'The metrics.', content: { 'text/plain': { schema: z.string() } }, headers: answerHeaders },
    ...problems(),
  },
})

export const getOpenapiJson = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'getOpenapiJson',
  tags: ['management'],
  summary: 'Show this document as JSON',
  responses: {
    200: { description: 'The document.', content: json(z.record(z.string(), z.unknown())), headers: answerHeaders },
    ...problems(),
  },
})

export const getOpenapiYaml = createRoute({
  method: 'get',
  path: '/openapi.yaml',
  operationId: 'getOpenapiYaml',
  tags: ['management'],
  summary: 'Show this document as YAML',
  responses: {
    200: { description: 'The document.', content: { 'application/yaml': { schema: z.string() } }, headers: answerHeaders },
    ...problems(),
  },
})
