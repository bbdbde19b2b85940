/** RFC 9457, as every broker answers errors. */
export interface Problem {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly hint: string
  readonly retryable: boolean
  /** 'possible': something may have been stored although the request failed. */
  readonly sideEffects: 'none' | 'possible'
  readonly requestId: string
  readonly retryAfterMs?: number
  readonly [fact: string]: unknown
}

/** A broker answered with an error. */
export class SynodProblem extends Error {
  override readonly name = 'SynodProblem'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(`${problem.code}: ${problem.detail} ${problem.hint}`)
    this.problem = problem
  }

  get code(): string {
    return this.problem.code
  }
}

/** No answer came: the request may or may not have reached a broker, unless `cause` tells. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** Reads what a broker, or something between, answered with an error status. */
export async function problemOf(response: Response): Promise<SynodProblem> {
  const body = await response.text().catch(() => '')
  try {
    const parsed = JSON.parse(body) as unknown
    if (isProblem(parsed)) return new SynodProblem(parsed)
  } catch {
    // A proxy's page is no problem document; its status is all there is to know.
  }
  return new SynodProblem({
    code: 'unexpected-answer',
    status: response.status,
    title: 'Something else than a broker answered',
    detail: `${response.url} answered ${response.status}.`,
    hint: 'Check the address of the broker.',
    retryable: response.status === 502 || response.status === 503 || response.status === 504,
    sideEffects: 'possible',
    requestId: '',
  })
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'
}
