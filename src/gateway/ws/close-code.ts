import type { ErrorCode } from '../../errors.ts'
import { SynodError } from '../../errors.ts'
import { PROBLEMS } from '../problem.ts'

/**
 * Close codes: 4100-4199 ask to reconnect with backoff, 4500-4599 not to.
 *
 * GOING_AWAY: the broker stops, and said `moving` before. STOPPING: it stops, and whoever is closed could not be told.
 * TRY_LATER: there is no room for what the client sends. FAILED: trying again may help. SILENT: nothing came from the client and
 * nothing left for it. NO_QUORUM: this broker finds no majority to read from. FENCED: another instance of a producer took over.
 * ENDED: trying again does not help (the topic was deleted, the offset is trimmed).
 */
export const CLOSE_CODE = {
  GOING_AWAY: 1001,
  STOPPING: 1012,
  TRY_LATER: 1013,
  FAILED: 4100,
  SILENT: 4101,
  NO_QUORUM: 4102,
  BAD_FRAME: 4500,
  SUBPROTOCOL: 4504,
  TOO_MANY_SUBSCRIPTIONS: 4505,
  FENCED: 4506,
  ENDED: 4507,
} as const

/** Each code and when it comes, for the document. Those below 4000 that are not the broker's own choice are not in it. */
export const CLOSE_REASONS: Readonly<Record<keyof typeof CLOSE_CODE, string>> = {
  GOING_AWAY: 'the broker stops and said `moving` before: go on at another one at once',
  STOPPING: 'the broker stops and could not say so before: go on at another one',
  TRY_LATER: 'the broker has no room for what comes: connect again with backoff, best at another one',
  FAILED: 'something went wrong: connect again with backoff',
  SILENT: 'nothing came and nothing left for 40 s: connect again with backoff',
  NO_QUORUM:
    'for 30 s nothing could be read for want of a majority: connect again with backoff, best at another broker',
  BAD_FRAME: 'what came is no frame: do not connect again as before',
  SUBPROTOCOL: 'no subprotocol that was offered is known: do not connect again as before',
  TOO_MANY_SUBSCRIPTIONS: 'more subscriptions than `welcome` allows: open another session for them',
  FENCED: 'another instance took a producer of this session over with a newer epoch: stop',
  ENDED: 'the one subscription of the simple form has ended for good: do not connect again as before',
}

/** Another broker may reach the majority that this one does not. */
const LEADERLESS: ReadonlySet<ErrorCode> = new Set(['no-leader', 'no-quorum', 'replica-behind'])

export function findsNoQuorum(error: unknown): boolean {
  return error instanceof SynodError && LEADERLESS.has(error.code)
}

/** With what to close the simple form after its one subscription failed. */
export function closeCodeOf(error: unknown): number {
  if (!(error instanceof SynodError)) return CLOSE_CODE.FAILED
  if (findsNoQuorum(error)) return CLOSE_CODE.NO_QUORUM
  if (error.code === 'draining') return CLOSE_CODE.STOPPING
  if (error.code === 'overloaded') return CLOSE_CODE.TRY_LATER
  if (error.code === 'internal') return CLOSE_CODE.FAILED
  return PROBLEMS[error.code].retryable ? CLOSE_CODE.FAILED : CLOSE_CODE.ENDED
}
