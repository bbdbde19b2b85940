import type { GroupId, TopicId } from '../types/ids.ts'
import type { Operation } from '../types/operation.ts'
import type { Member, PartitionPlacement, Topic } from '../types/topic.ts'
import type { ErrorCode } from '../errors.ts'
import type { Difference } from './topic-config.ts'

/** A command that changed nothing, with what to tell whoever sent it. */
export interface Refused {
  readonly kind: 'refused'
  readonly code: ErrorCode
  readonly detail: string
  readonly hint: string | undefined
}

/**
 * What a command came to. 'created' and 'altered' are told again for a command that comes twice, without events.
 * 'control': the entry holds no command.
 */
export type MetadataOutcome =
  | { readonly kind: 'control' }
  | Refused
  | { readonly kind: 'formed'; readonly clusterId: string }
  | { readonly kind: 'already-formed'; readonly clusterId: string }
  | { readonly kind: 'registered'; readonly broker: Member }
  | { readonly kind: 'store-differs'; readonly registered: Member }
  /** The broker was removed; it may come back with a new store only. */
  | { readonly kind: 'removed'; readonly registered: Member }
  | { readonly kind: 'created'; readonly topic: Topic }
  | { readonly kind: 'exists-same'; readonly topic: Topic }
  | { readonly kind: 'exists-different'; readonly topic: Topic; readonly differences: readonly Difference[] }
  | { readonly kind: 'altered'; readonly topic: Topic }
  | { readonly kind: 'unchanged'; readonly topic: Topic }
  /** A create or alter that took place before, of a topic that was changed or deleted since; it does nothing any more. */
  | { readonly kind: 'repeated'; readonly topicId: TopicId; readonly created: boolean }
  /** The number of partitions is not the one that the new ones were placed for. */
  | { readonly kind: 'partitions-differ'; readonly topic: Topic }
  | { readonly kind: 'deleted'; readonly topic: Topic }
  | { readonly kind: 'not-found'; readonly name: string }
  | { readonly kind: 'etag-mismatch'; readonly topic: Topic }
  /** As it is after the command. */
  | { readonly kind: 'operation'; readonly operation: Operation }
  | { readonly kind: 'carried-out' }
  /** What the command was proposed for is no longer so; nothing changed. */
  | { readonly kind: 'outdated' }

/** What a broker has to do because of a command; `topic` is as it is after it (before it, when it was deleted). */
export type MetadataEvent =
  | { readonly kind: 'cluster-formed'; readonly clusterId: string }
  | { readonly kind: 'broker-changed'; readonly broker: Member }
  | { readonly kind: 'broker-removed'; readonly broker: Member }
  | {
      readonly kind: 'partitions-created'
      readonly topic: Topic
      readonly placements: readonly PartitionPlacement[]
    }
  /** Replicas begin to learn, became voters, or are no longer needed. */
  | { readonly kind: 'placement-changed'; readonly topic: Topic; readonly placement: PartitionPlacement }
  | { readonly kind: 'topic-altered'; readonly topic: Topic }
  | { readonly kind: 'topic-deleted'; readonly topic: Topic; readonly groups: readonly GroupId[] }

/** The result of applying one entry. */
export interface MetadataApplied {
  readonly outcome: MetadataOutcome
  readonly events: readonly MetadataEvent[]
}

/** An outcome that nobody has to act on. */
export function without(outcome: MetadataOutcome): MetadataApplied {
  return { outcome, events: [] }
}

export function refused(problem: Omit<Refused, 'kind'>): MetadataApplied {
  return without({ kind: 'refused', ...problem })
}
