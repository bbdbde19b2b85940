import type { BrokerId } from '../types/ids.ts'
import { unreachable } from '../types/invariant.ts'
import type { Operation, OperationSubject } from '../types/operation.ts'
import type { PartitionPlacement } from '../types/topic.ts'
import type { MemberTable } from './member-table.ts'
import { inProgress, leavingProblem, noBroker, targetProblem } from './operation-checks.ts'
import type {
  AbandonChange,
  CancelOperation,
  ChangeReplicas,
  EndOperation,
  OperationCommand,
  OperationWish,
  RecordConfiguration,
  RecoverUnsafely,
  StartOperation,
  SwitchReplicas,
} from './operation-schema.ts'
import { OPERATIONS_RUNNING_MAX, type OperationTable } from './operation-table.ts'
import { refused, without, type MetadataApplied, type MetadataEvent } from './outcomes.ts'
import { beginChange, callOff, recordConfiguration, sameBrokers, switchOver } from './placement-change.ts'
import { recoverUnsafely } from './recovery-commands.ts'
import {
  countReplaced,
  endReplacement,
  isWanted,
  startReplacement,
  votersOf,
} from './replacement-commands.ts'
import { isReplacement } from './store-replacement.ts'
import type { TopicTable } from './topic-table.ts'

/** What the commands of operations work on. */
export interface OperationTables {
  readonly topics: TopicTable
  readonly members: MemberTable
  readonly operations: OperationTable
  /** The id of a new operation: counted up, never used again. */
  nextOperation(): string
}

/** Moving a partition has two steps: the new replicas have caught up, and the configuration is recorded. */
const MOVE_STEPS = 2
const OUTDATED = without({ kind: 'outdated' })

/** Applies a command about operations; a part of the metadata, as deterministic as all of it. */
export function applyOperationCommand(command: OperationCommand, tables: OperationTables): MetadataApplied {
  switch (command.kind) {
    case 'startOperation':
      return start(command, tables)
    case 'changeReplicas':
      return change(command, tables)
    case 'abandonChange':
      return abandon(command, tables)
    case 'switchReplicas':
      return switchReplicas(command, tables)
    case 'recordConfiguration':
      return record(command, tables)
    case 'cancelOperation':
      return cancel(command, tables)
    case 'endOperation':
      return end(command, tables)
    case 'activateBroker':
      return activate(command.broker, tables)
    case 'recoverUnsafely':
      return recoverUnsafely(command, tables, () => beginRecovery(command, tables))
    default:
      return unreachable(command)
  }
}

function start(command: StartOperation, tables: OperationTables): MetadataApplied {
  const { operations } = tables
  const before = operations.startedBy(command.requestId)
  if (before !== undefined) return without({ kind: 'operation', operation: before })
  if (operations.running().length >= OPERATIONS_RUNNING_MAX) {
    const detail = `${OPERATIONS_RUNNING_MAX} operations run already.`
    return refused({ code: 'overloaded', detail, hint: 'Wait for some of them: GET /v1/operations.' })
  }
  const { wish } = command
  if (wish.kind === 'move-replicas') return startMove(command, wish, tables)
  if (wish.kind === 'replace-store')
    return startReplacement({ ...command, wish }, tables, (steps) => begin(command, wish, steps, tables))
  return startOnBroker(command, wish, tables)
}

function startMove(
  command: StartOperation,
  wish: Extract<OperationWish, { kind: 'move-replicas' }>,
  tables: OperationTables,
): MetadataApplied {
  const topic = tables.topics.get(wish.topic)?.topic
  const placement = topic?.partitions[wish.partition]
  if (topic === undefined || topic.id !== wish.topicId || placement === undefined)
    return without({ kind: 'not-found', name: wish.topic })
  if (placement.change !== undefined)
    return refused(inProgress(`Partition ${wish.partition} of '${topic.name}'`, placement.change.operation))
  const problem = targetProblem(wish.target, topic, tables.members)
  if (problem !== undefined) return refused(problem)
  const subject = { ...wish, topicId: topic.id, group: placement.group }
  const operation = begin(command, subject, MOVE_STEPS, tables)
  const events = [replace(beginChange(placement, operation.id, wish.target), tables)]
  if (!sameBrokers(placement.replicas, wish.target))
    return { outcome: { kind: 'operation', operation }, events }
  const ended = tables.operations.end(operation.id, { state: 'done', atMs: command.startedAtMs })
  return { outcome: { kind: 'operation', operation: ended }, events }
}

