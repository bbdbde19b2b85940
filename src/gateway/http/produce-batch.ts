import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { RecordDraft } from '../../types/record.ts'
import type { Topic } from '../../types/topic.ts'
import type { AppendReceipt } from '../ports.ts'
import { gravity, toProblem } from '../problem.ts'
import type { Problem } from '../problem.ts'
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
import type { PlacedDraft, ProduceInput, ProduceParts, Terms } from './append.ts'
import { parseBatch } from './batch-body.ts'
import type { RequestContext } from './context.ts'
import type { PartitionTurns } from './partition-choice.ts'
import { redirected } from './redirect.ts'

/** One partition's part of a request: stored as one slot or not at all. */
interface Part {
  readonly partition: number
  readonly drafts: RecordDraft[]
  /** Where each draft stands in the request. */
  readonly positions: number[]
}

type Outcome =
  | { readonly isStored: true; readonly part: Part; readonly receipt: AppendReceipt }
  | { readonly isStored: false; readonly part: Part; readonly error: unknown; readonly problem: Problem }

type Failure = Extract<Outcome, { isStored: false }>

/** POST /v1/topics/{topic}/batches: records for several partitions, each partition's part by itself. */
export async function produceBatch(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  input: ProduceInput,
): Promise<void> {
  const terms = termsOf(request, context.search, input)
  const placed = parseBatch(input.body)
  const topic = await findTopicFor(context, input.parts, { topicName: context.params[0] ?? '', placed })
  const asked = { query: input.query, topic, partitions: mayReach(placed, topic, terms) }
  if (redirected(response, context, asked)) return
  const { receipts, results } = await storeBatch(context, input.parts, { topic, terms, placed })
  sendProduced(response, context, {
    status: receipts.every(({ duplicate }) => duplicate) ? 200 : 201,
    headers: producedHeaders(receipts, terms),
    body: `{"results":[${results.join(',')}]}`,
  })
}

/** The topic, which takes records as large as these. Errors: 'topic-not-found', 'record-too-large'. */
export async function findTopicFor(
  context: RequestContext,
  { creator }: ProduceParts,
  { topicName, placed }: { readonly topicName: string; readonly placed: readonly PlacedDraft[] },
): Promise<Topic> {
  const topic = await creator.findOrCreate(context, topicName)
  const bytesMax = recordBytesMax(context, topic)
  for (const [index, { draft }] of placed.entries())
    checkSize(draft, { bytesMax, place: ` /records/${index}` })
  return topic
}

/** Records to be stored together. */
export interface BatchRequest {
  readonly topic: Topic
  readonly terms: Terms
  readonly placed: readonly PlacedDraft[]
}

/**
 * Stores all of them, each partition's part as one slot; `results` are the receipts as JSON, in the order of the records.
 * Errors: 'partial-append', those of `Log.append`.
 */
export async function storeBatch(
  context: RequestContext,
  { turns }: ProduceParts,
  { topic, terms, placed }: BatchRequest,
): Promise<{ readonly receipts: readonly AppendReceipt[]; readonly results: readonly string[] }> {
  const parts = partsOf(placed, topic, terms, turns)
  const outcomes = await Promise.all(parts.map((part) => outcomeOf(context, topic, terms, part)))
  const failures = outcomes.filter((outcome): outcome is Failure => !outcome.isStored)
  if (failures.length > 0) throw failureOf(topic, outcomes, failures, placed.length)
  const receipts = outcomes.flatMap((outcome) => (outcome.isStored ? [outcome.receipt] : []))
  return { receipts, results: resultTexts(topic, outcomes, placed.length) }
}

/** Errors: 'partition-not-found'; 'invalid-parameter' for what is about one partition when there are several. */
function partsOf(placed: readonly PlacedDraft[], topic: Topic, terms: Terms, turns: PartitionTurns): Part[] {
  const parts = new Map<number, Part>()
  let turn: number | undefined
  for (const [position, record] of placed.entries()) {
    const partition = placeOf(record, topic, terms, () => (turn ??= turns.next(topic)))
    const part = parts.get(partition) ?? { partition, drafts: [], positions: [] }
    part.drafts.push(record.draft)
    part.positions.push(position)
    parts.set(partition, part)
  }
  const onePartitionOnly = terms.idempotency?.kind === 'producer' ? 'Producer-Seq' : 'Expected-Offset'
  if (parts.size > 1 && (terms.idempotency?.kind === 'producer' || terms.expectedOffset !== undefined))
    throw new SynodError(
      'invalid-parameter',
      `${onePartitionOnly} is about one partition, the records go to ${parts.size}.`,
      {
        hint: 'Send the records of one partition in a request, and name it in each of them.',
      },
    )
  return [...parts.values()]
}

async function outcomeOf(context: RequestContext, topic: Topic, terms: Terms, part: Part): Promise<Outcome> {
  try {
    return { isStored: true, part, receipt: await append(context, topic, terms, part) }
  } catch (error) {
    if (!(error instanceof SynodError))
      context.options.log.error({ error, requestId: context.requestId }, 'An append failed')
    const problem = toProblem(error, context.requestId, context.path, terms.idempotency !== undefined)
    return { isStored: false, part, error, problem }
  }
}

/**
 * What to tell when a part failed. If nothing was stored it is the gravest failure itself; if some was, 'partial-append'.
 * Both carry `results` when the request had several parts.
 */
function failureOf(
  topic: Topic,
  outcomes: readonly Outcome[],
  failures: readonly Failure[],
  count: number,
): unknown {
  const gravest = failures.reduce((worst, failure) =>
    gravity(failure.problem.status) > gravity(worst.problem.status) ? failure : worst,
  )
  if (outcomes.length === 1) return gravest.error
  const results: unknown[] = resultTexts(topic, outcomes, count).map((text): unknown => JSON.parse(text))
  const stored = outcomes.length - failures.length
  const known = gravest.error instanceof SynodError ? gravest.error : undefined
  if (stored === 0 && known !== undefined)
    return new SynodError(known.code, known.message, {
      hint: known.hint,
      retryAfterMs: known.retryAfterMs,
      facts: { ...known.facts, results },
    })
  return new SynodError(
    'partial-append',
    `${failures.length} of ${outcomes.length} partitions did not store their part.`,
    {
      facts: { results },
      retryAfterMs: known?.retryAfterMs,
    },
  )
}

/** A receipt or a problem for each record, in the order of the request. */
function resultTexts(topic: Topic, outcomes: readonly Outcome[], count: number): string[] {
  const results = Array.from({ length: count }, () => 'null')
  for (const outcome of outcomes) {
    const { partition, drafts, positions } = outcome.part
    const problem = outcome.isStored ? '' : JSON.stringify({ problem: outcome.problem })
    for (const [index, draft] of drafts.entries()) {
      const position = positions[index] ?? 0
      results[position] = outcome.isStored
        ? receiptJson(topic, partition, { receipt: outcome.receipt, index, draft })
        : problem
    }
  }
  return results
}
