import { createRoute, z } from '@hono/zod-openapi'

import { batchReceiptSchema, batchSchema, pageSchema, receiptSchema } from '../schemas.ts'
import { answerHeaders, integerParameter, json, PARTITION_MISSING, partitionParams, problems, recordParams, topicParams } from './responses.ts'

const acks = z.enum(['majority', 'all']).optional().openapi({
  description: 'all: wait for every replica that is in sync, too.',
  default: 'majority',
})
const partition = integerParameter('The partition; if left out, the key or the turn decides.', { min: 0, max: 99_999, default: 0 }).openapi({
  default: undefined,
})
const from = z.string().max(8_192).optional().openapi({
  description:
    'An offset (one partition only), 0@17,1@12 (partition@next offset; the others from the earliest), earliest, latest, ' +
    '-N (the last N of each partition) or time:RFC3339 (the first appended at or after).',
  example: 'earliest',
})

const idempotencyHeaders = z.object({
  'idempotency-key': z.string().optional().openapi({ description: 'Makes sending the same request again safe.' }),
  'producer-id': z.string().optional().openapi({ description: 'With Producer-Epoch and Producer-Seq: the same for a sequence of records.' }),
  'producer-epoch': z.string().optional().openapi({ type: 'integer', format: 'int64', minimum: 0, description: 'A higher one fences lower ones off.' }),
  'producer-seq': z.string().optional().openapi({ type: 'integer', format: 'int64', minimum: 0, description: 'Counts the producer’s records in one partition, from 0.' }),
  'expected-offset': z.string().optional().openapi({ type: 'integer', format: 'int64', minimum: 0, description: 'The offset that the first record must get.' }),
})

const producedHeaders = answerHeaders.extend({
  'Synod-Leader': z.string().optional().openapi({ description: 'The broker that leads the partition.' }),
})
const replayedHeaders = producedHeaders.extend({
  'Idempotency-Replayed': z.string().optional().openapi({ description: 'true: an earlier request with this key was stored.' }),
})

const APPEND_CODES = [
  ...PARTITION_MISSING, 'producer-fenced', 'sequence-gap', 'topic-closed', 'offset-mismatch', 'record-too-large',
  'idempotency-key-reused', 'no-leader', 'no-quorum', 'not-enough-in-sync', 'outcome-unknown', 'topic-full', 'disk-full',
] as const

export const produceRecord = createRoute({
  method: 'post',
  path: '/v1/topics/{topic}/records',
  operationId: 'produceRecord',
  tags: ['records'],
  summary: 'Append one record: the body is the value',
  description:
    'Any bytes of any content type; the type is kept with the record. Further headers `Record-Header-<name>` are kept as ' +
    'the record’s headers. Answered when a majority has the record on disk.',
  request: {
    params: topicParams,
    query: z.object({
      key: z.string().optional().openapi({ description: 'Records of one key are in one partition, in order.' }),
      partition,
      acks,
    }),
    headers: idempotencyHeaders.extend({
      'record-timestamp': z.string().optional().openapi({ format: 'date-time', description: 'The producer’s own time; only shown.' }),
    }),
    body: {
      description: 'The value.',
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
      required: true,
    },
  },
  responses: {
    200: { description: 'Stored already, by an earlier try.', content: json(receiptSchema), headers: replayedHeaders },
    201: { description: 'Stored.', content: json(receiptSchema), headers: producedHeaders },
    ...problems(...APPEND_CODES),
  },
})

