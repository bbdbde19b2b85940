import { SynodError } from '../../../errors.ts'
import { PROBLEMS, toProblem } from '../../problem.ts'
import type { RequestContext } from '../context.ts'
import type { Entry, Receipts } from './receipts.ts'

/** How an ingest ended. */
export interface Ending {
  /** Undefined: with the end of its body. */
  readonly error: unknown
  /** The log recognises what is sent again. */
  readonly isRecognised: boolean
}

/**
 * The last line of the answer: how many records have their receipts, and what went wrong. A problem names the first line without
 * a receipt; if records of lines after it are stored, or may be, it is 'partial-append' and says what became of each.
 */
export function lastLine(context: RequestContext, receipts: Receipts, ending: Ending): string {
  const accepted = receipts.takenCount
  const left = receipts.left()
  const [first] = left
  if (ending.error === undefined && first === undefined) return `{"end":true,"accepted":${accepted}}\n`
  const problemOf = (error: unknown) => toProblem(error, context.requestId, context.path, ending.isRecognised)
  const line = first === undefined ? {} : { line: first.line }
  const lastTouched = left.findLastIndex((entry, index) => index > 0 && mayBeStored(entry))
  if (first === undefined || lastTouched === -1)
    return lineOf({ problem: { ...problemOf(first?.error ?? ending.error), ...line, accepted } })
  const results = left
    .slice(0, lastTouched + 1)
    .map((entry): unknown =>
      entry.receipt === undefined
        ? { problem: problemOf(entry.error ?? ending.error) }
        : JSON.parse(entry.receipt),
    )
  const partial = new SynodError(
    'partial-append',
    `Line ${first.line} was not stored, and lines after it may be.`,
    {
      hint: 'Look at `results`, which begin with this line: send again what has a problem there, and all lines after them.',
      facts: { results },
    },
  )
  return lineOf({ problem: { ...problemOf(partial), ...line, accepted } })
}

function mayBeStored({ receipt, error }: Entry): boolean {
  if (receipt !== undefined) return true
  return error instanceof SynodError && PROBLEMS[error.code].sideEffects === 'possible'
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`
}
