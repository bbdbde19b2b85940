import type { IncomingMessage, ServerResponse } from 'node:http'

import { sendProduced } from './answer.ts'
import {
  append,
  checkSize,
  mayReach,
  placeOf,
  producedHeaders,
  receiptJson,
  recordBytesMax,
  termsOf,
} from './append.ts'
import type { ProduceInput } from './append.ts'
import type { RequestContext } from './context.ts'
import { wholeNumber } from './query.ts'
import { draftFromRequest } from './record-draft.ts'
import { redirected } from './redirect.ts'

/** POST /v1/topics/{topic}/records: the body is the value. */
export async function produceRecord(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  input: ProduceInput,
): Promise<void> {
  const { query, body, parts } = input
  const draft = draftFromRequest(request, body, query.get('key'))
  const named = wholeNumber(query, 'partition', { min: 0, max: 99_999 })
  const terms = termsOf(request, context.search, input)
  const topic = await parts.creator.findOrCreate(context, context.params[0] ?? '')
  checkSize(draft, { bytesMax: recordBytesMax(context, topic), place: '' })
  const placed = { draft, partition: named }
  if (redirected(response, context, { query, topic, partitions: mayReach([placed], topic, terms) })) return
  const partition = placeOf(placed, topic, terms, () => parts.turns.next(topic))
  const receipt = await append(context, topic, terms, { partition, drafts: [draft] })
  sendProduced(response, context, {
    status: receipt.duplicate ? 200 : 201,
    headers: producedHeaders([receipt], terms),
    body: receiptJson(topic, partition, { receipt, index: 0, draft }),
  })
}
