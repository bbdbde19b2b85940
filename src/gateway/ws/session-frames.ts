import { z } from '@hono/zod-openapi'

import {
  bounded,
  count,
  cursorText,
  partitionNumber,
  problemSchema,
  receiptSchema,
  recordInputSchema,
  recordSchema,
  topicNameSchema,
} from '../http/schemas.ts'
import { BATCH_RECORDS_MAX } from '../http/batch-body.ts'

/*
 * The frames of a session, once: the broker reads clients' frames with these, tests read its own with these, and both
 * documents are made from them.
 */

const ID_LENGTH_MAX = 64
const id = bounded(z.string().min(1).max(ID_LENGTH_MAX)).openapi({
  description: 'The client’s own name for this request; the answer has it too.',
})
const sid = bounded(z.string().min(1).max(ID_LENGTH_MAX)).openapi({
  description: 'The client’s own name for a subscription of this socket.',
  example: 'a',
})
const epoch = count('Begins at 0 and grows when the subscription begins anew at another place.')
const from = bounded(z.string().min(1).max(16_384)).openapi({
  description: 'Where to start, as in the query of a stream; `latest` if neither this nor a cursor is given.',
})
const credit = z
  .strictObject({
    records: count('Records that may be sent.'),
    bytes: count('Bytes of their keys and values.'),
  })
  .openapi('SessionCredit')
const positions = z.array(
  z
    .strictObject({ partition: partitionNumber, nextOffset: count('The offset of the next record.') })
    .openapi('SessionPosition'),
)

const subscribe = z
  .strictObject({
    type: z.literal('subscribe'),
    id,
    sid,
    topic: topicNameSchema,
    partitions: bounded(z.array(partitionNumber).min(1).max(1_000))
      .optional()
      .openapi({ description: 'All of them, later ones too, if left out.' }),
    from: from.optional(),
    cursor: cursorText.optional(),
    credit,
  })
  .openapi('SubscribeFrame', { description: 'Begins a subscription; `subscribed` or `error` answers it.' })

const grant = z
  .strictObject({
    type: z.literal('credit'),
    sid,
    records: count('Records that may be sent besides.'),
    bytes: count('Bytes of keys and values that may be sent besides.'),
  })
  .openapi('CreditFrame', {
    description: 'Adds to what may be sent. Of no effect on a subscription that has ended.',
  })

const produceEnvelope = z.strictObject({
  type: z.literal('produce'),
  id,
  topic: topicNameSchema,
  records: z.unknown(),
  producer: z
    .strictObject({
      id: z.string().regex(/^[\x21-\x7e]{1,64}$/),
      epoch: count('A higher one fences off the lower ones.'),
      seq: count('Counts the producer’s records in the partition, from 0.'),
    })
    .optional()
    .openapi({ description: 'Makes sending again safe; all records go to one partition.' }),
})
const produce = produceEnvelope
  .extend({ records: bounded(z.array(recordInputSchema).min(1).max(BATCH_RECORDS_MAX)) })
  .openapi('ProduceFrame', { description: 'Stores records; `produced` or `error` answers it.' })

const seek = z
  .strictObject({ type: z.literal('seek'), id, sid, from: from.optional(), cursor: cursorText.optional() })
  .openapi('SeekFrame', {
    description: 'Goes on at another place, in a new epoch, with the credit that is left.',
  })
const unsubscribe = z
  .strictObject({ type: z.literal('unsubscribe'), id, sid })
  .openapi('UnsubscribeFrame', { description: 'Ends a subscription; `end` answers it.' })
const ping = z
  .strictObject({ type: z.literal('ping'), id: id.optional() })
  .openapi('PingFrame', { description: 'Asks for a `pong`; browsers cannot send pings of the protocol.' })

const welcome = z
  .strictObject({
    type: z.literal('welcome'),
    session: z.string().openapi({ description: 'Names this socket in the broker’s log.' }),
    broker: z.string(),
    heartbeatMs: count('How often a `heartbeat` comes.'),
    limits: z.strictObject({
      subscriptions: count('Subscriptions at the same time.'),
      frameBytes: count('A frame of the client.'),
      recordBytes: count('Key, value and headers of one record.'),
    }),
  })
  .openapi('WelcomeFrame', { description: 'The first frame.' })
const subscribed = z
  .strictObject({ type: z.literal('subscribed'), id, sid, epoch, positions, cursor: cursorText })
  .openapi('SubscribedFrame', { description: 'The start is fixed: records come from these positions.' })
const records = z
  .strictObject({
    type: z.literal('records'),
    sid,
    epoch,
    records: z.array(recordSchema),
    cursor: cursorText,
  })
  .openapi('RecordsFrame', {
    description:
      'Records of one partition in the order of their offsets, none skipped or repeated in an epoch.',
  })
