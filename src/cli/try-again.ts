import { setTimeout as delay } from 'node:timers/promises'
import { NoAnswerError, ProblemError } from './http.ts'

const PAUSE_MS = { first: 100, longest: 2_000 }

/**
 * Tries until it succeeds, fails for good, or `seconds` have passed. What is tried must be safe to do twice: an answer that
 * did not come may have been an answer.
 */
export async function tryAgain<Result>(seconds: number, attempt: () => Promise<Result>): Promise<Result> {
  const giveUpAtMs = performance.now() + seconds * 1_000
  for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)) {
    try {
      return await attempt()
    } catch (error) {
      if (!mayTryAgain(error) || performance.now() + pauseMs >= giveUpAtMs) throw error
    }
    await delay(pauseMs)
  }
}

function mayTryAgain(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true
  return (
    error instanceof ProblemError &&
    (error.problem.retryable === true || error.problem.sideEffects === 'possible')
  )
}
