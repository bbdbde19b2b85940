import type { RecoverUnsafely } from './operation-schema.ts'
import type { OperationTable } from './operation-table.ts'
import { without, type MetadataApplied, type MetadataEvent } from './outcomes.ts'
import type { TopicTable } from './topic-table.ts'
import type { Operation } from '../types/operation.ts'

/** What a recovery by force works on. */
interface RecoveryTables {
  readonly topics: TopicTable
  readonly operations: OperationTable
}

/**
 * One broker goes on alone with the partitions that it holds: an operator has said so, offline, knowing that the others are lost
 * (consensus 1.10, `unsafe-recover`). What happened to the groups has happened; here it is put on record, for everybody to see.
 */
export function recoverUnsafely(
  command: RecoverUnsafely,
  { topics, operations }: RecoveryTables,
  begin: () => Operation,
): MetadataApplied {
  const { broker, store, atMs, requestId } = command
  const operation = operations.startedBy(requestId) ?? begin()
  if (operation.state !== 'running') return without({ kind: 'outdated' })
  const events: MetadataEvent[] = []
  for (const { group, configuration } of command.groups) {
    const placement = topics.partition(group)?.placement
    if (placement === undefined || placement.configuration >= configuration) continue
    const { change } = placement
    const moving = change === undefined ? undefined : operations.get(change.operation)
    if (moving?.subject.kind === 'move-replicas' && moving.state === 'running')
      operations.end(moving.id, { state: 'failed', atMs, problem: `Broker ${broker} goes on alone.` })
    const alone = {
      ...placement,
      replicas: [broker],
      configuration,
      voters: [{ broker, store }],
      learners: [],
      change: undefined,
    }
    events.push({ kind: 'placement-changed', topic: topics.replace(alone), placement: alone })
  }
  operations.progress(operation.id, operation.stepsDone + command.groups.length)
  if (!command.isLast) return { outcome: { kind: 'carried-out' }, events }
  const ended = operations.end(operation.id, { state: 'done', atMs, problem: command.note })
  return { outcome: { kind: 'operation', operation: ended }, events }
}
