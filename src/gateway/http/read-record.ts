import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { RecordForm, StoredRecord } from '../../types/record.ts'
import { sendAnswer } from './answer.ts'
import type { RequestContext } from './context.ts'
import { freshnessOf } from './freshness.ts'
import { bytesOf, holdUntilSent } from './held-answer.ts'
import { immutableHeaders, isHeldByClient } from './immutable.ts'
import type { Query } from './query.ts'
import { redirected } from './redirect.ts'
import { recordsFrom } from './read-page.ts'
import { toWire } from './record-draft.ts'
import { findPartition, findTopic } from './topic-lookup.ts'

const TYPE_OF_FORM: Readonly<Record<RecordForm, string>> = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  bytes: 'application/octet-stream',
  tombstone: 'application/octet-stream',
}

/** GET …/records/{offset}: the value as it was produced. */
export async function readRecord(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  { query }: { readonly query: Query },
): Promise<void> {
  const [topicName = '', partitionText = '', offsetText = ''] = context.params
  const topic = await findTopic(context, topicName)
  const partition = findPartition(topic, partitionText)
  const fromOffset = offsetOf(offsetText)
  if (redirected(response, context, { query, topic, partitions: [partition] })) return
  const freshness = freshnessOf(request, query)(partition)
  const bounds = { recordsMax: 1, bytesMax: 1, waitMs: 0, signal: undefined, freshness }
  const result = await context.ports.log.read({ topic, partition, fromOffset, ...bounds })
  const record = recordsFrom(result, fromOffset).next().value as StoredRecord | undefined
  if (record === undefined)
    throw new SynodError('offset-out-of-range', `Partition ${partition} ends at ${result.highWatermark}.`, {
      hint: `Wait for it: GET /v1/topics/${topic.name}/partitions/${partition}/records?from=${fromOffset}&wait=20s`,
      facts: { highWatermark: result.highWatermark },
    })
  const status = record.form === 'tombstone' ? 204 : 200
  if (response.destroyed) return
  const headers = headersOf(partition, record)
  if (status === 200) {
    const nextOffset = fromOffset + 1
    Object.assign(headers, immutableHeaders({ topicId: topic.id, partition, fromOffset, nextOffset }))
    if (isHeldByClient(request, headers)) return sendAnswer(response, { status: 304, headers, body: '' })
  }
  // The value is a view of its batch, which so stays whole.
  holdUntilSent(context.answers, response, bytesOf(result))
  sendAnswer(response, { status, headers, body: record.value })
}

function offsetOf(text: string): number {
  const offset = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(offset)) return offset
  throw new SynodError('invalid-parameter', `'${text.slice(0, 80)}' is not the number of a record.`, {
    hint: 'Records are numbered from 0 in each partition.',
  })
}

function headersOf(partition: number, record: StoredRecord): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'Record-Partition': String(partition),
    'Record-Offset': String(record.offset),
    'Record-Timestamp': new Date(record.timestampMs).toISOString(),
    // A value is anybody's HTML: shown from this origin it must not run.
    'Content-Security-Policy': "sandbox; default-src 'none'",
  }
  if (record.key !== undefined) headers['Record-Key'] = encodeURIComponent(record.key)
  if (record.form !== 'tombstone')
    headers['Content-Type'] =
      record.contentType === undefined ? TYPE_OF_FORM[record.form] : toWire(record.contentType)
  const named = new Map<string, string[]>()
  for (const [name, value] of record.headers) named.set(name, [...(named.get(name) ?? []), toWire(value)])
  for (const [name, values] of named) headers[`Record-Header-${name}`] = values
  return headers
}
