import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../../errors.ts'
import type { Topic } from '../../../types/topic.ts'
import { systemTimers, type Timers } from '../../reading/timers.ts'
import { endAfterBody } from '../answer.ts'
import { checkSize, placeOf, recordBytesMax, termsOf } from '../append.ts'
import type { PlacedDraft, ProduceParts, Terms } from '../append.ts'
import { parseRecord } from '../batch-body.ts'
import type { RequestContext } from '../context.ts'
import { ingestProducer } from '../idempotency.ts'
import { partitionOfKey } from '../partition-choice.ts'
import { draining } from '../pour.ts'
import type { Query } from '../query.ts'
import { namedContentType } from '../record-draft.ts'
import { redirectedUnread } from '../redirect.ts'
import { Inflow } from './inflow.ts'
import { Lane } from './lane.ts'
import { lastLine } from './last-line.ts'
import { LineSplitter, type SourceLine } from './line-splitter.ts'
import { Receipts } from './receipts.ts'

/** Records of one request without a receipt; beyond it nothing more is read. */
export const INGEST_RECORDS_MAX = 10_000

const TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

export interface IngestInput {
  readonly query: Query
  readonly parts: ProduceParts
  /** The client wants to hear `100 Continue` before it sends its body. */
  readonly awaitsContinue: boolean
  readonly timers?: Timers
}

/**
 * POST /v1/topics/{topic}/ingest: records as lines, without an end; receipts as lines, in the same order. Rejects with a
 * SynodError as long as nothing was sent; later failures end the answer with a line {"problem"}.
 */
export async function handleIngest(
  request: IncomingMessage,
  response: ServerResponse,
  context: RequestContext,
  input: IngestInput,
): Promise<void> {
  checkType(request.headers['content-type'])
  const terms = ingestTerms(request, context, input)
  const topic = await input.parts.creator.findOrCreate(context, context.params[0] ?? '')
  const { idempotency } = terms
  // With a key of the request, lines with keys of their own still go where those lead.
  const isPlaced = idempotency?.kind === 'producer'
  const partitions = isPlaced ? [partitionOfKey(topic, idempotency.id)] : topic.partitions.keys()
  const { query } = input
  if (redirectedUnread(request, response, context, { query, topic, partitions })) return
  if (context.closing.aborted) throw draining()
  if (input.awaitsContinue) response.writeContinue()
  // What a client still sends when its ingest has failed must not be taken for its next request.
  response.shouldKeepAlive = false
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  })
  // Some clients send nothing before they have seen the head.
  response.flushHeaders()
  const timers = input.timers ?? systemTimers
  const inflow = new Inflow(request, response, { context, timers })
  await new Ingest(response, { context, timers, terms, topic, inflow, parts: input.parts }).run()
  if (response.destroyed) return
  if (request.readableEnded) response.end()
  else endAfterBody(request, response, context.options)
}

/** Errors: 'invalid-parameter'. */
function ingestTerms(request: IncomingMessage, context: RequestContext, { query }: IngestInput): Terms {
  const terms = termsOf(request, context.search, { query, body: Buffer.alloc(0) })
  if (terms.idempotency?.kind !== 'key' || terms.expectedOffset === undefined) return terms
  throw new SynodError('invalid-parameter', 'The ingest has an Idempotency-Key and an Expected-Offset.', {
    hint: 'Expected-Offset is about one partition: send it with Producer-Id, or without either.',
  })
}

/** The terms of each group of lines: a key becomes a producer, whose numbers count the lines of each partition. */
function groupTerms(terms: Terms): Terms {
  const { idempotency } = terms
  return idempotency?.kind === 'key' ? { ...terms, idempotency: ingestProducer(idempotency.key) } : terms
}

/** Errors: 'unsupported-media-type'. */
function checkType(contentType: string | undefined): void {
  const named = namedContentType(contentType)
  if (named === undefined) return
  if (TYPES.includes((named.split(';', 1)[0] ?? '').trim().toLowerCase())) return
  throw new SynodError('unsupported-media-type', `The body is '${named.slice(0, 100)}'.`, {
    hint: 'Send one record a line, with Content-Type: application/x-ndjson.',
  })
}

interface IngestParts {
  readonly context: RequestContext
  readonly timers: Timers
  readonly terms: Terms
  readonly topic: Topic
  readonly inflow: Inflow
  readonly parts: ProduceParts
}

/** One ingest, from its first line to its last receipt. */
class Ingest {
  readonly #response: ServerResponse
  readonly #parts: IngestParts
  readonly #lines: LineSplitter
  readonly #receipts = new Receipts()
  readonly #lanes = new Map<number, Lane>()
  #topic: Topic
  /** The partition of lines without a key: one for the whole request, as for any other. */
  #turn: number | undefined
  /** Why no more is read. What was read before is stored all the same. */
  #readError: unknown
  /** Why nothing more is sent to the log. */
  #stopError: unknown

  constructor(response: ServerResponse, parts: IngestParts) {
    this.#response = response
    this.#parts = parts
    this.#topic = parts.topic
    this.#lines = new LineSplitter(parts.context.options.requestBytesMax)
  }

