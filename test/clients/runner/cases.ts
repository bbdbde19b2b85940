/** What every client shows, in this order. clients/CONFORMANCE.md says what each means. */
export const CASES = [
  'create',
  'raw-bytes',
  'batch',
  'page',
  'stream',
  'subscribe',
  'resume',
  'not-found',
  'conflict',
  'too-large',
  'unavailable',
] as const

export type CaseName = (typeof CASES)[number]

export interface CaseResult {
  readonly name: CaseName
  readonly isPassed: boolean
  /** A sentence that says what went wrong. */
  readonly detail?: string | undefined
  /** Since the case before it was reported, or since the script began. */
  readonly tookMs: number
}