export const produceBatch = createRoute({
  method: 'post',
  path: '/v1/topics/{topic}/batches',
  operationId: 'produceBatch',
  tags: ['records'],
  summary: 'Append up to 1,000 records',
  description:
    'Records for one partition are stored together or not at all. If some partitions stored their part and others did ' +
    'not, the answer is a problem `partial-append` with `results`: a receipt or a problem for each record.',
  request: {
    params: topicParams,
    query: z.object({ acks }),
    headers: idempotencyHeaders,
    body: { content: json(batchSchema), required: true },
  },
  responses: {
    200: { description: 'Stored already, by an earlier try.', content: json(batchReceiptSchema), headers: replayedHeaders },
    201: { description: 'Stored.', content: json(batchReceiptSchema), headers: producedHeaders },
    ...problems(
      ...APPEND_CODES, 'malformed-json', 'unknown-field', 'invalid-field', 'batch-too-large', 'unsupported-media-type', 'partial-append',
    ),
  },
})

export const readPage = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/records',
  operationId: 'readPage',
  tags: ['records'],
  summary: 'Read a page of records',
  request: {
    params: partitionParams,
    query: z.object({
      from,
      limit: integerParameter('How many records at most.', { min: 1, max: 1_000, default: 100 }),
      maxBytes: integerParameter('How many bytes of records at most, but at least one record.', { min: 1, max: 4_194_304, default: 1_048_576 }),
      wait: z.string().optional().openapi({
        description: 'How long to wait for a record when there is none: 20s or 500ms; a plain number counts seconds. At most 60s.',
        pattern: '^[0-9]+(ms|s)?$',
        example: '20s',
      }),
    }),
  },
  responses: {
    200: { description: 'The page; it may be empty.', content: json(pageSchema), headers: answerHeaders },
    ...problems(...PARTITION_MISSING, 'invalid-offset', 'offset-trimmed', 'offset-out-of-range', 'no-leader', 'replica-behind'),
  },
})

export const readRecord = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/partitions/{partition}/records/{offset}',
  operationId: 'readRecord',
  tags: ['records'],
  summary: 'Read the value of one record as it was produced',
  description: 'With the content type that the producer named. The record’s headers come as `Record-Header-<name>`.',
  request: { params: recordParams },
  responses: {
    200: {
      description: 'The value.',
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
      headers: answerHeaders.extend({
        'Record-Offset': z.string(),
        'Record-Partition': z.string(),
        'Record-Timestamp': z.string(),
        'Record-Key': z.string().optional().openapi({ description: 'Percent-encoded.' }),
      }),
    },
    204: { description: 'The record is a tombstone: it has no value.', headers: answerHeaders },
    ...problems(...PARTITION_MISSING, 'offset-trimmed', 'offset-out-of-range', 'no-leader', 'replica-behind'),
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
    query: z.object({
      from,
      follow: z.enum(['true', 'false']).optional().openapi({
        description: 'false: end at what is readable now, and begin at the earliest record unless `from` says otherwise.',
        default: 'true',
      }),
      partition: partition.openapi({ description: 'Only this partition.' }),
    }),
  },
  responses: {
    200: {
      description: 'The records.',
      content: { 'application/x-ndjson': { schema: z.string() } },
      headers: answerHeaders,
    },
    ...problems(...PARTITION_MISSING, 'invalid-offset', 'offset-trimmed', 'offset-out-of-range', 'no-leader', 'replica-behind'),
  },
})

export const subscribeTopic = createRoute({
  method: 'get',
  path: '/v1/topics/{topic}/subscribe',
  operationId: 'subscribeTopic',
  tags: ['records'],
  summary: 'Subscribe over WebSocket: each text frame is one record as JSON',
  request: {
    params: topicParams,
    query: z.object({
      from,
      partition: partition.openapi({ description: 'Only this partition.' }),
      batch: integerParameter('Frames are arrays of up to so many records.', { min: 1, max: 1_000, default: 1 }).openapi({ default: undefined }),
      values: z.enum(['only']).optional().openapi({ description: 'only: frames are the values alone.' }),
    }),
  },
  responses: {
    101: { description: 'The connection speaks WebSocket from here on.' },
    ...problems(...PARTITION_MISSING, 'upgrade-required', 'invalid-offset', 'offset-trimmed', 'offset-out-of-range', 'no-leader', 'replica-behind'),
  },
})
