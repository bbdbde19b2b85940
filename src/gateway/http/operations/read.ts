import { createRoute, z } from '@hono/zod-openapi'

import { pageSchema, topicPageSchema } from '../schemas.ts'
import {
  answerHeaders,
  integerParameter,
  json,
  PARTITION_MISSING,
  partitionParams,
  problems,
  recordParams,
  redirect,
  seeLeader,
  TOPIC_MISSING,
  topicParams,
} from './responses.ts'

const from = z
  .string()
  .max(8_200)
  .optional()
  .openapi({
    description:
      'An offset (one partition only), 0@17,1@12 (partition@next offset; the others from the earliest), earliest, latest, ' +
      '-N (the last N of each partition), time:RFC3339 (the first appended at or after) or cursor:… (where another read of ' +
      'the topic ended).',
    example: 'earliest',
  })

const partition = integerParameter('Only this partition.', {
  min: 0,
  max: 99_999,
  default: 0,
}).openapi({
  default: undefined,
})
const pageShape = {
  limit: integerParameter('How many records at most.', { min: 1, max: 1_000, default: 100 }),
  maxBytes: integerParameter('How many bytes of records at most, but at least one record.', {
    min: 1,
    max: 4_194_304,
    default: 1_048_576,
  }),
  wait: z.string().optional().openapi({
    description:
      'How long to wait for a record when there is none: 20s or 500ms; a plain number counts seconds. At most 60s.',
    pattern: '^[0-9]+(ms|s)?$',
    example: '20s',
  }),
}

const consistency = z.enum(['local', 'leader', 'linearizable']).optional().openapi({
  description:
    'local: what the broker that is asked knows to be committed, or the leader, if it knows that it is later than MaxLag. leader: what the partition’s leader knows. linearizable: not older than any answer that anybody got before this request; a majority is asked. Of what is followed it says where to begin.',
  default: 'local',
})
const readAfter = z.object({
  'read-after': z.string().optional().openapi({
    description:
      'Records that the answer must know of, as receipts tell them: partition@offset, with commas. Whatever was written is so read on any broker.',
    example: '0@17',
  }),
})

/** Of what never changes. */
const cacheHeaders = answerHeaders.extend({
  ETag: z.string().optional().openapi({ description: 'Of an answer that never changes.' }),
  'Cache-Control': z.string().optional(),
})
const ifNoneMatch = readAfter.extend({
  'if-none-match': z
    .string()
    .optional()
    .openapi({ description: 'The ETag of an answer that is held already.' }),
})
const notModified = { description: 'The client holds the answer already.', headers: cacheHeaders }

const READ_CODES = [
  'invalid-offset',
  'invalid-cursor',
  'offset-trimmed',
  'offset-out-of-range',
  'no-leader',
  'no-quorum',
  'replica-behind',
  'replica-damaged',
] as const

export const readPage = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/records',
  operationId: 'readPage',
  tags: ['records'],
  summary: 'Read a page of records',
  description:
    'Only records that a majority has are shown. Reading begins where you say and nowhere else: a place that was trimmed or is not there yet is an error.',
  request: {
    params: partitionParams,
    headers: ifNoneMatch,
    query: z.object({
      from,
      until: z.string().max(8_200).optional().openapi({
        description:
          'Where to end, in the forms of `from`: the page stops before that record. If both ends are offsets and the page is whole, it never changes: it has an ETag, may be cached for ever, and leaves out the high watermark.',
        example: '100',
      }),
      consistency,
      redirect,
      ...pageShape,
    }),
  },
  responses: {
    200: { description: 'The page; it may be empty.', content: json(pageSchema), headers: cacheHeaders },
    304: notModified,
    307: seeLeader,
    ...problems(...PARTITION_MISSING, ...READ_CODES),
  },
})

export const readTopic = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/records',
  operationId: 'readTopic',
  tags: ['records'],
  summary: 'Read a page of records of all partitions',
  description:
    'Partitions take turns from page to page, with no order between them. The next page begins at the cursor of this one.',
  request: {
    params: topicParams,
    headers: readAfter,
    query: z.object({
      from,
      cursor: z.string().max(8_192).optional().openapi({
        description: 'The cursor of the page before, instead of `from`.',
      }),
      consistency,
      redirect,
      ...pageShape,
    }),
  },
  responses: {
    200: {
      description: 'The page; it may be empty.',
      content: json(topicPageSchema),
      headers: answerHeaders,
    },
    307: seeLeader,
    ...problems(...TOPIC_MISSING, ...READ_CODES),
  },
})

