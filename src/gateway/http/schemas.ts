import { z } from '@hono/zod-openapi'

import { ERROR_CODES } from '../../errors.ts'
import { BATCH_RECORDS_MAX } from './batch-body.ts'
import { TOPIC_NAME } from './topic-lookup.ts'

const INTEGER_MAX = Number.MAX_SAFE_INTEGER

/**
 * The bounds of its length hold for texts and lists alone. By itself zod 4.6.7 compares whatever has a `length`, though it is no
 * text, and throws a TypeError where that is an object which is no number, instead of saying what does not fit.
 */
export function bounded<Schema extends z.ZodType>(schema: Schema): Schema {
  for (const check of schema._zod.def.checks ?? [])
    check._zod.def.when = ({ value }) => typeof value === 'string' || Array.isArray(value)
  return schema
}

/** Every number that counts something stays exact in every client. */
export function count(description: string, bounds: { readonly min?: number; readonly max?: number } = {}) {
  return z
    .number()
    .int()
    .min(bounds.min ?? 0)
    .max(bounds.max ?? INTEGER_MAX)
    .openapi({ description, format: 'int64' })
}

const time = (description: string) =>
  z.string().openapi({ description, format: 'date-time', example: '2026-01-31T12:00:00.000Z' })

/** Ids are texts, brokers' too. */
export const brokerText = (description: string) => z.string().openapi({ description, example: '1' })

export const topicNameSchema = z
  .string()
  .regex(TOPIC_NAME)
  .openapi({ description: 'The name of a topic.', example: 'orders' })

export const partitionNumber = count('The number of a partition, from 0.', { max: 99_999 })
const offsetNumber = count('The number of a record in its partition, from 0, without gaps.')

export const problemSchema = z
  .looseObject({
    type: z
      .string()
      .openapi({ description: 'An address that stands for the code.', example: '/problems/topic-not-found' }),
    title: z.string().openapi({ description: 'What the code means.' }),
    status: z.number().int().min(400).max(599).openapi({ description: 'The HTTP status.' }),
    detail: z.string().openapi({ description: 'What went wrong this time; names the offending value.' }),
    instance: z.string().openapi({ description: 'The path of the request.' }),
    code: z.enum(ERROR_CODES).openapi('ErrorCode', { description: 'What went wrong, for programs.' }),
    retryable: z
      .boolean()
      .openapi({ description: 'Sending the same request again may succeed and does no harm.' }),
    sideEffects: z
      .enum(['none', 'possible'])
      .openapi({ description: 'Whether something may have been stored or changed.' }),
    hint: z.string().openapi({ description: 'What to try next.' }),
    requestId: z.string().openapi({ description: 'The same as in the header Request-Id.' }),
    retryAfterMs: count('When trying again may help.').optional(),
    errors: z
      .array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() }))
      .optional()
      .openapi({ description: 'Each fault of a body, with a JSON pointer to its place.' }),
  })
  .openapi('Problem', {
    description: 'What went wrong (RFC 9457). Further members give facts, such as `highWatermark`.',
  })

const nullable = (description: string, bounds: { readonly min: number; readonly max?: number }) =>
  z
    .number()
    .int()
    .min(bounds.min)
    .max(bounds.max ?? INTEGER_MAX)
    .nullable()
    .openapi({ description, format: 'int64' })

const configShape = {
  retentionMs: nullable('Age after which records are trimmed; null: never.', { min: 1_000 }),
  retentionBytes: nullable('Size of a partition after which its oldest records are trimmed; null: never.', {
    min: 1_048_576,
  }),
  cleanup: z.enum(['delete', 'none']).openapi({
    description: 'none: neither age nor size trims anything, only a call of trimPartition does.',
  }),
  onFull: z.enum(['trim', 'reject']).openapi({
    description:
      'What a partition of retentionBytes does: lets its oldest records go, or refuses new ones with `topic-full`.',
  }),
  recordBytesMax: count('Key, value and headers of one record.', { min: 1, max: 1_048_576 }),
  maxLagMs: count('The largest delay of a replica that counts as in sync.', { min: 100, max: 3_600_000 }),
  maxLagSlots: count('The same bound in entries of the log.', { min: 1, max: 1_000_000 }),
  minInSync: nullable('Replicas that must be in sync to accept a produce; null: a majority.', {
    min: 1,
    max: 7,
  }),
  dedupWindowMs: count('How long an idempotency key is remembered.', { min: 1_000, max: 604_800_000 }),
  dedupWindowCount: count('How many idempotency keys a partition remembers.', { min: 1, max: 1_000_000 }),
  closed: z.boolean().openapi({ description: 'A closed topic takes no more records.' }),
}

/** Names of all fields that bodies of the topic calls have, for suggestions. */
export const TOPIC_FIELDS: readonly string[] = [
  'partitions',
  'replicationFactor',
  'config',
  ...Object.keys(configShape),
]

const topicConfigSchema = z.object(configShape).openapi('TopicConfig')
const topicConfigChangeSchema = z.strictObject(configShape).partial().openapi('TopicConfigChange', {
  description: 'The settings to set; what is left out stays as it is, or has its default in a new topic.',
})

export const topicSpecSchema = z
  .strictObject({
    partitions: count('How many partitions; 1 if left out.', { min: 1, max: 1_000 }).optional(),
    replicationFactor: count(
      'How many brokers hold each partition; 3 if left out, or all brokers if fewer.',
      {
        min: 1,
        max: 7,
      },
    ).optional(),
    config: topicConfigChangeSchema.optional(),
  })
  .openapi('TopicSpec')

export const topicChangeSchema = z
  .strictObject({
    partitions: count('The new number of partitions, never fewer than now. Keys move.', {
      min: 1,
      max: 1_000,
    }).optional(),
    config: topicConfigChangeSchema.optional(),
  })
  .openapi('TopicChange')

