import { storeId, type BrokerId, type GroupId, type Replica as ReplicaId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement } from '../types/topic.ts'
import type { GroupState } from '../partition/inspect.ts'
import type { Metadata } from './metadata.ts'
import type { RecordConfiguration } from './operation-schema.ts'
import { storeOnRecord } from './placement-change.ts'

/** The leader says of a learner that it could vote. */
export function isNear(state: GroupState, broker: BrokerId): boolean {
  return state.replicas.some(
    (replica) => replica.broker === broker && replica.state === 'learner' && replica.inSync,
  )
}

/** The configuration that a leader was elected in, for the record. */
export function recordOf(group: GroupId, state: GroupState, atMs: number): RecordConfiguration {
  const { configuration: number, voters } = state
  const replicas = voters.map(({ broker }) => broker)
  const stores = voters.map(({ store }) => store)
  return { kind: 'recordConfiguration', group, number, replicas, stores, atMs }
}

/** Brokers as voters of a partition: with the stores that vote in it, and who is to vote with the one that it runs on. */
export function votersOnRecord(
  placement: PartitionPlacement,
  brokers: readonly BrokerId[],
  metadata: Pick<Metadata, 'broker' | 'presentStore'>,
): ReplicaId[] {
  return brokers.map((broker) => {
    const member = metadata.broker(broker)
    const present = metadata.presentStore(broker)
    invariant(member !== undefined && present !== undefined, `Broker ${broker} is registered.`)
    const isVoter = placement.replicas.includes(broker)
    const store = isVoter ? (storeOnRecord(placement, broker) ?? storeId(member.store)) : present
    return { broker, store }
  })
}
