import { SynodError } from '../errors.ts'
import type { ErrorCode } from '../errors.ts'

/** What a code means to who called: the one translation between the inside and HTTP. */
export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** Whether sending the same request again may succeed and does no harm by itself. */
  readonly retryable: boolean
  /** Whether the request may have changed something although it failed. */
  readonly sideEffects: 'none' | 'possible'
}

const refused = (status: number, title: string): ProblemKind => ({
  status,
  title,
  retryable: false,
  sideEffects: 'none',
})
const later = (status: number, title: string): ProblemKind => ({
  status,
  title,
  retryable: true,
  sideEffects: 'none',
})
const unknown = (status: number, title: string): ProblemKind => ({
  status,
  title,
  retryable: false,
  sideEffects: 'possible',
})

export const PROBLEMS = {
  'malformed-request': refused(400, 'The request is not valid HTTP'),
  'malformed-json': refused(400, 'The body is not valid JSON'),
  'unknown-field': refused(400, 'The body has a field that is not known'),
  'invalid-field': refused(400, 'A field of the body has a value that does not fit'),
  'unknown-parameter': refused(400, 'The query has a parameter that is not known'),
  'invalid-parameter': refused(400, 'A parameter has a value that does not fit'),
  'invalid-offset': refused(400, 'The start position is not valid'),
  'invalid-cursor': refused(400, 'The cursor is not valid'),
  'origin-not-allowed': refused(403, 'Pages of this origin may not call'),
  'producer-fenced': refused(403, 'A newer epoch of this producer is at work'),
  'topic-not-found': refused(404, 'The topic does not exist'),
  'partition-not-found': refused(404, 'The topic has no such partition'),
  'not-found': refused(404, 'There is nothing at this address'),
  'offset-trimmed': refused(410, 'The records at this offset were trimmed'),
  'topic-deleted': refused(410, 'The topic was deleted'),
  'method-not-allowed': refused(405, 'This address has no such method'),
  'not-acceptable': refused(406, 'The answer has no such form'),
  'request-timeout': later(408, 'The request did not end in time'),
  'unsupported-media-type': refused(415, 'The body has a content type that does not fit'),
  'upgrade-required': refused(426, 'This address speaks WebSocket'),
  'headers-too-large': refused(431, 'The headers are too large'),
  'topic-config-differs': refused(409, 'The topic exists and is different'),
  'sequence-gap': refused(409, 'The producer left out a sequence number'),
  'topic-closed': refused(409, 'The topic takes no more records'),
  'not-a-replica': refused(409, 'The broker holds no replica of the partition'),
  'reassignment-in-progress': refused(409, 'The replicas are being moved already'),
  'would-lose-quorum': refused(409, 'A majority or the only copy would be lost'),
  'operation-ended': refused(409, 'The operation has ended'),
  'offset-mismatch': refused(412, 'The partition does not end at the expected offset'),
  'etag-mismatch': refused(412, 'The topic was changed since'),
  'offset-out-of-range': refused(416, 'The offset is beyond the last record'),
  'record-too-large': refused(413, 'The record is too large'),
  'batch-too-large': refused(413, 'The request is too large'),
  'invalid-config': refused(422, 'The settings do not fit'),
  'idempotency-key-reused': refused(422, 'The idempotency key was used for another request'),
  'not-enough-brokers': refused(422, 'The cluster has too few brokers'),
  'topic-full': later(507, 'The topic is full'),
  'disk-full': later(507, 'The disk is full'),
  'no-leader': later(503, 'The partition has no leader'),
  'no-quorum': later(503, 'The partition has no majority'),
  'not-enough-in-sync': later(503, 'Too few replicas are in sync'),
  overloaded: later(503, 'The broker has too much to do'),
  draining: later(503, 'The broker is about to stop'),
  internal: unknown(500, 'Something went wrong inside the broker'),
  'outcome-unknown': unknown(504, 'It is not known whether the records were stored'),
  'replica-behind': later(504, 'This replica is behind'),
  'partial-append': unknown(503, 'Some partitions stored their part and others did not'),
} as const satisfies Record<ErrorCode, ProblemKind>

