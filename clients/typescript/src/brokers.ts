import { NoAnswer, problemOf, SynodProblem } from './problem.ts'

const BACKOFF_FIRST_MS = 100
const BACKOFF_MS_MAX = 5_000

export interface BrokerRequest {
  readonly method: string
  /** From '/v1/…' on, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer>
  /**
   * Sending it twice does no harm: it only reads, or carries what lets the brokers recognise it. Only then is it sent
   * again when its first outcome is not known.
   */
  readonly isRepeatable: boolean
  /** 'stream': the body is left to be read, and may have no end; the times below end with its head. */
  readonly bodyForm?: 'whole' | 'stream'
  /** All tries together. */
  readonly timeoutMs: number
  /** How often it is sent at most; as often as the time allows if left out. */
  readonly triesMax?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** Any broker takes any request, so a client asks one of them and goes on to the next when that does not help. */
export class Brokers {
  readonly #urls: readonly string[]
  readonly #fetch: typeof fetch
  /** One try; longer than a broker takes to say that it does not know. */
  readonly #tryMs: number
  #at = 0

  constructor(
    urls: string | readonly string[],
    options: { readonly fetch?: typeof fetch | undefined; readonly tryMs?: number | undefined } = {},
  ) {
    this.#urls = (typeof urls === 'string' ? [urls] : urls).map((url) => url.replace(/\/+$/, ''))
    if (this.#urls.length === 0) throw new TypeError('A client needs the URL of at least one broker.')
    for (const url of this.#urls) {
      if (!/^https?:\/\//.test(url))
        throw new TypeError(`'${url}' is not the URL of a broker, like http://localhost:8080.`)
    }
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#tryMs = options.tryMs ?? 10_000
  }

  /** The one that is asked next. */
  get current(): string {
    return this.#urls[this.#at] as string
  }

  moveOn(): void {
    this.#at = (this.#at + 1) % this.#urls.length
  }

  /** The answer of a broker, with a status below 400. Rejects with SynodProblem, NoAnswer, or the signal's reason. */
  async request(request: BrokerRequest): Promise<Response> {
    const giveUpAtMs = Date.now() + request.timeoutMs
    let mayHaveHappened = false
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(request, giveUpAtMs - Date.now())
      } catch (error) {
        request.signal?.throwIfAborted()
        mayHaveHappened ||= isUnclear(error)
        // Also before giving up: the next call is not to begin at a broker that did not help this one.
        if (isUnclear(error) || (error instanceof SynodProblem && error.problem.retryable)) this.moveOn()
        const pauseMs = Math.max(backoffMs(failures), retryAfterMsOf(error))
        const isOver = failures === request.triesMax || Date.now() + pauseMs > giveUpAtMs
        if (isOver || !mayRepeat(error, request.isRepeatable))
          throw mayHaveHappened ? asUnclear(error) : error
        await pause(pauseMs, request.signal)
      }
    }
  }

  async #once(request: BrokerRequest, leftMs: number): Promise<Response> {
    const { signal } = request
    signal?.throwIfAborted()
    const abort = new AbortController()
    const onAbort = (): void => abort.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    const timer = setTimeout(
      () => abort.abort(new Error('No answer in time.')),
      Math.max(1, Math.min(this.#tryMs, leftMs)),
    )
    try {
      const response = await this.#answer(request, abort.signal)
      if (response.status >= 400) throw await problemOf(response)
      if (request.bodyForm === 'stream') return response
      // The body is read within the same time, so that what comes out is whole.
      const body = response.status === 204 ? null : await response.arrayBuffer().catch(noAnswer(this.current))
      return new Response(body, { status: response.status, headers: response.headers })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #answer(request: BrokerRequest, signal: AbortSignal): Promise<Response> {
    const { method, path, headers = {}, body } = request
    const init: RequestInit = {
      method,
      headers: { ...headers },
      signal,
      ...(body === undefined ? {} : { body }),
    }
    return this.#fetch(this.current + path, init).catch(noAnswer(this.current))
  }
}

function noAnswer(url: string): (cause: unknown) => never {
  return (cause) => {
    throw new NoAnswer(`${url} did not answer.`, { cause })
  }
}

function isUnclear(error: unknown): boolean {
  return !(error instanceof SynodProblem) || error.problem.sideEffects === 'possible'
}

/** What the last try says of itself does not hold for the tries before it. */
function asUnclear(error: unknown): unknown {
  if (!(error instanceof SynodProblem)) return error
  return new SynodProblem({ ...error.problem, sideEffects: 'possible' })
}

/** Exactly when the brokers say so, or when nobody said anything and it does no harm. */
function mayRepeat(error: unknown, isRepeatable: boolean): boolean {
  if (error instanceof NoAnswer) return isRepeatable
  if (!(error instanceof SynodProblem)) return false
  const { retryable, code, sideEffects } = error.problem
  if (code === 'outcome-unknown' || sideEffects === 'possible')
    return isRepeatable && (retryable || code === 'outcome-unknown')
  return retryable
}

function retryAfterMsOf(error: unknown): number {
  const wantedMs = error instanceof SynodProblem ? error.problem.retryAfterMs : undefined
  return Math.min(wantedMs ?? 0, BACKOFF_MS_MAX)
}

/** The pause after the n-th failure in a row, from 1: doubled each time, half of it by chance. */
export function backoffMs(failures: number): number {
  const fullMs = Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 10))
  return fullMs / 2 + (Math.random() * fullMs) / 2
}

/** Rejects with the signal's reason when it aborts. */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
