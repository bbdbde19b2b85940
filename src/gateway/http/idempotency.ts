import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { Idempotency } from '../../types/record.ts'

const KEY = /^[\x21-\x7e]{1,255}$/
const PRODUCER_ID = /^[\x21-\x7e]{1,64}$/
const PRODUCER_HEADERS = ['producer-id', 'producer-epoch', 'producer-seq'] as const

/**
 * The idempotency fields of a produce request. The fingerprint covers all that decides what is stored, so that another
 * request under the same key is noticed. Errors: 'invalid-parameter'.
 */
export function idempotencyOf(
  request: IncomingMessage,
  search: string,
  body: Buffer,
): Idempotency | undefined {
  const key = single(request, 'idempotency-key')
  const given = PRODUCER_HEADERS.filter((name) => request.headers[name] !== undefined)
  if (given.length === 0) return key === undefined ? undefined : keyed(request, key, search, body)
  if (key !== undefined)
    throw invalid('The request has an Idempotency-Key and a Producer-Id.', 'Use one of the two.')
  if (given.length < PRODUCER_HEADERS.length)
    throw invalid(
      `The request has ${given.join(', ')} alone.`,
      'Send Producer-Id, Producer-Epoch and Producer-Seq together.',
    )
  const id = single(request, 'producer-id') ?? ''
  if (!PRODUCER_ID.test(id))
    throw invalid(`'${id.slice(0, 80)}' is no Producer-Id.`, 'It is 1 to 64 visible ASCII characters.')
  return {
    kind: 'producer',
    id,
    epoch: count(request, 'producer-epoch'),
    seq: count(request, 'producer-seq'),
  }
}

/** By what a record without a key of its own finds its partition. */
export function placementKey(idempotency: Idempotency | undefined): string | undefined {
  if (idempotency === undefined) return undefined
  return idempotency.kind === 'key' ? idempotency.key : idempotency.id
}

/**
 * An ingest has no end whose SHA-256 its key could be held against. So the key becomes a producer, which numbers the lines of
 * each partition; the space keeps it apart from all ids that clients choose.
 */
export function ingestProducer(key: string): Idempotency {
  const id = `ingest ${createHash('sha256').update(key).digest('base64url')}`
  return { kind: 'producer', id, epoch: 0, seq: 0 }
}

function keyed(request: IncomingMessage, key: string, search: string, body: Buffer): Idempotency {
  if (!KEY.test(key))
    throw invalid(
      `'${key.slice(0, 80)}' is no Idempotency-Key.`,
      'It is 1 to 255 visible ASCII characters, as a UUID.',
    )
  const hash = createHash('sha256').update(`${(request.url ?? '').split('?', 1)[0]}\n${search}\n`)
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    if (name === 'content-type' || name.startsWith('record-'))
      hash.update(`${name}:${rawHeaders[index + 1]}\n`)
  }
  return { kind: 'key', key, fingerprint: hash.update('\n').update(body).digest() }
}

function single(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function count(request: IncomingMessage, name: string): number {
  const text = single(request, name) ?? ''
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw invalid(`'${text.slice(0, 80)}' does not fit ${name}.`, 'It is a whole number from 0.')
}

/** The number of Expected-Offset, or undefined. Errors: 'invalid-parameter'. */
export function expectedOffsetOf(request: IncomingMessage): number | undefined {
  return request.headers['expected-offset'] === undefined ? undefined : count(request, 'expected-offset')
}

function invalid(detail: string, hint: string): SynodError {
  return new SynodError('invalid-parameter', detail, { hint })
}
