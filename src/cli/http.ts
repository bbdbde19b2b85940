import { CommandError, EXIT } from './exit-codes.ts'

/** Where commands find the cluster: any broker takes any request. */
export const DEFAULT_URL = 'http://127.0.0.1:8080'

/** The part of an RFC 9457 problem that commands show. */
export interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly hint?: string
  readonly code?: string
  readonly retryable?: boolean
  readonly sideEffects?: 'none' | 'possible'
  readonly retryAfterMs?: number
  /** With 'sequence-gap'. */
  readonly expectedSeq?: number
}

/** The cluster answered with an error. */
export class ProblemError extends CommandError {
  readonly status: number
  readonly problem: Problem

  constructor(status: number, problem: Problem) {
    const sentence = problem.detail ?? problem.title ?? `The cluster answered with status ${status}.`
    super(problem.retryable === true ? EXIT.tryAgain : EXIT.refused, sentence, { hint: problem.hint })
    this.status = status
    this.problem = problem
  }
}

/** No whole answer came. Whether a request was acted on is unknown. */
export class NoAnswerError extends CommandError {
  constructor(url: string, cause: unknown) {
    super(EXIT.unavailable, `No broker answers at ${url}: ${reasonOf(cause)}.`, {
      hint: 'Start a cluster with `synod dev`, or name another broker with --url.',
      cause,
    })
  }
}

export interface CallOptions {
  readonly method?: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** No answer within this counts as none; without it a call waits as long as the broker does. */
  readonly timeoutMs?: number
}

/**
 * One request; the answer's body is the caller's to read. Throws `ProblemError` when the cluster refuses and
 * `NoAnswerError` when nobody answers; an abort by `signal` is thrown as it is.
 */
export async function call(baseUrl: string, path: string, options: CallOptions = {}): Promise<Response> {
  const signals = [
    options.signal,
    options.timeoutMs === undefined ? undefined : AbortSignal.timeout(options.timeoutMs),
  ]
  const present = signals.filter((signal) => signal !== undefined)
  let response: Response
  try {
    response = await fetch(new URL(path, `${baseUrl}/`), {
      method: options.method ?? 'GET',
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(present.length === 0 ? {} : { signal: AbortSignal.any(present) }),
    })
  } catch (error) {
    if (options.signal?.aborted === true) throw error
    throw new NoAnswerError(baseUrl, error)
  }
  if (!response.ok) throw new ProblemError(response.status, await problemOf(response))
  return response
}

/** A request whose answer is JSON. The caller says what it expects; the API's own tests hold the server to it. */
export async function callJson<Answer>(
  baseUrl: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const response = await call(baseUrl, path, options)
  try {
    return (await response.json()) as Answer
  } catch (error) {
    if (options.signal?.aborted === true) throw error
    throw new NoAnswerError(baseUrl, error)
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body: unknown = JSON.parse(await response.text())
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    // Something that is not Synod answered, or the answer broke off: the status is all there is to show.
    return { title: `The answer has status ${response.status} and is not from Synod.` }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it took too long'
  const cause = error.cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND') return 'the host is not known'
  return cause instanceof Error && cause.message !== '' ? cause.message : (code ?? error.message)
}