function startOnBroker(
  command: StartOperation,
  wish: Exclude<OperationWish, { kind: 'move-replicas' | 'replace-store' }>,
  tables: OperationTables,
): MetadataApplied {
  const { members, operations, topics } = tables
  const { broker } = wish
  const member = members.present(broker)
  if (member === undefined) return refused(noBroker(broker))
  const other = operations.runningOn(broker)
  const isSuperseded = wish.kind === 'remove-broker' && other?.subject.kind !== 'remove-broker'
  if (other !== undefined && !isSuperseded) return refused(inProgress(`Broker ${broker}`, other.id))
  const problem = leavingProblem(broker, wish.kind === 'remove-broker' && wish.isForced, tables)
  // Who repairs does what can be done; who is asked says beforehand that it cannot.
  if (problem !== undefined && wish.kind !== 'repair-broker') return refused(problem)
  if (other !== undefined) {
    const reason = `Broker ${broker} is removed instead.`
    operations.end(other.id, { state: 'cancelled', atMs: command.startedAtMs, problem: reason })
  }
  const ownSteps = wish.kind === 'remove-broker' ? 1 : 0
  const operation = begin(command, wish, topics.load(broker).replicaCount + ownSteps, tables)
  if (wish.kind === 'repair-broker') return without({ kind: 'operation', operation })
  const drained = members.become(broker, 'draining')
  return {
    outcome: { kind: 'operation', operation },
    events: [{ kind: 'broker-changed', broker: drained }],
  }
}

function begin(
  { requestId, startedAtMs }: Pick<StartOperation, 'requestId' | 'startedAtMs'>,
  subject: OperationSubject,
  stepsTotal: number,
  tables: OperationTables,
): Operation {
  const operation: Operation = {
    id: tables.nextOperation(),
    subject,
    state: 'running',
    stepsDone: 0,
    stepsTotal,
    startedAtMs,
    endedAtMs: undefined,
    problem: undefined,
  }
  tables.operations.start({ operation, startedBy: requestId })
  return operation
}

function beginRecovery(command: RecoverUnsafely, tables: OperationTables): Operation {
  const { requestId, atMs, broker, store, groupCount } = command
  const subject = { kind: 'unsafe-recover', broker, store } as const
  return begin({ requestId, startedAtMs: atMs }, subject, groupCount, tables)
}

function change(command: ChangeReplicas, tables: OperationTables): MetadataApplied {
  const found = tables.topics.partition(command.group)
  if (found === undefined || tables.operations.get(command.operation)?.state !== 'running') return OUTDATED
  const { placement } = found
  if (placement.change !== undefined || placement.configuration !== command.configuration) return OUTDATED
  const added = command.target.filter((broker) => !placement.replicas.includes(broker))
  if (added.some((broker) => tables.members.get(broker)?.membership !== 'active')) return OUTDATED
  return carriedOut(replace(beginChange(placement, command.operation, command.target), tables))
}

function abandon(command: AbandonChange, tables: OperationTables): MetadataApplied {
  const placement = tables.topics.partition(command.group)?.placement
  if (placement?.change?.operation !== command.operation || placement.change.phase !== 'learning')
    return OUTDATED
  // A move that was asked for by itself has no other brokers to go to: it waits for these, or is cancelled.
  if (tables.operations.get(command.operation)?.subject.kind === 'move-replicas') return OUTDATED
  return carriedOut(replace(callOff(placement)!, tables))
}

function switchReplicas(command: SwitchReplicas, tables: OperationTables): MetadataApplied {
  const placement = tables.topics.partition(command.group)?.placement
  if (placement?.change?.operation !== command.operation || placement.change.phase !== 'learning')
    return OUTDATED
  if (tables.operations.get(command.operation)?.subject.kind === 'move-replicas')
    tables.operations.progress(command.operation, MOVE_STEPS - 1)
  return carriedOut(replace(switchOver(placement), tables))
}

function record(command: RecordConfiguration, tables: OperationTables): MetadataApplied {
  const placement = tables.topics.partition(command.group)?.placement
  if (placement === undefined || command.number <= placement.configuration) return OUTDATED
  if (command.replicas.some((broker) => tables.members.get(broker) === undefined)) return OUTDATED
  const after = recordConfiguration(placement, command.number, command.replicas, votersOf(command))
  const event = replace(after, tables)
  countReplaced(placement, after, tables)
  if (placement.change !== undefined && after.change === undefined)
    endMove(placement.change.operation, after, command.atMs, tables)
  for (const { id, subject, stepsTotal } of tables.operations.running()) {
    if (!isLeaving(subject)) continue
    const ownSteps = subject.kind === 'remove-broker' ? 1 : 0
    const left = tables.topics.load(subject.broker).replicaCount + ownSteps
    tables.operations.progress(id, stepsTotal - left)
  }
  return carriedOut(event)
}

