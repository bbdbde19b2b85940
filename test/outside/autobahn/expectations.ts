/** As drive.py says it. */
export interface Verdict {
  readonly case: string
  readonly behavior: string
  readonly close: string
  readonly code: number | null
}

interface Expectation {
  readonly kind: 'passed' | 'explained' | 'failed'
  /** Empty unless explained. */
  readonly reason: string
}

interface Explanation {
  readonly reason: string
  readonly isFor: (name: string) => boolean
  readonly behavior: string
  readonly code: number
}

/** NON-STRICT is conformant, INFORMATIONAL is of what the standard leaves open. */
const GOOD: ReadonlySet<string> = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL'])

/** What does not pass because a broker decides so, and the close code that says it. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    reason: 'compression is not offered: it would cost memory for each subscriber',
    isFor: (name) => /^1[23]\./.test(name),
    behavior: 'UNIMPLEMENTED',
    code: 1000,
  },
  {
    reason: 'messages of 8 and 16 MiB are longer than a frame of a session may be (5 MiB)',
    isFor: (name) => /^9\.[12]\.[56]$/.test(name),
    behavior: 'FAILED',
    code: 1009,
  },
  {
    reason: 'messages of more than 128 fragments are refused: each would cost memory beyond its bytes',
    isFor: (name) => /^9\.[34]\.[1-5]$/.test(name),
    behavior: 'FAILED',
    code: 1008,
  },
]

/** Passed, or not passed for a reason that is a decision of the broker, or failed. */
export function expectationOf({ case: name, behavior, close, code }: Verdict): Expectation {
  if (GOOD.has(behavior) && GOOD.has(close)) return { kind: 'passed', reason: '' }
  const explanation = EXPLANATIONS.find(
    (each) => each.isFor(name) && each.behavior === behavior && each.code === code,
  )
  if (explanation !== undefined) return { kind: 'explained', reason: explanation.reason }
  return { kind: 'failed', reason: '' }
}