export const leaderMoveSchema = z
  .strictObject({
    broker: z
      .string()
      .regex(/^[1-9]\d{0,4}$/)
      .openapi({ description: 'The broker that is to lead; it holds a replica.', example: '2' }),
  })
  .openapi('LeaderMove')

export const trimSchema = z
  .strictObject({
    beforeOffset: count('The first offset that is still to be shown; at most the high watermark.'),
  })
  .openapi('Trim')

export const trimmedSchema = z
  .object({
    topic: topicNameSchema,
    partition: partitionNumber,
    logStart: count('The first offset that is still there.'),
  })
  .openapi('Trimmed')

export const partitionSchema = z
  .object({
    partition: partitionNumber,
    leader: brokerText('The broker that leads; left out while there is none.').optional(),
    replicas: z.array(z.string()).openapi({ description: 'The brokers that hold the partition.' }),
    inSync: z
      .array(z.string())
      .optional()
      .openapi({ description: 'Those that are within MaxLag; left out when not known.' }),
    logStart: count('The first offset that is still there.').optional(),
    highWatermark: count('The first offset that is not yet readable.').optional(),
    sizeBytes: count('Bytes on the leader’s disk.').optional(),
  })
  .openapi('Partition')

export const topicSchema = z
  .object({
    name: topicNameSchema,
    id: z.string().openapi({ description: 'A topic that is deleted and made anew has another id.' }),
    partitions: z.array(partitionSchema),
    config: topicConfigSchema,
    createdAt: time('When the topic was created.'),
  })
  .openapi('Topic')

export const topicSummarySchema = z
  .object({
    name: topicNameSchema,
    id: z.string(),
    partitionCount: count('How many partitions it has.', { min: 1 }),
    replicationFactor: count('How many brokers hold each partition.', { min: 1 }),
    config: topicConfigSchema,
    createdAt: time('When the topic was created.'),
  })
  .openapi('TopicSummary')

export const topicListSchema = z
  .object({
    items: z.array(topicSummarySchema),
    nextPageToken: z
      .string()
      .optional()
      .openapi({ description: 'Send it as pageToken for the next page; left out on the last.' }),
  })
  .openapi('TopicList')

export const receiptSchema = z
  .object({
    topic: topicNameSchema,
    partition: partitionNumber,
    offset: offsetNumber.optional().openapi({
      description: 'Left out for a duplicate so old that its place is no longer remembered.',
    }),
    timestamp: time('The time that readers see.'),
    duplicate: z.boolean().openapi({ description: 'Stored already by an earlier try.' }),
  })
  .openapi('Receipt')

export const batchReceiptSchema = z.object({ results: z.array(receiptSchema) }).openapi('BatchReceipt')

const headersSchema = z
  .record(z.string(), z.string())
  .openapi({ description: 'Names in lower case.', example: { trace: 'abc' } })

export const recordInputSchema = z
  .strictObject({
    key: z.string().optional().openapi({ description: 'Records of one key are in one partition, in order.' }),
    value: z.unknown().optional().openapi({ description: 'Any JSON; kept byte for byte.' }),
    text: z.string().optional().openapi({ description: 'Instead of `value`: a text.' }),
    base64: z.string().optional().openapi({ description: 'Instead of `value`: any bytes, in base64.' }),
    headers: headersSchema.optional(),
    partition: partitionNumber.optional(),
    timestamp: time('The producer’s own time; only shown.').optional(),
  })
  .openapi('RecordInput', {
    description: 'At most one of value, text and base64; with none of them it is a tombstone.',
  })

export const batchSchema = z
  .strictObject({ records: bounded(z.array(recordInputSchema).min(1).max(BATCH_RECORDS_MAX)) })
  .openapi('Batch')

export const recordSchema = z
  .object({
    topic: topicNameSchema,
    partition: partitionNumber,
    offset: offsetNumber,
    timestamp: time('The producer’s own time if it gave one, else when the record was appended.'),
    key: z.string().optional(),
    value: z.unknown().optional().openapi({ description: 'The value, if it was produced as JSON.' }),
    text: z.string().optional().openapi({ description: 'The value, if it is a text.' }),
    base64: z.string().optional().openapi({ description: 'The value, if it is neither.' }),
    contentType: z.string().optional().openapi({ description: 'As the producer named it.' }),
    headers: headersSchema.optional(),
  })
  .openapi('Record', { description: 'A tombstone has none of value, text and base64.' })

export const cursorText = z
  .string()
  .openapi({ description: 'The place where this read ended: go on with `from=cursor:…`. At most 8 KiB.' })

export const pageSchema = z
  .object({
    records: z.array(recordSchema),
    nextOffset: count('Where the next page begins.'),
    highWatermark: count(
      'The first offset that is not yet readable; left out of a page that never changes.',
    ).optional(),
    logStart: count(
      'The first offset that is still there; left out of a page that never changes.',
    ).optional(),
    upToDate: z.boolean().openapi({ description: 'There was nothing more to read.' }),
    cursor: cursorText,
  })
  .openapi('Page')

export const topicPageSchema = z
  .object({
    records: z.array(recordSchema),
    upToDate: z.boolean().openapi({ description: 'There was nothing more to read in any partition.' }),
    cursor: cursorText,
  })
  .openapi('TopicPage')

export const offsetsSchema = z
  .object({
    topic: topicNameSchema,
    partition: partitionNumber,
    earliest: count('The first offset that is still there.'),
    latest: count('The offset that the next record gets.'),
    offset: count('The offset that `at` means; left out without `at`.').optional(),
  })
  .openapi('Offsets')