/** A move that was turned round has come to the replicas of before. */
function endMove(id: string, after: PartitionPlacement, atMs: number, tables: OperationTables): void {
  const operation = tables.operations.get(id)
  if (operation?.state !== 'running' || operation.subject.kind !== 'move-replicas') return
  const isThere = sameBrokers(after.replicas, operation.subject.target)
  tables.operations.end(id, { state: isThere ? 'done' : 'cancelled', atMs })
}

function cancel(command: CancelOperation, tables: OperationTables): MetadataApplied {
  const { operations, members, topics } = tables
  const operation = operations.get(command.operation)
  if (operation === undefined) {
    const detail = `There is no operation '${command.operation}'.`
    return refused({ code: 'not-found', detail, hint: 'List them with GET /v1/operations.' })
  }
  if (operation.state !== 'running') {
    const detail = `Operation ${operation.id} is ${operation.state}.`
    return refused({ code: 'operation-ended', detail, hint: undefined })
  }
  if (isReplacement(operation) && isWanted(operation, members)) {
    const { broker } = operation.subject
    const detail = `Operation ${operation.id} gives broker ${broker} the votes of the store that it lost.`
    const hint = `Remove the broker instead: DELETE /v1/brokers/${broker}?force=true`
    return refused({ code: 'reassignment-in-progress', detail, hint })
  }
  const events: MetadataEvent[] = []
  for (const placement of topics.changing()) {
    if (placement.change?.operation !== operation.id) continue
    // What switches on behalf of a broker is let through; a move that was asked for by itself turns round.
    if (placement.change.phase === 'switching' && operation.subject.kind !== 'move-replicas') continue
    const after = callOff(placement)
    if (after !== undefined) events.push(replace(after, tables))
  }
  const isTurning = topics.changing().some(({ change }) => change?.operation === operation.id)
  if (operation.subject.kind === 'move-replicas' && isTurning)
    return { outcome: { kind: 'operation', operation }, events }
  const ended = operations.end(operation.id, { state: 'cancelled', atMs: command.atMs })
  events.push(...backToActive(ended, members))
  return { outcome: { kind: 'operation', operation: ended }, events }
}

function end(command: EndOperation, tables: OperationTables): MetadataApplied {
  const { operations, members, topics } = tables
  const operation = operations.get(command.operation)
  if (operation?.state !== 'running') return OUTDATED
  if (isReplacement(operation)) return endReplacement(command, operation, tables)
  const { subject } = operation
  const isOnBroker = subject.kind !== 'move-replicas'
  // Who proposed it may not have known of replicas that were placed on the broker meanwhile.
  if (command.state === 'done' && isOnBroker && topics.load(subject.broker).replicaCount > 0) return OUTDATED
  const { state, atMs, problem } = command
  const ended = operations.end(operation.id, { state, atMs, problem })
  const outcome = { kind: 'operation', operation: ended } as const
  if (state === 'failed') return { outcome, events: backToActive(ended, members) }
  if (subject.kind !== 'remove-broker') return without(outcome)
  const broker = members.become(subject.broker, 'removed')
  return { outcome, events: [{ kind: 'broker-removed', broker }] }
}

function activate(broker: BrokerId, { members, operations }: OperationTables): MetadataApplied {
  const member = members.present(broker)
  if (member === undefined) return refused(noBroker(broker))
  const running = operations.runningOn(broker)
  if (running !== undefined) return refused(inProgress(`Broker ${broker}`, running.id))
  if (member.membership === 'active') return without({ kind: 'carried-out' })
  return carriedOut({ kind: 'broker-changed', broker: members.become(broker, 'active') })
}

/** Replicas leave a broker: its steps are the replicas that are left. */
function isLeaving(
  subject: OperationSubject,
): subject is Extract<OperationSubject, { kind: 'drain-broker' | 'remove-broker' | 'repair-broker' }> {
  const { kind } = subject
  return kind === 'drain-broker' || kind === 'remove-broker' || kind === 'repair-broker'
}

/** A broker that is not drained or removed after all may get replicas again. */
function backToActive({ subject }: Operation, members: MemberTable): MetadataEvent[] {
  if (subject.kind !== 'drain-broker' && subject.kind !== 'remove-broker') return []
  return [{ kind: 'broker-changed', broker: members.become(subject.broker, 'active') }]
}

function replace(placement: PartitionPlacement, tables: OperationTables): MetadataEvent {
  const topic = tables.topics.replace(placement)
  return { kind: 'placement-changed', topic, placement }
}

function carriedOut(event: MetadataEvent): MetadataApplied {
  return { outcome: { kind: 'carried-out' }, events: [event] }
}
