import type { Operation, OperationSubject } from '../types/operation.ts'
import type { Member, PartitionPlacement, Topic } from '../types/topic.ts'
import { storeOnRecord } from './placement-change.ts'

/** The replacement of a broker's store as an operation names it. */
export type Replacement = Extract<OperationSubject, { kind: 'replace-store' }>

/** An operation that gives a broker's new store its votes. */
export type ReplaceOperation = Operation & { readonly subject: Replacement }

export function isReplacement(operation: Operation): operation is ReplaceOperation {
  return operation.subject.kind === 'replace-store'
}

/** The store that a broker runs on: it may still wait for the votes of the registered one. */
export function presentStore({ store, pendingStore }: Member): string {
  return pendingStore ?? store
}

/** Whether another store of the broker than this one votes in the partition, as far as that is on record. */
export function isOnOtherStore(placement: PartitionPlacement, member: Member, store: string): boolean {
  const { replicas } = placement
  return replicas.includes(member.id) && (storeOnRecord(placement, member.id) ?? member.store) !== store
}

/** Partitions in which another store of the broker has the vote, in name order. */
export function* onOtherStores(
  topics: Iterable<Topic>,
  member: Member,
  store: string,
): IterableIterator<PartitionPlacement> {
  for (const topic of topics)
    for (const placement of topic.partitions) if (isOnOtherStore(placement, member, store)) yield placement
}