const produced = z
  .strictObject({ type: z.literal('produced'), id, results: z.array(receiptSchema) })
  .openapi('ProducedFrame', {
    description: 'All records are durable on a majority; receipts in their order.',
  })
const heartbeat = z
  .strictObject({
    type: z.literal('heartbeat'),
    subs: z.array(
      z
        .strictObject({
          sid,
          highWatermark: count(
            'The first offset not yet readable when last read, summed over its partitions.',
          ),
          lag: count('Records that are known and not yet sent.'),
          creditLeft: z.strictObject({
            records: count('Records that may still be sent.'),
            bytes: z.number().int().openapi({
              format: 'int64',
              description:
                'Below 0 after a record that was larger than what was left: grants pay for it first.',
            }),
          }),
        })
        .openapi('SubscriptionState'),
    ),
  })
  .openapi('HeartbeatFrame', { description: 'Says that the broker lives, and where each subscription is.' })
const reset = z
  .strictObject({
    type: z.literal('reset'),
    sid,
    epoch,
    reason: z.literal('offset-trimmed'),
    lost: count('Records that were trimmed before they were sent.'),
    resumeFrom: positions,
    cursor: cursorText,
  })
  .openapi('ResetFrame', {
    description: 'What came next is gone: a new epoch begins at the first record that is there.',
  })
const end = z
  .strictObject({ type: z.literal('end'), id, sid })
  .openapi('EndFrame', { description: 'The subscription has ended as asked; no frame of it follows.' })
const moving = z
  .strictObject({ type: z.literal('moving'), inMs: count('When the broker closes the socket.') })
  .openapi('MovingFrame', { description: 'The broker stops: go on with the cursors on another one.' })
const error = z
  .strictObject({
    type: z.literal('error'),
    id: id.optional(),
    sid: sid.optional(),
    problem: problemSchema,
  })
  .openapi('ErrorFrame', {
    description: 'With `id`: that request failed. With `sid`: that subscription has ended, all others go on.',
  })
const pong = z.strictObject({ type: z.literal('pong'), id: id.optional() }).openapi('PongFrame')

/** What clients send, as the documents have it. */
export const CLIENT_FRAMES = { subscribe, credit: grant, produce, seek, unsubscribe, ping } as const

/** What the broker sends. */
export const SERVER_FRAMES = {
  welcome,
  subscribed,
  records,
  produced,
  heartbeat,
  reset,
  end,
  moving,
  error,
  pong,
} as const

/** The frame `subscribe` is the schema SubscribeFrame of the documents. */
export function frameSchemaName(frame: string): string {
  return `${frame.charAt(0).toUpperCase()}${frame.slice(1)}Frame`
}

const binaryForm = z
  .enum(['json', 'text', 'bytes'])
  .optional()
  .openapi({ description: 'What the value is; bytes if left out.' })
const binarySize = count('Bytes of the value, which follows the header; a tombstone has none.').optional()

/** What is different in `synod.v1.bin`: values follow the header in the order of the records. */
export const BINARY_FRAMES = {
  binaryProduce: produceEnvelope
    .extend({
      records: bounded(
        z
          .array(
            recordInputSchema
              .omit({ value: true, text: true, base64: true })
              .extend({ form: binaryForm, size: binarySize })
              .openapi('BinaryRecordInput', { description: 'A record whose value follows the header.' }),
          )
          .min(1)
          .max(BATCH_RECORDS_MAX),
      ),
    })
    .openapi('BinaryProduceFrame', { description: '`produce` in synod.v1.bin.' }),
  binaryRecords: records
    .extend({
      records: z.array(
        recordSchema
          .omit({ value: true, text: true, base64: true })
          .extend({ form: binaryForm, size: binarySize })
          .strict()
          .openapi('BinaryRecord', { description: 'A record whose value follows the header.' }),
      ),
    })
    .openapi('BinaryRecordsFrame', { description: '`records` in synod.v1.bin.' }),
} as const

/** As clients' frames are read: the records of a produce are looked at one by one later, each with its own fault. */
export const READ_FRAMES = { ...CLIENT_FRAMES, produce: produceEnvelope } as const

export type ClientFrame = {
  [Name in keyof typeof READ_FRAMES]: z.infer<(typeof READ_FRAMES)[Name]>
}[keyof typeof READ_FRAMES]
export type ClientFrameOf<Type extends ClientFrame['type']> = Extract<ClientFrame, { type: Type }>
/** `records` and `produced` are written from encoded parts, never from objects. */
export type ServerFrame = {
  [Name in Exclude<keyof typeof SERVER_FRAMES, 'records' | 'produced'>]: z.infer<(typeof SERVER_FRAMES)[Name]>
}[Exclude<keyof typeof SERVER_FRAMES, 'records' | 'produced'>]
