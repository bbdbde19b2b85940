import type { BrokerId, TopicId } from '../types/ids.ts'
import type { BrokerInfo, TopicConfig } from '../types/topic.ts'
import type { OperationWish } from './operation-schema.ts'

/** What any broker asks of the controller, whichever broker that is at the moment. Travels as JSON. */
export type ControllerRequest =
  | {
      readonly kind: 'createTopic'
      readonly name: string
      /** Drawn by the broker that asks, so that asking twice has one effect and one answer. */
      readonly requestId: string
      readonly partitions: number | null
      readonly replicationFactor: number | null
      readonly config: Partial<TopicConfig>
    }
  | {
      readonly kind: 'alterTopic'
      readonly name: string
      readonly requestId: string
      readonly config: Partial<TopicConfig>
      readonly partitions: number | null
      readonly ifRevision: number | null
    }
  | { readonly kind: 'deleteTopic'; readonly name: string; readonly ifRevision: number | null }
  | { readonly kind: 'registerBroker'; readonly broker: BrokerInfo }
  | { readonly kind: 'replaceStore'; readonly broker: BrokerId; readonly store: string }
  /** `requestId` is drawn by the broker that asks, as above. */
  | { readonly kind: 'startOperation'; readonly requestId: string; readonly wish: OperationWish }
  | { readonly kind: 'cancelOperation'; readonly operation: string }
  | { readonly kind: 'activateBroker'; readonly broker: BrokerId }
  /** Up to where must the metadata be applied to know all that was decided before this was asked? */
  | { readonly kind: 'position' }

/** The slot at which the answer is true, and what came of it. */
export interface ControllerAnswer {
  readonly slot: number
  readonly created: boolean
  /** Of the topic that it is about: another one may have its name by the time the answer is read. */
  readonly topicId: TopicId | undefined
  /** The operation that was started or cancelled. */
  readonly operation?: string | undefined
}