  async run(): Promise<void> {
    const { inflow, context, terms } = this.#parts
    try {
      await this.#read()
    } catch (error) {
      this.#readError = error
    }
    for (const lane of this.#lanes.values()) lane.pump()
    while (![...this.#lanes.values()].every((lane) => lane.isIdle)) {
      this.#checkEnd()
      await inflow.change()
    }
    inflow.end()
    if (this.#response.destroyed) return
    const error = this.#stopError ?? this.#readError
    if (error !== undefined && !(error instanceof SynodError))
      context.options.log.error({ error, requestId: context.requestId }, 'An ingest failed')
    const isRecognised = terms.idempotency !== undefined
    this.#response.write(lastLine(context, this.#receipts, { error, isRecognised }))
  }

  /** Until the body ends, or nothing more can be taken of it. Errors: of the line, 'request-timeout', 'overloaded'. */
  async #read(): Promise<void> {
    const { inflow, context } = this.#parts
    for (;;) {
      this.#checkEnd()
      if (this.#stopError !== undefined) return
      const isFull =
        this.#receipts.count >= INGEST_RECORDS_MAX ||
        this.#receipts.byteCount >= context.options.ingestWindowBytesMax
      const chunk = inflow.next({ isFull, heldBytes: this.#lines.heldBytes })
      if (chunk === 'none') await inflow.change()
      else if (chunk === 'end') break
      else {
        for (const line of this.#lines.push(chunk)) this.#take(line)
        for (const lane of this.#lanes.values()) lane.pump()
      }
    }
    const last = this.#lines.end()
    if (last !== undefined) this.#take(last)
  }

  #checkEnd(): void {
    if (this.#stopError !== undefined) return
    if (this.#parts.context.closing.aborted) this.#stopError = draining()
    else if (this.#parts.inflow.isClientGone)
      this.#stopError = new SynodError('request-timeout', 'The client went away before its body ended.')
  }

  /** Errors: what is wrong with the line, with its number. */
  #take(line: SourceLine): void {
    if (isBlank(line.source)) return this.#parts.inflow.give(line.byteCount)
    const { draft, partition } = this.#placed(line)
    const entry = {
      line: line.number,
      byteCount: line.byteCount,
      draft,
      receipt: undefined,
      error: undefined,
    }
    this.#receipts.add(entry)
    this.#laneOf(partition).add(entry)
  }

  #placed(line: SourceLine): { readonly draft: PlacedDraft['draft']; readonly partition: number } {
    const { context, terms, parts } = this.#parts
    try {
      const placed = parseRecord(line.source)
      checkSize(placed.draft, { bytesMax: recordBytesMax(context, this.#topic), place: '' })
      const turn = (): number => (this.#turn ??= parts.turns.next(this.#topic))
      const partition = placeOf(placed, this.#topic, terms, turn)
      this.#checkLane(partition)
      return { draft: placed.draft, partition }
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      throw new SynodError(error.code, `Line ${line.number}: ${error.message}`, {
        hint: error.hint,
        facts: { ...error.facts, line: line.number },
      })
    }
  }

  /** Errors: 'invalid-parameter' for what is about one partition when there are several. */
  #checkLane(partition: number): void {
    const { idempotency, expectedOffset } = this.#parts.terms
    if (idempotency?.kind !== 'producer' && expectedOffset === undefined) return
    const [first] = this.#lanes.keys()
    if (first === undefined || first === partition) return
    const what = idempotency === undefined ? 'Expected-Offset' : 'Producer-Seq'
    throw new SynodError(
      'invalid-parameter',
      `${what} is about one partition: the lines before go to ${first}, this one to ${partition}.`,
      { hint: 'Send the lines of one partition in a request, and name it in each of them.' },
    )
  }

  #laneOf(partition: number): Lane {
    const known = this.#lanes.get(partition)
    if (known !== undefined) return known
    const { context, timers, terms } = this.#parts
    const lane = new Lane(partition, {
      context,
      timers,
      terms: groupTerms(terms),
      isKeyed: terms.idempotency?.kind === 'key',
      topic: () => this.#currentTopic(),
      isStopped: () => this.#stopError !== undefined,
      settled: (error) => this.#settled(error),
    })
    this.#lanes.set(partition, lane)
    return lane
  }

  /** Who closes a topic, or gives it more partitions, is heard by those that write already. */
  async #currentTopic(): Promise<Topic> {
    const found = await this.#parts.context.ports.topics.find(this.#topic.name)
    // One that is gone, or was made anew, is refused by the log.
    if (found?.id === this.#topic.id) this.#topic = found
    return this.#topic
  }

  #settled(error: unknown): void {
    this.#stopError ??= error
    const { inflow } = this.#parts
    const { text, byteCount } = this.#receipts.takeDue()
    inflow.give(byteCount)
    if (text !== '' && !this.#response.destroyed) this.#response.write(text)
    inflow.wake()
  }
}

/** Whether a line has nothing but spaces, tabs and carriage returns. */
function isBlank(source: Buffer): boolean {
  return source.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
