import { ERROR_CODES, SynodError, type ErrorCode, type ErrorFacts } from '../errors.ts'
import { invariant } from '../types/invariant.ts'
import { MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** What travels on the lane `fwd`: a request with the time that is left for it, its answer or error, its cancellation. */
export interface RequestHeader {
  /** Chosen by the asker, never used twice in a session. */
  readonly id: number
  /** Milliseconds that were left when the request left. No clock is compared. */
  readonly deadlineMs: number
  readonly kind: string
}

/** Facts larger than this stay at home: the code and the sentence matter more. */
const ERROR_BYTES_MAX = 64 * 1024

export function encodeRequest(writer: ByteWriter, header: RequestHeader, body: Uint8Array): void {
  writer.count(header.id)
  writer.u32(header.deadlineMs)
  writer.shortText(header.kind)
  writer.bytes(body)
}

/** Where `deadlineMs` stands in an encoded request, so that it can be told anew when the request leaves. */
export const REQUEST_DEADLINE_OFFSET = 8

/** The body is a view. Throws `MalformedFrameError`. */
export function decodeRequest(reader: ByteReader): RequestHeader & { readonly body: Buffer } {
  return { id: reader.count(), deadlineMs: reader.u32(), kind: reader.shortText(), body: reader.rest() }
}

export function encodeAnswer(writer: ByteWriter, id: number, body: Uint8Array): void {
  writer.count(id)
  writer.bytes(body)
}

/** The body is a view. Throws `MalformedFrameError`. */
export function decodeAnswer(reader: ByteReader): { readonly id: number; readonly body: Buffer } {
  return { id: reader.count(), body: reader.rest() }
}

export function encodeCancel(writer: ByteWriter, id: number): void {
  writer.count(id)
}

/** Throws `MalformedFrameError`. */
export function decodeCancel(reader: ByteReader): number {
  const id = reader.count()
  reader.expectEnd()
  return id
}

/** Everything but the cause, which is the sender's own matter. */
export function encodeError(writer: ByteWriter, id: number, error: SynodError): void {
  writer.count(id)
  const whole = Buffer.from(JSON.stringify(errorToJson(error)))
  writer.bytes(
    whole.length <= ERROR_BYTES_MAX ? whole : Buffer.from(JSON.stringify(errorWithoutFacts(error))),
  )
}

/** Throws `MalformedFrameError`. */
export function decodeError(reader: ByteReader): { readonly id: number; readonly error: SynodError } {
  const id = reader.count()
  let json: unknown
  try {
    json = JSON.parse(reader.rest().toString('utf8'), withoutPrototype)
  } catch {
    throw new MalformedFrameError('An error frame holds no JSON.')
  }
  const error = errorFromJson(json)
  if (error === undefined) throw new MalformedFrameError('An error frame holds no error.')
  return { id, error }
}

export interface ErrorJson {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint?: string | undefined
  readonly facts: ErrorFacts
  readonly retryAfterMs?: number | undefined
}

export function errorToJson(error: SynodError): ErrorJson {
  return {
    code: error.code,
    detail: error.message,
    hint: error.hint,
    facts: error.facts,
    retryAfterMs: error.retryAfterMs,
  }
}

/** Undefined when it is none. A code that this version does not know reads as 'internal'. */
export function errorFromJson(json: unknown): SynodError | undefined {
  if (!isObject(json) || typeof json['code'] !== 'string' || typeof json['detail'] !== 'string')
    return undefined
  const { code, detail, hint, facts, retryAfterMs } = json
  return new SynodError(isErrorCode(code) ? code : 'internal', detail, {
    hint: typeof hint === 'string' ? hint : undefined,
    facts: isObject(facts) ? facts : {},
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
  })
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A reviver for JSON.parse: keys that could reach a prototype are left out. */
export function withoutPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' || key === 'constructor' || key === 'prototype' ? undefined : value
}

function errorWithoutFacts(error: SynodError): ErrorJson {
  const detail = error.message.slice(0, 1_024)
  invariant(detail.length <= 1_024, 'A detail was shortened.')
  return {
    code: error.code,
    detail,
    hint: error.hint?.slice(0, 1_024),
    facts: {},
    retryAfterMs: error.retryAfterMs,
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return (ERROR_CODES as readonly string[]).includes(code)
}
