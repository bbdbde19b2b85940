import { createRoute, z } from '@hono/zod-openapi'

import { paxosSchema } from '../cluster-schemas.ts'
import {
  leaderMoveSchema,
  offsetsSchema,
  topicChangeSchema,
  topicListSchema,
  topicSchema,
  topicSpecSchema,
  trimmedSchema,
  trimSchema,
} from '../schemas.ts'
import {
  answerHeaders,
  integerParameter,
  json,
  PARTITION_MISSING,
  partitionParams,
  problems,
  redirect,
  seeLeader,
  TOPIC_MISSING,
  topicParams,
} from './responses.ts'

const etagHeaders = answerHeaders.extend({
  ETag: z.string().openapi({ description: 'For If-Match; changes with every change.' }),
})
const ifMatch = z.object({
  'if-match': z
    .string()
    .optional()
    .openapi({ description: 'Only if the topic still has this ETag.', example: '"12"' }),
})
const linearizable = (description: string) =>
  z
    .enum(['true', 'false'])
    .optional()
    .openapi({ description: `${description} A majority is asked first.`, default: 'false' })
const TOPIC_SPEC = { partitions: 3, config: { retentionMs: 86_400_000 } }
const TOPIC_CHANGE = { config: { retentionMs: 604_800_000 } }
const UNREACHABLE = ['no-leader', 'no-quorum', 'outcome-unknown'] as const

export const createTopic = createRoute({
  method: 'put',
  path: '/v1/topics/{topic}',
  operationId: 'createTopic',
  tags: ['topics'],
  summary: 'Create a topic',
  description:
    'Does nothing if the topic exists and is as the body says; what the body leaves out is not compared.',
  request: { params: topicParams, body: { content: json(topicSpecSchema, TOPIC_SPEC), required: false } },
  responses: {
    200: { description: 'It was there already, as asked.', content: json(topicSchema), headers: etagHeaders },
    201: { description: 'Created.', content: json(topicSchema), headers: etagHeaders },
    ...problems(
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'topic-config-differs',
      'batch-too-large',
      'unsupported-media-type',
      'invalid-config',
      'not-enough-brokers',
      ...UNREACHABLE,
    ),
  },
})

export const getTopic = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}',
  operationId: 'getTopic',
  tags: ['topics'],
  summary: 'Show a topic with the live state of its partitions',
  description:
    'Leaders, high watermarks and sizes are asked of the leaders; what nobody told in time is left out. That the topic exists is what this broker knows, unless `linearizable` asks for more.',
  request: {
    params: topicParams,
    query: z.object({
      linearizable: linearizable(
        'true: whether the topic exists, and its settings, are not older than any answer that anybody got before this request.',
      ),
    }),
  },
  responses: {
    200: { description: 'The topic.', content: json(topicSchema), headers: etagHeaders },
    ...problems(...TOPIC_MISSING, 'no-leader', 'no-quorum'),
  },
})

export const listTopics = createRoute({
  method: 'get',
  path: '/v1/topics',
  operationId: 'listTopics',
  tags: ['topics'],
  summary: 'List topics in the order of their names',
  description: 'Without the live state of their partitions.',
  request: {
    query: z.object({
      prefix: z.string().max(249).optional().openapi({ description: 'Only names that begin so.' }),
      limit: integerParameter('How many at most.', { min: 1, max: 1_000, default: 100 }),
      pageToken: z
        .string()
        .max(400)
        .optional()
        .openapi({ description: 'The nextPageToken of the page before.' }),
    }),
  },
  responses: {
    200: { description: 'A page of topics.', content: json(topicListSchema), headers: answerHeaders },
    ...problems('invalid-cursor'),
  },
})

export const alterTopic = createRoute({
  method: 'patch',
  path: '/v1/topics/{topic}',
  operationId: 'alterTopic',
  tags: ['topics'],
  summary: 'Change a topic’s settings or give it more partitions',
  description: 'A merge patch: what is left out stays. `null` is a value of those settings that allow it.',
  request: {
    params: topicParams,
    headers: ifMatch,
    body: {
      content: { 'application/merge-patch+json': { schema: topicChangeSchema, example: TOPIC_CHANGE } },
      required: true,
    },
  },
  responses: {
    200: { description: 'Changed.', content: json(topicSchema), headers: etagHeaders },
    ...problems(
      ...TOPIC_MISSING,
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'etag-mismatch',
      'batch-too-large',
      'unsupported-media-type',
      'invalid-config',
      'not-enough-brokers',
      ...UNREACHABLE,
    ),
  },
})

