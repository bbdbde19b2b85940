import type { ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { ReadResult } from '../ports.ts'
import type { ByteBudget } from './byte-budget.ts'

/** What a read brought into memory, whole batches. */
export function bytesOf(result: ReadResult): number {
  return result.batches.reduce((sum, batch) => sum + batch.byteLength, 0)
}

/**
 * Counts what an answer holds against the budget of all answers: a client that asks and does not read must cost its place,
 * not the broker's memory. Errors: 'overloaded' when there is no room; nothing is taken then.
 */
export function takeBytes(answers: ByteBudget, byteCount: number): void {
  if (answers.take(byteCount)) return
  throw new SynodError('overloaded', `All ${answers.bytesMax} bytes for answers under way are taken.`)
}

/** As `takeBytes`; the bytes are given back when the answer has left or the client is gone. */
export function holdUntilSent(answers: ByteBudget, response: ServerResponse, byteCount: number): void {
  takeBytes(answers, byteCount)
  response.once('close', () => answers.give(byteCount))
}
