import { SynodError } from '../errors.ts'

export function offsetTrimmed(from: number, logStart: number): SynodError {
  return new SynodError(
    'offset-trimmed',
    `Offset ${from} is no longer held; the log starts at ${logStart}.`,
    {
      hint: `Read from ${logStart}, or from=earliest.`,
      facts: { logStart },
    },
  )
}

export function outOfRange(from: number, highWatermark: number): SynodError {
  return new SynodError('offset-out-of-range', `Offset ${from} is beyond the end ${highWatermark}.`, {
    hint: `Take ${highWatermark} or below, or latest.`,
    facts: { highWatermark },
  })
}
