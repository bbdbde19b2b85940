import { createRoute, z } from '@hono/zod-openapi'

import { batchReceiptSchema, batchSchema, receiptSchema } from '../schemas.ts'
import {
  answerHeaders,
  integerParameter,
  json,
  PARTITION_MISSING,
  problems,
  redirect,
  seeLeader,
  TOPIC_MISSING,
  topicParams,
} from './responses.ts'

const acks = z.enum(['majority', 'all']).optional().openapi({
  description: 'all: wait for every replica that is in sync, too.',
  default: 'majority',
})
const partition = integerParameter('The partition; if left out, the key or the turn decides.', {
  min: 0,
  max: 99_999,
  default: 0,
}).openapi({
  default: undefined,
})
const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .optional()
    .openapi({ description: 'Makes sending the same request again safe.' }),
  'producer-id': z
    .string()
    .optional()
    .openapi({ description: 'With Producer-Epoch and Producer-Seq: the same for a sequence of records.' }),
  'producer-epoch': z.string().optional().openapi({
    type: 'integer',
    format: 'int64',
    minimum: 0,
    description: 'A higher one fences lower ones off.',
  }),
  'producer-seq': z.string().optional().openapi({
    type: 'integer',
    format: 'int64',
    minimum: 0,
    description: 'Counts the producer’s records in one partition, from 0.',
  }),
  'expected-offset': z.string().optional().openapi({
    type: 'integer',
    format: 'int64',
    minimum: 0,
    description: 'The offset that the first record must get.',
  }),
})

const producedHeaders = answerHeaders.extend({
  'Synod-Leader': z.string().optional().openapi({ description: 'The broker that leads the partition.' }),
})
const replayedHeaders = producedHeaders.extend({
  'Idempotency-Replayed': z
    .string()
    .optional()
    .openapi({ description: 'true: an earlier request with this key was stored.' }),
})

const APPEND_CODES = [
  ...PARTITION_MISSING,
  'producer-fenced',
  'sequence-gap',
  'topic-closed',
  'offset-mismatch',
  'record-too-large',
  'idempotency-key-reused',
  'no-leader',
  'no-quorum',
  'not-enough-in-sync',
  'outcome-unknown',
  'topic-full',
  'disk-full',
] as const

const BATCH = { records: [{ key: 'ada', value: { amount: 12 } }, { text: 'hello' }, { base64: 'AAEC' }] }

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
      key: z
        .string()
        .optional()
        .openapi({ description: 'Records of one key are in one partition, in order.' }),
      partition,
      acks,
      redirect,
    }),
    headers: idempotencyHeaders.extend({
      'record-timestamp': z
        .string()
        .optional()
        .openapi({ format: 'date-time', description: 'The producer’s own time; only shown.' }),
    }),
    body: {
      description: 'The value.',
      content: {
        'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }), example: 'hello' },
      },
      required: true,
    },
  },
  responses: {
    200: {
      description: 'Stored already, by an earlier try.',
      content: json(receiptSchema),
      headers: replayedHeaders,
    },
    201: { description: 'Stored.', content: json(receiptSchema), headers: producedHeaders },
    307: seeLeader,
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
    query: z.object({ acks, redirect }),
    headers: idempotencyHeaders,
    body: { content: json(batchSchema, BATCH), required: true },
  },
  responses: {
    200: {
      description: 'Stored already, by an earlier try.',
      content: json(batchReceiptSchema),
      headers: replayedHeaders,
    },
    201: { description: 'Stored.', content: json(batchReceiptSchema), headers: producedHeaders },
    307: seeLeader,
    ...problems(
      ...APPEND_CODES,
      'malformed-json',
      'unknown-field',
      'invalid-field',
      'batch-too-large',
      'unsupported-media-type',
      'partial-append',
    ),
  },
})

export const ingestRecords = createRoute({
  method: 'post',
  path: '/v1/topics/{topic}/ingest',
  operationId: 'ingestRecords',
  tags: ['records'],
  summary: 'Append records without an end, one a line',
  description:
    'Each line of the body is a record as in a batch; blank lines are skipped. Each line of the answer is the receipt of the ' +
    'record whose turn it is, sent when a majority has it on disk. The last line is `{"end":true,"accepted":n}` or ' +
    '`{"problem":{…}}` with `accepted`, the number of receipts, and `line`, the first line without one. Read the receipts while ' +
    'you send: when neither side takes what the other has to say, the broker stops reading. Producer-Seq and Expected-Offset ' +
    'count on over the lines, which then go to one partition. With an Idempotency-Key the whole may be sent again from its ' +
    'first line: lines that are stored are answered with their receipts, further ones are stored, and a line that is another ' +
    'one than before ends it with `idempotency-key-reused`.',
  request: {
    params: topicParams,
    query: z.object({ acks, redirect }),
    headers: idempotencyHeaders,
    body: {
      description: 'Records as lines of JSON, each a RecordInput.',
      content: {
        'application/x-ndjson': {
          schema: z.string().openapi({ example: '{"key":"ada","value":{"amount":12}}\n{"text":"hello"}\n' }),
        },
      },
      required: true,
    },
  },
  responses: {
    200: {
      description: 'Receipts as lines of JSON, and a last line.',
      content: { 'application/x-ndjson': { schema: z.string() } },
      headers: answerHeaders,
    },
    307: seeLeader,
    ...problems(...TOPIC_MISSING, 'no-leader', 'no-quorum', 'unsupported-media-type'),
  },
})
