import type { Replica } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation } from '../types/operation.ts'
import type { Member, PartitionPlacement } from '../types/topic.ts'
import { inProgress, noBroker } from './operation-checks.ts'
import type { EndOperation, OperationWish, RecordConfiguration, StartOperation } from './operation-schema.ts'
import type { OperationTable } from './operation-table.ts'
import type { MemberTable } from './member-table.ts'
import { refused, without, type MetadataApplied } from './outcomes.ts'
import { isOnOtherStore, isReplacement, onOtherStores, type ReplaceOperation } from './store-replacement.ts'
import type { TopicTable } from './topic-table.ts'

/** What the replacement of a store works on. */
interface ReplacementTables {
  readonly topics: TopicTable
  readonly members: MemberTable
  readonly operations: OperationTable
}

const OUTDATED = without({ kind: 'outdated' })

/** A broker runs on another store than the registered one: `begin` makes the operation, with its number of steps. */
export function startReplacement(
  { wish }: StartOperation & { readonly wish: Extract<OperationWish, { kind: 'replace-store' }> },
  { topics, members, operations }: ReplacementTables,
  begin: (stepsTotal: number) => Operation,
): MetadataApplied {
  const member = members.present(wish.broker)
  if (member === undefined) return refused(noBroker(wish.broker))
  if (member.pendingStore !== wish.store) return OUTDATED
  const other = operations.runningOn(wish.broker)
  if (other !== undefined) return refused(inProgress(`Broker ${wish.broker}`, other.id))
  const partitionCount = [...onOtherStores(topics.all(), member, wish.store)].length
  // The group of the metadata is one step more.
  return without({ kind: 'operation', operation: begin(partitionCount + 1) })
}

/** The voters of a configuration with their stores, as its leader told them. */
export function votersOf({ replicas, stores }: RecordConfiguration): readonly Replica[] | undefined {
  if (stores?.length !== replicas.length) return undefined
  return replicas.map((broker, place) => {
    const store = stores[place]
    invariant(store !== undefined, 'Each replica comes with its store.')
    return { broker, store }
  })
}

/** Counts a partition whose vote came to the new store. */
export function countReplaced(
  before: PartitionPlacement,
  after: PartitionPlacement,
  { members, operations }: ReplacementTables,
): void {
  for (const operation of operations.running()) {
    if (!isReplacement(operation)) continue
    const { broker, store } = operation.subject
    const member = members.present(broker)
    if (member === undefined) continue
    const isStep = isOnOtherStore(before, member, store) && !isOnOtherStore(after, member, store)
    if (isStep) operations.progress(operation.id, operation.stepsDone + 1)
  }
}

/** Whether the operation still gives a broker the votes of its lost store: only then it must not be called off. */
export function isWanted({ subject }: ReplaceOperation, members: MemberTable): boolean {
  return members.present(subject.broker)?.pendingStore === subject.store
}

/**
 * Every group has the new store as its voter: it is the registered one from here on. Until then groups are made with the store
 * of before as their first voter, so that all brokers make them alike, whenever they hear of them.
 */
export function endReplacement(
  { state, atMs, problem }: EndOperation,
  operation: ReplaceOperation,
  { topics, members, operations }: ReplacementTables,
): MetadataApplied {
  const { broker, store } = operation.subject
  const before = members.present(broker)
  const isDone = state === 'done'
  if (isDone && (before === undefined || before.pendingStore !== store)) return OUTDATED
  // Who proposed it may not have known of partitions that were placed on the broker meanwhile.
  if (isDone && before !== undefined && !onOtherStores(topics.all(), before, store).next().done)
    return OUTDATED
  const ended = operations.end(operation.id, { state, atMs, problem })
  const outcome = { kind: 'operation', operation: ended } as const
  if (!isDone || before === undefined) return without(outcome)
  // Left out and not undefined: a row does not tell the two apart.
  const { pendingStore: _, ...known } = before
  const member: Member = { ...known, store }
  members.put(member)
  return { outcome, events: [{ kind: 'broker-changed', broker: member }] }
}
