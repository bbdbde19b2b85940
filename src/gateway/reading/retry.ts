import { SynodError, type ErrorCode } from '../../errors.ts'
import type { Timers } from './timers.ts'

/** Reads change nothing, so these may be tried again: they pass when a leader is found or a replica has caught up. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'no-leader',
  'no-quorum',
  'replica-behind',
  'replica-damaged',
  'overloaded',
])

/** So long a subscriber of whose partitions none can be read waits for it here; another broker may do better. */
export const UNREADABLE_MS_MAX = 30_000

const RETRY_FIRST_MS = 100
const RETRY_MS_MAX = 2_000

export function isPassing(error: unknown): boolean {
  return error instanceof SynodError && PASSING.has(error.code)
}

/** The pause after the n-th failure in a row, from 1: 100 ms, doubled up to 2 s. */
export function retryDelayMs(failures: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10))
}

/** Tries again through passing errors until `patienceMs` is over; then the last error stands. */
export async function withPatience<T>(
  patienceMs: number,
  timers: Timers,
  attempt: () => Promise<T>,
): Promise<T> {
  const giveUpAtMs = timers.nowMs() + patienceMs
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      const delayMs = retryDelayMs(failures)
      if (!isPassing(error) || timers.nowMs() + delayMs > giveUpAtMs) throw error
      await new Promise<void>((resolve) => timers.after(delayMs, resolve))
    }
  }
}
