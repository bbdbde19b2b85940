import type { BrokerId, GroupId, StoreId, TopicId } from './ids.ts'

/** What a long change is about. */
export type OperationSubject =
  | {
      readonly kind: 'move-replicas'
      readonly topic: string
      readonly topicId: TopicId
      readonly partition: number
      readonly group: GroupId
      readonly target: readonly BrokerId[]
    }
  /** All replicas leave the broker, which stays a member. */
  | { readonly kind: 'drain-broker'; readonly broker: BrokerId }
  /** The same, and then the broker leaves the cluster. `isForced`: it is gone for good, and partitions may keep fewer replicas. */
  | { readonly kind: 'remove-broker'; readonly broker: BrokerId; readonly isForced: boolean }
  /** Replicas of a broker that is gone are rebuilt on others; the broker may come back. */
  | { readonly kind: 'repair-broker'; readonly broker: BrokerId }
  /** The broker came back with another store: that gets the votes of the registered one, group by group. */
  | { readonly kind: 'replace-store'; readonly broker: BrokerId; readonly store: StoreId }
  /** An operator made the broker go on alone, offline: over when it is told here. */
  | { readonly kind: 'unsafe-recover'; readonly broker: BrokerId; readonly store: StoreId }

export type OperationState = 'running' | 'done' | 'failed' | 'cancelled'

/** A long change as the metadata holds it. Steps of an operation on a broker are its replicas (and the metadata's group), of a move its phases. */
export interface Operation {
  readonly id: string
  readonly subject: OperationSubject
  readonly state: OperationState
  readonly stepsDone: number
  readonly stepsTotal: number
  readonly startedAtMs: number
  readonly endedAtMs: number | undefined
  /** Why it failed or was cancelled; of a recovery by force what may be lost by it, and who did it. */
  readonly problem: string | undefined
}
