import { SynodError, type ErrorCode } from '../errors.ts'
import { outOfRange } from './offset-errors.ts'
import type { Partition } from './partition.ts'

/** How new an answer has to be (api, 'Read, stateless'). */
export interface Freshness {
  readonly consistency: 'local' | 'leader' | 'linearizable'
  /** Whoever answers has the record at this offset. */
  readonly afterOffset?: number | undefined
}

/** The same as it is asked of a leader. */
export interface LeaderFreshness {
  /** Only once a quorum has confirmed that nobody else leads. */
  readonly linearizable?: boolean | undefined
  readonly afterOffset?: number | undefined
}

/** Nobody leads, or nobody can tell. */
const LEADERLESS: ReadonlySet<ErrorCode> = new Set(['no-leader', 'no-quorum'])

export function isLeaderless(error: unknown): boolean {
  return error instanceof SynodError && LEADERLESS.has(error.code)
}

/** The high watermark that an answer must have at least: it begins at `fromOffset`, and knows what was asked of it. */
export function neededEnd(fromOffset: number, freshness: LeaderFreshness | undefined): number {
  return Math.max(fromOffset, (freshness?.afterOffset ?? -1) + 1)
}

/** Whether this broker's own replica may answer: what it has must do, and it is not known to be beyond MaxLag. */
export function maySuffice(partition: Partition, needed: number, freshness: Freshness | undefined): boolean {
  const isLocal = freshness === undefined || freshness.consistency === 'local'
  return isLocal && needed <= partition.highWatermark && !partition.isBeyondMaxLag
}

/**
 * At the leader: returns when it may answer. A quorum confirms that nobody else leads and has more, and that nothing that was
 * taken over is still undecided, before an offset is called out of range. Errors: 'offset-out-of-range', 'no-leader',
 * 'no-quorum'.
 */
export async function makeSure(partition: Partition, needed: number, isLinearizable: boolean): Promise<void> {
  if (!isLinearizable && needed <= partition.highWatermark) return
  await partition.replica.readBarrier()
  if (needed > partition.highWatermark) throw outOfRange(needed, partition.highWatermark)
}

/** What somebody read or wrote elsewhere is not here yet, and no leader can be asked for it. */
export function replicaBehind(afterOffset: number, cause: unknown): SynodError {
  return new SynodError(
    'replica-behind',
    `This broker does not have the record at offset ${afterOffset} yet, and no leader can be asked.`,
    { hint: 'Try again in a moment, or ask another broker.', retryAfterMs: 1_000, cause },
  )
}
