import type { IncomingMessage } from 'node:http'
import type { OutgoingHttpHeaders } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { Idempotency, RecordDraft } from '../../types/record.ts'
import type { Topic } from '../../types/topic.ts'
import type { AppendReceipt } from '../ports.ts'
import { timeText } from '../reading/record-json.ts'
import type { Admission } from './admission.ts'
import type { RequestContext } from './context.ts'
import { expectedOffsetOf, idempotencyOf, placementKey } from './idempotency.ts'
import type { PartitionTurns } from './partition-choice.ts'
import { namedPartition, partitionOfKey } from './partition-choice.ts'
import { choice } from './query.ts'
import type { Query } from './query.ts'
import { draftBytes } from './record-draft.ts'
import type { TopicCreator } from './topic-lookup.ts'

/** What the produce calls share over all requests. */
export interface ProduceParts {
  readonly creator: TopicCreator
  readonly turns: PartitionTurns
  readonly admission: Admission
}

/** What a produce call is given once its body is there. */
export interface ProduceInput {
  readonly query: Query
  readonly body: Buffer
  readonly parts: ProduceParts
}

/** What holds for all records of one request. */
export interface Terms {
  readonly idempotency: Idempotency | undefined
  readonly expectedOffset: number | undefined
  readonly acks: 'majority' | 'all'
}

/** A record, and the partition that it names, if any. */
export interface PlacedDraft {
  readonly draft: RecordDraft
  readonly partition: number | undefined
}

/** The gateway gives up so much later than the log should have. */
const DEADLINE_GRACE_MS = 1_000

/** Errors: 'invalid-parameter'. */
export function termsOf(
  request: IncomingMessage,
  search: string,
  { query, body }: Pick<ProduceInput, 'query' | 'body'>,
): Terms {
  return {
    acks: choice(query, 'acks', ['majority', 'all']) ?? 'majority',
    idempotency: idempotencyOf(request, search, body),
    expectedOffset: expectedOffsetOf(request),
  }
}

/**
 * The partition of a record: the one it names, else where its key leads, else where the request's idempotency fields
 * lead, so that a retry finds the first try; else the turn. Errors: 'partition-not-found', 'invalid-parameter'.
 */
export function placeOf(
  { draft, partition }: PlacedDraft,
  topic: Topic,
  terms: Terms,
  turn: () => number,
): number {
  if (partition !== undefined) return namedPartition(topic, partition)
  const key = draft.key ?? placementKey(terms.idempotency)
  if (key !== undefined) return partitionOfKey(topic, key)
  if (terms.expectedOffset !== undefined && topic.partitions.length > 1)
    throw new SynodError('invalid-parameter', 'Expected-Offset is about one partition, and none is named.', {
      hint: 'Name the partition, or give the record a key.',
    })
  return turn()
}

/**
 * Where records may go, as far as they say it themselves: a turn may lead to any partition. Nothing is found out before
 * somebody asks for the first one. Errors: as `placeOf`.
 */
export function* mayReach(placed: readonly PlacedDraft[], topic: Topic, terms: Terms): Iterable<number> {
  const isTurn = ({ draft, partition }: PlacedDraft) =>
    partition === undefined && draft.key === undefined && placementKey(terms.idempotency) === undefined
  if (placed.some(isTurn)) yield* topic.partitions.keys()
  else yield* new Set(placed.map((record) => placeOf(record, topic, terms, () => 0)))
}

/** Errors: 'record-too-large'. `place` says which record of a batch it is. */
export function checkSize(
  draft: RecordDraft,
  limits: { readonly bytesMax: number; readonly place: string },
): void {
  const byteCount = draftBytes(draft)
  if (byteCount <= limits.bytesMax) return
  throw new SynodError('record-too-large', `The record${limits.place} has ${byteCount} bytes.`, {
    hint: `A record of this topic has at most ${limits.bytesMax} bytes: split it, or raise recordBytesMax with PATCH.`,
    facts: { recordBytesMax: limits.bytesMax },
  })
}

export function recordBytesMax(context: RequestContext, topic: Topic): number {
  return Math.min(context.options.recordBytesMax, topic.config.recordBytesMax)
}

/**
 * Appends one partition's part. The log answers within `produceTimeoutMs`; should it not, the request ends all the same,
 * and nobody knows whether the records were stored. Errors: as `Log.append`.
 */
export function append(
  context: RequestContext,
  topic: Topic,
  terms: Terms,
  part: { readonly partition: number; readonly drafts: readonly RecordDraft[] },
): Promise<AppendReceipt> {
  return new Promise((resolve, reject) => {
    const timeoutMs = context.options.produceTimeoutMs + DEADLINE_GRACE_MS
    const timer = setTimeout(() => {
      reject(
        new SynodError(
          'outcome-unknown',
          `Partition ${part.partition} did not answer within ${timeoutMs} ms.`,
        ),
      )
    }, timeoutMs)
    // A broker that has stopped does not stay for it.
    timer.unref()
    const startedAtMs = performance.now()
    const settle =
      <T>(pass: (value: T) => void) =>
      (value: T): void => {
        clearTimeout(timer)
        context.options.stages.append(performance.now() - startedAtMs)
        pass(value)
      }
    const { idempotency, expectedOffset, acks } = terms
    context.ports.log
      .append({ topic, partition: part.partition, records: part.drafts, idempotency, expectedOffset, acks })
      .then(settle(resolve), settle(reject))
  })
}

/** What a receipt needs to know of an append. */
export type StoredAt = Omit<AppendReceipt, 'leader'>

/** The receipt of one record, as JSON. Topic names need no escaping. */
export function receiptJson(
  topic: Topic,
  partition: number,
  stored: { readonly receipt: StoredAt; readonly index: number; readonly draft: RecordDraft },
): string {
  const { receipt, index, draft } = stored
  const offset = receipt.baseOffset === undefined ? '' : `"offset":${receipt.baseOffset + index},`
  const timestamp = timeText(draft.timestampMs ?? receipt.appendedAtMs)
  return (
    `{"topic":"${topic.name}","partition":${partition},${offset}` +
    `"timestamp":"${timestamp}","duplicate":${receipt.duplicate}}`
  )
}

/** Synod-Leader if one broker leads all of it, and whether an idempotency key replayed it. */
export function producedHeaders(receipts: readonly AppendReceipt[], terms: Terms): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  const leader = receipts[0]?.leader
  if (leader !== undefined && receipts.every((receipt) => receipt.leader === leader))
    headers['Synod-Leader'] = String(leader)
  if (terms.idempotency?.kind === 'key' && receipts.every(({ duplicate }) => duplicate))
    headers['Idempotency-Replayed'] = 'true'
  return headers
}