/** RFC 9457, and the same object in a stream's last line and at a WebSocket's handshake. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance: string
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly sideEffects: 'none' | 'possible'
  readonly hint: string
  readonly requestId: string
  readonly retryAfterMs?: number
  readonly [fact: string]: unknown
}

/** What to try when whoever threw did not say. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  'producer-fenced':
    'Stop this producer: another one with the same Producer-Id and a higher Producer-Epoch took over.',
  'offset-trimmed': 'Read again with from=earliest, or from the logStart given here.',
  'topic-deleted': 'List what there is with GET /v1/topics.',
  'topic-not-found': 'List what there is with GET /v1/topics.',
  'topic-config-differs':
    'Compare `differences` with GET on the same address, and change the topic with PATCH.',
  'sequence-gap': 'Send the record with the sequence number of Producer-Expected-Seq next.',
  'topic-closed': 'Open it again with PATCH and {"config":{"closed":false}}.',
  'not-a-replica': 'Choose one of the replicas that GET /v1/topics/{topic} shows.',
  'reassignment-in-progress': 'Wait for it, or cancel it: GET /v1/operations lists what runs.',
  'would-lose-quorum': 'Bring the other brokers back first: GET /v1/brokers shows who is missing.',
  'operation-ended': 'Look at what it came to with GET /v1/operations/{id}.',
  'offset-mismatch': 'Read what was appended since, then send again with the Expected-Offset given here.',
  'etag-mismatch': 'GET the topic again and send its new ETag as If-Match.',
  'offset-out-of-range': 'Read again with from=latest, or from the highWatermark given here.',
  'idempotency-key-reused': 'Use a new Idempotency-Key for every new request.',
  'not-enough-brokers': 'Ask for a lower replicationFactor, or look at GET /v1/brokers.',
  'invalid-config': 'Compare with the settings that GET /v1/topics/{topic} shows.',
  'topic-full': 'Raise retentionBytes with PATCH, or read and trim.',
  'disk-full': 'Free space on the broker’s disk: see diskFreeBytes in GET /v1/brokers.',
  'not-enough-in-sync': 'Try again; GET …/partitions/{p}/paxos shows who lags.',
  overloaded: 'Try again after the time given, with fewer requests at once.',
  draining: 'Try again on another broker: GET /v1/brokers lists them.',
  'no-leader': 'Try again; GET …/partitions/{p}/paxos shows the election.',
  'no-quorum': 'Try again; GET /v1/brokers shows which brokers are missing.',
  'replica-behind': 'Try again, or ask another broker: GET /v1/brokers lists them.',
  'outcome-unknown':
    'Send it again with an Idempotency-Key from the start; without one, look with GET …/records first.',
  'partial-append':
    'Look at `results`; send again what failed, or all of it if it had an Idempotency-Key from the start.',
  internal: 'Try again; if it persists, give the requestId to who runs the brokers.',
}

const SAME_AGAIN =
  'Send the same request again: its idempotency fields make sure that nothing is stored twice.'
const DEFAULT_RETRY_AFTER_MS = 1_000

/**
 * Shapes any error. What is not a SynodError is 'internal', without a word about the inside: log it where it is caught.
 * `isIdempotent`: the request carried idempotency fields, so that sending it again is safe even if it was stored.
 */
export function toProblem(
  error: unknown,
  requestId: string,
  instance: string,
  isIdempotent = false,
): Problem {
  const known = error instanceof SynodError ? error : undefined
  const code = known?.code ?? 'internal'
  const kind: ProblemKind = PROBLEMS[code]
  const isSafeAgain = isIdempotent && kind.sideEffects === 'possible'
  const status = code === 'partial-append' ? gravestStatus(known?.facts['results']) : kind.status
  const retryAfterMs = known?.retryAfterMs ?? (status === 503 ? DEFAULT_RETRY_AFTER_MS : undefined)
  return {
    ...known?.facts,
    type: `/problems/${code}`,
    title: kind.title,
    status,
    detail: known?.message ?? 'The broker failed to answer this request.',
    instance,
    code,
    retryable: kind.retryable || isSafeAgain,
    sideEffects: kind.sideEffects,
    hint:
      known?.hint ?? (isSafeAgain ? SAME_AGAIN : (HINTS[code] ?? 'The API is described at /openapi.yaml.')),
    requestId,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** Headers that say the same as the problem, for clients that look there. */
export function problemHeaders(problem: Problem): Record<string, string> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
  }
  if (problem.retryAfterMs !== undefined)
    headers['Retry-After'] = String(Math.ceil(problem.retryAfterMs / 1000))
  if (typeof problem['expectedSeq'] === 'number')
    headers['Producer-Expected-Seq'] = String(problem['expectedSeq'])
  return headers
}

/** Which of two failures matters more: not knowing (504, 500), then not being able to, then the rest. */
export function gravity(status: number): number {
  if (status === 504) return 1_000
  if (status === 500) return 999
  if (status === 503) return 998
  return status
}

/** `results` of a partial append: a receipt or a problem each. */
function gravestStatus(results: unknown): number {
  let gravest: number = PROBLEMS['partial-append'].status
  let highest = -1
  for (const result of Array.isArray(results) ? results : []) {
    const status = statusOf(result)
    if (status === undefined || gravity(status) <= highest) continue
    highest = gravity(status)
    gravest = status
  }
  return gravest
}

function statusOf(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null || !('problem' in result)) return undefined
  const problem = result.problem
  if (typeof problem !== 'object' || problem === null || !('status' in problem)) return undefined
  return typeof problem.status === 'number' ? problem.status : undefined
}
