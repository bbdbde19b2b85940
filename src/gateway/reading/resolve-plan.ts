import type { Freshness, Log, StartPosition } from '../ports.ts'
import type { Topic } from '../../types/topic.ts'
import type { StartPlan } from './start-position.ts'
import type { Timers } from './timers.ts'
import { withPatience } from './retry.ts'

/** As long as a write waits for a leader; then the client is told and may ask another broker. */
const PATIENCE_MS = 1_500
/** Partitions asked at the same time: a topic may have a thousand. */
const ASKED_AT_ONCE_MAX = 32

/**
 * The next offset of each partition in the plan. Done before the answer begins, so that 'latest' means a moment before
 * the client knows that it is subscribed, and a start that is gone gets a status of its own.
 * Errors: 'offset-trimmed', 'offset-out-of-range', 'topic-deleted', 'no-leader', 'replica-behind'.
 */
export async function resolvePlan(
  log: Log,
  topic: Topic,
  plan: StartPlan,
  timers: Timers,
  freshnessOf: (partition: number) => Freshness | undefined = () => undefined,
): Promise<ReadonlyMap<number, number>> {
  const waiting = [...plan]
  const starts = new Map<number, number>(waiting.map(([partition]) => [partition, 0]))
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [partition, position] = next
      starts.set(
        partition,
        await withPatience(PATIENCE_MS, timers, () =>
          startOf(log, topic, [partition, position], freshnessOf(partition)),
        ),
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE_MAX, waiting.length) }, worker))
  return starts
}

/** An offset is tried out by reading there, which is what tells that it is trimmed or was never given. */
async function startOf(
  log: Log,
  topic: Topic,
  [partition, position]: readonly [number, StartPosition],
  freshness: Freshness | undefined,
): Promise<number> {
  if (position.kind !== 'offset') return log.resolve(topic, partition, position, freshness)
  await log.read({
    topic,
    partition,
    fromOffset: position.offset,
    recordsMax: 1,
    bytesMax: 1,
    waitMs: 0,
    signal: undefined,
    freshness,
  })
  return position.offset
}
