import { SynodError, type ErrorCode } from '../../src/errors.ts'
import { PROBLEMS } from '../../src/gateway/problem.ts'

/** Nobody listens: the request never left. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused'
}

/** The broker ended with the request in its hands. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** What a client may conclude from an answer that is no success. */
export interface Refusal {
  readonly code: ErrorCode | 'refused' | 'lost'
  /** Nothing was changed, for certain: as `sideEffects` says it. */
  readonly isCertainNo: boolean
  /** Where a partition begins that was trimmed. */
  readonly logStart?: number | undefined
}

/** Throws what no client should ever be given. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ConnectionRefused) return { code: 'refused', isCertainNo: true }
  if (error instanceof ConnectionLost) return { code: 'lost', isCertainNo: false }
  if (error instanceof SynodError && error.code !== 'internal')
    return {
      code: error.code,
      isCertainNo: PROBLEMS[error.code].sideEffects === 'none',
      logStart: typeof error.facts['logStart'] === 'number' ? error.facts['logStart'] : undefined,
    }
  throw error
}
