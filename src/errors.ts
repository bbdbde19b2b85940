/**
 * Every error that Synod tells anybody, by name. There is no HTTP here: `gateway/problem.ts` translates.
 * The table stands in docs as `/problems/{code}`.
 */
export const ERROR_CODES = [
  'malformed-request',
  'malformed-json',
  'unknown-field',
  'invalid-field',
  'unknown-parameter',
  'invalid-parameter',
  'invalid-offset',
  'invalid-cursor',
  'origin-not-allowed',
  'producer-fenced',
  'topic-not-found',
  'partition-not-found',
  'not-found',
  'offset-trimmed',
  'topic-deleted',
  'method-not-allowed',
  'not-acceptable',
  'request-timeout',
  'unsupported-media-type',
  'upgrade-required',
  'headers-too-large',
  'topic-config-differs',
  'sequence-gap',
  'topic-closed',
  'not-a-replica',
  'reassignment-in-progress',
  'would-lose-quorum',
  'operation-ended',
  'offset-mismatch',
  'etag-mismatch',
  'offset-out-of-range',
  'record-too-large',
  'batch-too-large',
  'invalid-config',
  'idempotency-key-reused',
  'not-enough-brokers',
  'topic-full',
  'disk-full',
  'no-leader',
  'no-quorum',
  'not-enough-in-sync',
  'overloaded',
  'draining',
  'internal',
  'outcome-unknown',
  'replica-behind',
  'partial-append',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** Facts for the reader of an error: the offending value, the actual offset, … Never secrets or internals. */
export type ErrorFacts = Readonly<Record<string, unknown>>

/**
 * An expected error. `detail` is one sentence that names the offending value; `hint` is what to try next.
 * Inner code throws it, the gateway shapes it; `retryAfterMs` is when trying again may help.
 */
export class SynodError extends Error {
  override readonly name = 'SynodError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly facts: ErrorFacts
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    detail: string,
    more: {
      hint?: string | undefined
      facts?: ErrorFacts
      retryAfterMs?: number | undefined
      cause?: unknown
    } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause })
    this.code = code
    this.hint = more.hint
    this.facts = more.facts ?? {}
    this.retryAfterMs = more.retryAfterMs
  }
}