export const deleteTopic = createRoute({
  method: 'delete',
  path: '/v1/topics/{topic}',
  operationId: 'deleteTopic',
  tags: ['topics'],
  summary: 'Delete a topic and its records',
  description: 'There is no way back. A topic of the same name that is created later is another one.',
  request: { params: topicParams, headers: ifMatch },
  responses: {
    204: { description: 'Deleted. Its data leaves every disk soon after.', headers: answerHeaders },
    ...problems(...TOPIC_MISSING, 'etag-mismatch', ...UNREACHABLE),
  },
})

export const getOffsets = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/offsets',
  operationId: 'getOffsets',
  tags: ['topics'],
  summary: 'Show the first and the next offset of a partition, and what a position means',
  description:
    'Both ends move: what is true now may not be a moment later. Any replica answers with what it knows to be committed, unless `linearizable` asks for more.',
  request: {
    params: partitionParams,
    query: z.object({
      at: z.string().max(8_200).optional().openapi({
        description:
          'earliest, latest, an offset, -N for the last N records, time:RFC3339 for the first appended at or after, or cursor:… for where a read ended.',
        example: 'time:2026-01-31T12:00:00Z',
      }),
      linearizable: linearizable(
        'true: the ends are not older than any answer that anybody got before this request.',
      ),
      redirect,
    }),
  },
  responses: {
    200: { description: 'The offsets.', content: json(offsetsSchema), headers: answerHeaders },
    307: seeLeader,
    ...problems(
      ...PARTITION_MISSING,
      'invalid-offset',
      'invalid-cursor',
      'no-leader',
      'no-quorum',
      'replica-behind',
    ),
  },
})

export const getPaxos = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/paxos',
  operationId: 'getPaxos',
  tags: ['topics'],
  summary: 'Show how a partition decides, live',
  description: 'As its leader sees it, or as the broker that answers does when the leader cannot be asked.',
  request: { params: partitionParams },
  responses: {
    200: { description: 'The state of its Paxos group.', content: json(paxosSchema), headers: answerHeaders },
    ...problems(...PARTITION_MISSING, 'no-leader'),
  },
})

export const moveLeader = createRoute({
  method: 'post',
  path: '/v1/topics/{topic}/partitions/{partition}/leader',
  operationId: 'moveLeader',
  tags: ['topics'],
  summary: 'Let another replica of a partition lead',
  description:
    'Answered when the leader has begun to hand over, which takes some milliseconds; requests wait meanwhile and do not fail. Does nothing if the broker leads already. It is a 503 while the broker is not in sync or about to stop.',
  request: {
    params: partitionParams,
    body: { content: json(leaderMoveSchema, { broker: '2' }), required: true },
  },
  responses: {
    202: { description: 'It has begun.', content: json(leaderMoveSchema), headers: answerHeaders },
    ...problems(
      ...PARTITION_MISSING,
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'not-a-replica',
      'batch-too-large',
      'unsupported-media-type',
      'not-enough-in-sync',
      'overloaded',
      ...UNREACHABLE,
    ),
  },
})

export const trimPartition = createRoute({
  method: 'post',
  path: '/v1/topics/{topic}/partitions/{partition}/trim',
  operationId: 'trimPartition',
  tags: ['topics'],
  summary: 'Let the oldest records of a partition go',
  description:
    'No reader is shown a record below the offset any more, on any broker; offsets keep their meaning. The offset is rounded down to where a batch begins. The space comes back in the background, as far as the log has been marked: each trim marks its end.',
  request: {
    params: partitionParams,
    body: { content: json(trimSchema, { beforeOffset: 17 }), required: true },
  },
  responses: {
    200: { description: 'It is so.', content: json(trimmedSchema), headers: answerHeaders },
    ...problems(
      ...PARTITION_MISSING,
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'offset-out-of-range',
      'batch-too-large',
      'unsupported-media-type',
      'not-enough-in-sync',
      'overloaded',
      'draining',
      'replica-damaged',
      ...UNREACHABLE,
    ),
  },
})
