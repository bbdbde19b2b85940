import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { Topic } from '../../types/topic.ts'
import type { Ports } from '../ports.ts'
import { resolvePlan } from '../reading/resolve-plan.ts'
import { CURSOR_PREFIX, type StartPlan } from '../reading/start-position.ts'
import { findTarget } from '../reading/target.ts'
import type { Timers } from '../reading/timers.ts'

/** Where a subscription begins. */
export interface SessionStart {
  readonly topic: Topic
  readonly isWholeTopic: boolean
  readonly starts: ReadonlyMap<number, number>
  /** Records that a cursor had before it and that are trimmed. */
  readonly lostCount: number
}

export interface StartRequest {
  readonly topicName: string
  readonly partitions: readonly number[] | undefined
  readonly from: string | undefined
  readonly cursor: string | undefined
  readonly host: string
}

export interface StartPorts {
  readonly ports: Pick<Ports, 'log' | 'topics'>
  readonly timers: Timers
}

/**
 * Finds the topic and the first offset of each partition. An offset that was named and is gone is an error; one of a cursor
 * is not, since a reader that goes on is to be told how much it lost and to go on. Errors: those of `findTarget` and of
 * `resolvePlan`, 'offset-trimmed' without a cursor only.
 */
export async function findStart({ ports, timers }: StartPorts, request: StartRequest): Promise<SessionStart> {
  const { cursor, from } = request
  if (cursor !== undefined && from !== undefined)
    throw new SynodError('invalid-field', 'A start has both `from` and `cursor`.', {
      hint: 'Give one of the two.',
    })
  const target = await findTarget(ports.topics, {
    topicName: request.topicName,
    partition: undefined,
    partitions: request.partitions,
    from: cursor === undefined ? from : `${CURSOR_PREFIX}${cursor}`,
    fallback: 'latest',
    host: request.host,
  })
  const { topic, plan, isWholeTopic } = target
  const canLose = cursor !== undefined || from?.startsWith(CURSOR_PREFIX) === true
  const found = canLose
    ? await startsAfterLoss({ ports, timers }, topic, plan)
    : { starts: await resolvePlan(ports.log, topic, plan, timers), lostCount: 0 }
  return { topic, isWholeTopic, ...found }
}

/** The same places, or where the log begins now in partitions of which the next records are trimmed. */
export async function startsAfterLoss(
  { ports, timers }: StartPorts,
  topic: Topic,
  plan: StartPlan,
): Promise<{ readonly starts: ReadonlyMap<number, number>; readonly lostCount: number }> {
  const starts = new Map<number, number>()
  let lostCount = 0
  // Most often nothing is lost, and all partitions are asked together; then it is one after the other.
  try {
    return { starts: await resolvePlan(ports.log, topic, plan, timers), lostCount }
  } catch (error) {
    if (trimmedTo(error) === undefined) throw error
  }
  for (const [partition, position] of plan) {
    invariant(position.kind === 'offset', 'A cursor holds offsets.')
    try {
      const found = await resolvePlan(ports.log, topic, new Map([[partition, position]]), timers)
      starts.set(partition, found.get(partition) ?? position.offset)
    } catch (error) {
      const logStart = trimmedTo(error)
      if (logStart === undefined || logStart <= position.offset) throw error
      starts.set(partition, logStart)
      lostCount += logStart - position.offset
    }
  }
  return { starts, lostCount }
}

/** The first offset that is still there, if that is what the error says. */
export function trimmedTo(error: unknown): number | undefined {
  if (!(error instanceof SynodError) || error.code !== 'offset-trimmed') return undefined
  const logStart = error.facts['logStart']
  return typeof logStart === 'number' ? logStart : undefined
}
