import type { ErrorCode } from '../../errors.ts'
import type { ProblemText } from './problem-text.ts'
import { REQUEST_PROBLEMS } from './request-problems.ts'
import { STATE_PROBLEMS } from './state-problems.ts'

/** One for each code: the compiler wants them all, and a test asks for each page. */
export const PROBLEM_TEXTS: Readonly<Record<ErrorCode, ProblemText>> = {
  ...REQUEST_PROBLEMS,
  ...STATE_PROBLEMS,
}
