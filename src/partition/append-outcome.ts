import { SynodError } from '../errors.ts'
import type { AppliedBatch } from './record-machine.ts'

/** What became of a produce. `baseOffset` is undefined for a duplicate too old to remember where it stands. */
export interface AppendOutcome {
  readonly baseOffset: number | undefined
  readonly recordCount: number
  readonly appendedAtMs: number
  readonly duplicate: boolean
}

/** The machine's decision as a receipt, or as the error that it is. */
export function outcomeOf(result: AppliedBatch): AppendOutcome {
  switch (result.kind) {
    case 'appended':
      return {
        baseOffset: result.baseOffset,
        recordCount: result.recordCount,
        appendedAtMs: result.appendedAtMs,
        duplicate: false,
      }
    case 'duplicate':
      return {
        baseOffset: result.baseOffset,
        recordCount: result.recordCount,
        appendedAtMs: result.appendedAtMs,
        duplicate: true,
      }
    case 'fenced':
      throw new SynodError(
        'producer-fenced',
        `A producer with epoch ${result.currentEpoch} has taken over.`,
        {
          hint: 'Stop this producer, or start it anew with a higher Producer-Epoch.',
          facts: { currentEpoch: result.currentEpoch },
        },
      )
    case 'out-of-order':
      throw new SynodError(
        'sequence-gap',
        `The next Producer-Seq of this producer here is ${result.expectedSeq}.`,
        {
          hint: `Send the missing records first, from Producer-Seq ${result.expectedSeq}.`,
          facts: { expectedSeq: result.expectedSeq },
        },
      )
    case 'key-reused':
      throw new SynodError('idempotency-key-reused', 'This Idempotency-Key came with another body before.', {
        hint: 'Draw a new key for a new request; repeat a key only with the same body.',
      })
    case 'offset-mismatch':
      throw new SynodError('offset-mismatch', `The next offset is ${result.highWatermark}.`, {
        hint: `Read up to ${result.highWatermark}, then send again with Expected-Offset: ${result.highWatermark}.`,
        facts: { highWatermark: result.highWatermark },
      })
    case 'control':
      throw new SynodError('internal', 'The batch could not be read back.')
  }
}