export const readRecord = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/records/{offset}',
  operationId: 'readRecord',
  tags: ['records'],
  summary: 'Read the value of one record as it was produced',
  description:
    'With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.',
  request: { params: recordParams, headers: ifNoneMatch, query: z.object({ consistency, redirect }) },
  responses: {
    200: {
      description: 'The value.',
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
      headers: cacheHeaders.extend({
        'Record-Offset': z.string(),
        'Record-Partition': z.string(),
        'Record-Timestamp': z.string(),
        'Record-Key': z.string().optional().openapi({ description: 'Percent-encoded.' }),
      }),
    },
    304: notModified,
    307: seeLeader,
    204: { description: 'The record is a tombstone: it has no value.', headers: answerHeaders },
    ...problems(
      ...PARTITION_MISSING,
      'offset-trimmed',
      'offset-out-of-range',
      'no-leader',
      'replica-behind',
      'replica-damaged',
    ),
  },
})

export const streamTopic = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/stream',
  operationId: 'streamTopic',
  tags: ['records'],
  summary: 'Read records as they arrive, one JSON object a line',
  description: 'NDJSON of `Record`. A stream that fails after it began ends with a line `{"problem": …}`.',
  request: {
    params: topicParams,
    headers: readAfter,
    query: z.object({
      from,
      follow: z.enum(['true', 'false']).optional().openapi({
        description:
          'false: end at what is readable now, and begin at the earliest record unless `from` says otherwise.',
        default: 'true',
      }),
      partition,
      consistency,
      redirect,
    }),
  },
  responses: {
    200: {
      description: 'The records.',
      content: { 'application/x-ndjson': { schema: z.string() } },
      headers: answerHeaders,
    },
    307: seeLeader,
    ...problems(...PARTITION_MISSING, ...READ_CODES),
  },
})

export const followEvents = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/events',
  operationId: 'followEvents',
  tags: ['records'],
  summary: 'Read records as they arrive, as server-sent events',
  description:
    'For EventSource: each event is one `Record` as JSON, its id the cursor after it. Nothing is skipped or repeated when the browser connects again. A comment comes every 15 seconds. A failure ends it with an event `problem`.',
  request: {
    params: topicParams,
    headers: readAfter.extend({
      'last-event-id': z.string().optional().openapi({
        description: 'The id of the last event that was seen; counts instead of `from`.',
      }),
    }),
    query: z.object({ from, partition, consistency, redirect }),
  },
  responses: {
    200: {
      description: 'The events.',
      content: { 'text/event-stream': { schema: z.string() } },
      headers: answerHeaders,
    },
    307: seeLeader,
    ...problems(...PARTITION_MISSING, ...READ_CODES),
  },
})

export const subscribeTopic = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/subscribe',
  operationId: 'subscribeTopic',
  tags: ['records'],
  summary: 'Subscribe over WebSocket: each text frame is one record as JSON',
  description:
    'A plain GET is answered 426. A slow subscriber is never dropped: the broker stops reading for it. A subscription that fails later ends with a frame of one problem.',
  request: {
    params: topicParams,
    headers: readAfter,
    query: z.object({
      from,
      partition,
      consistency,
      redirect,
      batch: integerParameter('Frames are arrays of up to so many records.', {
        min: 1,
        max: 1_000,
        default: 1,
      }).openapi({ default: undefined }),
      values: z.enum(['only']).optional().openapi({ description: 'only: frames are the values alone.' }),
    }),
  },
  responses: {
    101: { description: 'The connection speaks WebSocket from here on.' },
    307: seeLeader,
    ...problems(...PARTITION_MISSING, 'upgrade-required', ...READ_CODES),
  },
})

export const openSession = createRoute({
  method: 'get',
  path: '/v1/ws',
  operationId: 'openSession',
  tags: ['records'],
  summary: 'Open a WebSocket session: many subscriptions and produces on one socket',
  description:
    'A plain GET is answered 426. `GET /asyncapi.json` describes the frames; the subprotocol is `synod.v1.json`, the default, or `synod.v1.bin`.',
  responses: {
    101: { description: 'The connection speaks WebSocket from here on.' },
    ...problems('upgrade-required', 'origin-not-allowed', 'overloaded', 'draining'),
  },
})
