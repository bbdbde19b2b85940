import { setMaxListeners } from 'node:events'

import { invariant } from '../../types/invariant.ts'
import type { Topic } from '../../types/topic.ts'
import type { Freshness, Log, ReadResult } from '../ports.ts'

/** Partitions that are read at the same time for one page. */
const READ_AT_ONCE_MAX = 8

export interface TurnReads {
  readonly topic: Topic
  /** The next offset of each partition. */
  readonly places: ReadonlyMap<number, number>
  /** The partition that comes first. */
  readonly turn: number
  readonly freshnessOf: (partition: number) => Freshness | undefined
}

export interface PartitionResult {
  readonly partition: number
  readonly fromOffset: number
  readonly result: ReadResult
}

/**
 * Reads each partition once, from its place, beginning with the one whose turn it is; a few are read ahead together, so
 * `bounds` is asked before each round what there is still room for. Errors: those of the log.
 */
export async function* readInTurns(
  log: Log,
  { topic, places, turn, freshnessOf }: TurnReads,
  bounds: () => { readonly recordsMax: number; readonly bytesMax: number },
): AsyncGenerator<PartitionResult> {
  const inOrder = [...places].sort(([left], [right]) => left - right)
  const first = Math.max(
    0,
    inOrder.findIndex(([partition]) => partition >= turn),
  )
  const round = [...inOrder.slice(first), ...inOrder.slice(0, first)]
  for (let at = 0; at < round.length; at += READ_AT_ONCE_MAX) {
    const group = round.slice(at, at + READ_AT_ONCE_MAX)
    const { recordsMax, bytesMax } = bounds()
    const share = { recordsMax, bytesMax: Math.ceil(bytesMax / group.length) }
    const reads = group.map(([partition, fromOffset]) =>
      log.read({
        topic,
        partition,
        fromOffset,
        ...share,
        waitMs: 0,
        signal: undefined,
        freshness: freshnessOf(partition),
      }),
    )
    for (const [index, result] of (await Promise.all(reads)).entries()) {
      const [partition, fromOffset] = group[index]!
      yield { partition, fromOffset, result }
    }
  }
}

/**
 * Resolves when some partition has a record beyond its place, or when the time is over; also when a wait fails, since the
 * read that follows says why.
 */
export async function awaitAny(
  log: Log,
  { topic, places }: Pick<TurnReads, 'topic' | 'places'>,
  wait: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<void> {
  invariant(wait.waitMs > 0, 'Whoever waits has time.')
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, wait.signal])
  // A topic may have a thousand partitions, and each one's wait listens here.
  setMaxListeners(0, signal)
  const waits = [...places].map(([partition, fromOffset]) =>
    log.read({ topic, partition, fromOffset, recordsMax: 1, bytesMax: 1, waitMs: wait.waitMs, signal }).then(
      () => undefined,
      () => undefined,
    ),
  )
  await Promise.race(waits)
  over.abort()
}
