import { createRoute, z } from '@hono/zod-openapi'

import { operationListSchema, operationSchema, replicasSchema } from '../operation-schemas.ts'
import {
  answerHeaders,
  brokerParams,
  integerParameter,
  json,
  PARTITION_MISSING,
  partitionParams,
  problems,
} from './responses.ts'

const UNREACHABLE = ['no-leader', 'no-quorum', 'outcome-unknown'] as const
const started = {
  description: 'It has begun; look at it there.',
  content: json(operationSchema),
  headers: answerHeaders.extend({
    Location: z.string().openapi({ description: 'Where the operation is.', example: '/v1/operations/op7' }),
  }),
}
const operationParams = z.object({
  operation: z
    .string()
    .regex(/^op\d{1,10}$/)
    .openapi({ description: 'The id of an operation.', example: 'op7' }),
})

export const listOperations = createRoute({
  method: 'get',
  path: '/v1/operations',
  operationId: 'listOperations',
  tags: ['operations'],
  summary: 'List long changes, those that run and the last ones that ended',
  description: 'The newest first, as far as the broker that answers knows.',
  request: {
    query: z.object({ limit: integerParameter('How many at most.', { min: 1, max: 2_000, default: 100 }) }),
  },
  responses: {
    200: { description: 'The operations.', content: json(operationListSchema), headers: answerHeaders },
    ...problems(),
  },
})

export const getOperation = createRoute({
  method: 'get',
  path: '/v1/operations/{operation}',
  operationId: 'getOperation',
  tags: ['operations'],
  summary: 'Show how far a long change is',
  description: 'The last thousand that ended are remembered.',
  request: { params: operationParams },
  responses: {
    200: { description: 'The operation.', content: json(operationSchema), headers: answerHeaders },
    ...problems('not-found', ...UNREACHABLE),
  },
})

export const cancelOperation = createRoute({
  method: 'post',
  path: '/v1/operations/{operation}/cancel',
  operationId: 'cancelOperation',
  tags: ['operations'],
  summary: 'Call a long change off',
  description:
    'What has moved stays where it is. The move of a partition whose new replicas are about to vote is turned round: it is cancelled when the replicas of before vote again. A broker that was drained or removed may get replicas again.',
  request: { params: operationParams },
  responses: {
    200: { description: 'As it is now.', content: json(operationSchema), headers: answerHeaders },
    ...problems('not-found', 'operation-ended', ...UNREACHABLE),
  },
})

export const moveReplicas = createRoute({
  method: 'put',
  path: '/v1/topics/{topic}/partitions/{partition}/replicas',
  operationId: 'moveReplicas',
  tags: ['operations'],
  summary: 'Move a partition to other brokers',
  description:
    'The new ones copy it first, without a vote; then they take over at once, and the old ones free their data. Reading and producing go on. The same brokers in another order only change who leads by preference.',
  request: {
    params: partitionParams,
    body: { content: json(replicasSchema, { brokers: ['2', '3'] }), required: true },
  },
  responses: {
    202: started,
    ...problems(
      ...PARTITION_MISSING,
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'reassignment-in-progress',
      'batch-too-large',
      'unsupported-media-type',
      'invalid-config',
      'not-enough-brokers',
      ...UNREACHABLE,
    ),
  },
})

export const drainBroker = createRoute({
  method: 'post',
  path: '/v1/brokers/{broker}/drain',
  operationId: 'drainBroker',
  tags: ['operations'],
  summary: 'Move everything off a broker',
  description:
    'It stays a member, gets no new replicas, and can be stopped for good or taken back. Refused while other brokers could not hold what it holds.',
  request: { params: brokerParams },
  responses: {
    202: started,
    ...problems(
      'not-found',
      'reassignment-in-progress',
      'would-lose-quorum',
      'not-enough-brokers',
      ...UNREACHABLE,
    ),
  },
})

export const undrainBroker = createRoute({
  method: 'delete',
  path: '/v1/brokers/{broker}/drain',
  operationId: 'undrainBroker',
  tags: ['operations'],
  summary: 'Take a drained broker back',
  description: 'New replicas may be placed on it again. Does nothing if it is not drained.',
  request: { params: brokerParams },
  responses: {
    204: { description: 'It may hold replicas again.', headers: answerHeaders },
    ...problems('not-found', 'reassignment-in-progress', ...UNREACHABLE),
  },
})

export const removeBroker = createRoute({
  method: 'delete',
  path: '/v1/brokers/{broker}',
  operationId: 'removeBroker',
  tags: ['operations'],
  summary: 'Remove a broker from the cluster',
  description:
    'All that it holds moves to others first; then it stops by itself. One that is gone for good needs `force`: partitions then go on from their other replicas, with fewer of them where no other broker is left, and only while a majority of each is alive.',
  request: {
    params: brokerParams,
    query: z.object({
      force: z.enum(['true', 'false']).optional().openapi({ description: 'The broker is gone for good.' }),
    }),
  },
  responses: {
    202: started,
    ...problems(
      'not-found',
      'reassignment-in-progress',
      'would-lose-quorum',
      'not-enough-brokers',
      ...UNREACHABLE,
    ),
  },
})
