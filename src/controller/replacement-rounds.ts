import { storeId, type BrokerId, type Replica as ReplicaId } from '../types/ids.ts'
import type { PartitionPlacement } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { OperationRoundsOptions } from './operation-rounds.ts'
import { carriersOf } from './placement-change.ts'
import { isNear, recordOf, votersOnRecord } from './operation-steps.ts'
import { isReplacement, onOtherStores, presentStore, type ReplaceOperation } from './store-replacement.ts'

/** Partitions looked at in one round, of each broker whose store is replaced. */
const LOOKS_MAX = 64

/**
 * Gives the votes of a store that was lost to the one that its broker runs on now, group by group (consensus 1.16, 'Identity').
 * The new store learns by itself from the moment at which its broker told of it. A group's leader changes the configuration when
 * that has caught up and the others have a majority, and not before: a group that lacks one waits, and holds up no other.
 */
export class ReplacementRounds {
  readonly #options: OperationRoundsOptions
  /** Where the next look begins when there are more partitions than one round looks at. */
  #next = 0

  constructor(options: OperationRoundsOptions) {
    this.#options = options
  }

  /** Each broker that runs on another store than the registered one gets an operation of its own. */
  async begin(): Promise<void> {
    const { metadata, submit, requestId, wallMs, say } = this.#options
    for (const operation of metadata.runningOperations().filter(isReplacement)) {
      const { broker, store } = operation.subject
      if (metadata.broker(broker)?.pendingStore !== store)
        await submit({ kind: 'cancelOperation', operation: operation.id, atMs: wallMs() })
    }
    for (const { id, pendingStore } of metadata.brokers()) {
      if (pendingStore === undefined || metadata.operationOn(id) !== undefined) continue
      const wish = { kind: 'replace-store', broker: id, store: storeId(pendingStore) } as const
      await submit({ kind: 'startOperation', requestId: requestId(), startedAtMs: wallMs(), wish })
      say(
        { broker: id, store: pendingStore },
        'A broker came back with another store: it gets its votes back.',
      )
    }
  }

  /** One step of each partition that is not done yet. */
  async advance(operation: ReplaceOperation): Promise<void> {
    const { metadata, voters, submit, wallMs, say } = this.#options
    const { broker, store } = operation.subject
    const member = metadata.broker(broker)
    if (member === undefined) return
    const left = [...onOtherStores(metadata.topics(), member, store)]
    const looks = this.#looks(left.filter(({ change }) => change === undefined))
    await Promise.all(looks.map((placement) => this.#attempt(placement, { broker, store })))
    const isOtherVoting = voters().some((voter) => voter.broker === broker && voter.store !== store)
    if (left.length > 0 || isOtherVoting) return
    await submit({ kind: 'endOperation', operation: operation.id, state: 'done', atMs: wallMs() })
    say({ broker, store }, 'A broker has all votes of its lost store again.')
  }

  /** Who votes on the metadata with a store that its broker runs on no more; undefined when nobody does. */
  ownVoters(): readonly ReplicaId[] | undefined {
    const { metadata, voters } = this.#options
    const present = voters()
    const next = present.map((voter) => {
      const member = metadata.broker(voter.broker)
      const store = member === undefined ? voter.store : storeId(presentStore(member))
      return { broker: voter.broker, store }
    })
    return next.every(({ store }, place) => store === present[place]?.store) ? undefined : next
  }

  #looks(left: readonly PartitionPlacement[]): readonly PartitionPlacement[] {
    if (left.length <= LOOKS_MAX) return left
    const from = this.#next % left.length
    this.#next = from + LOOKS_MAX
    return [...left, ...left].slice(from, from + LOOKS_MAX)
  }

  async #attempt(placement: PartitionPlacement, replacing: ReplicaId): Promise<void> {
    try {
      await this.#carryOn(placement, replacing)
    } catch (error) {
      // Looked at again in a later round: one group that waits holds up no other.
      if (!(error instanceof SynodError)) throw error
    }
  }

  async #carryOn(placement: PartitionPlacement, replacing: ReplicaId): Promise<void> {
    const { metadata, stateOf, submit, order, wallMs, isAlive, self } = this.#options
    const { group, configuration } = placement
    const isReachable = (broker: BrokerId) => broker === self || isAlive(broker)
    const replicas = carriersOf(placement).toSorted((a, b) => Number(isReachable(b)) - Number(isReachable(a)))
    const routed = { group, replicas }
    const state = await stateOf(routed)
    if (state === undefined || !state.isElected) return
    if (state.configuration > configuration) {
      await submit(recordOf(group, state, wallMs()))
    } else if (isNear(state, replacing.broker)) {
      const voters = votersOnRecord(placement, placement.replicas, metadata)
      await order(
        routed,
        voters.map((voter) => (voter.broker === replacing.broker ? replacing : voter)),
        configuration,
      )
    }
  }
}
