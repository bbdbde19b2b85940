import type { BrokerId } from '../types/ids.ts'
import type { Member } from '../types/topic.ts'
import type { Heartbeats } from '../partition/heartbeats.ts'
import type { Registry } from '../partition/registry.ts'
import type { Router } from '../partition/router.ts'
import type { MetadataGroup } from './metadata-group.ts'

/** A broker with what this one knows of its present state. */
export interface BrokerStatus extends Member {
  /** 'draining' is one that is about to stop; what it holds moves away when its membership says so. */
  readonly state: 'alive' | 'draining' | 'dead'
  readonly leaderCount: number
  readonly replicaCount: number
  readonly diskFreeBytes: number | undefined
}

export interface Health {
  readonly live: boolean
  readonly ready: boolean
  readonly started: boolean
  readonly reason: string | undefined
}

/** The cluster as this broker sees it: members from the metadata, their state from the failure detector. */
export class ClusterStatus {
  readonly #self: BrokerId
  readonly #group: MetadataGroup
  readonly #heartbeats: Heartbeats
  readonly #registry: Registry
  readonly #router: Router
  readonly #diskFreeBytes: () => number | undefined

  constructor(options: {
    self: BrokerId
    group: MetadataGroup
    heartbeats: Heartbeats
    registry: Registry
    router: Router
    diskFreeBytes: () => number | undefined
  }) {
    this.#self = options.self
    this.#group = options.group
    this.#heartbeats = options.heartbeats
    this.#registry = options.registry
    this.#router = options.router
    this.#diskFreeBytes = options.diskFreeBytes
  }

  controller(): BrokerId | undefined {
    return this.#group.replica.paxos.leader
  }

  brokers(): readonly BrokerStatus[] {
    const { metadata } = this.#group
    const leaderCounts = this.#leaderCounts()
    return metadata.brokers().map((broker) => ({
      ...broker,
      state: this.#stateOf(broker.id),
      leaderCount: leaderCounts.get(broker.id) ?? 0,
      replicaCount: metadata.load(broker.id).replicaCount,
      diskFreeBytes: broker.id === this.#self ? this.#diskFreeBytes() : undefined,
    }))
  }

  #stateOf(broker: BrokerId): BrokerStatus['state'] {
    if (broker === this.#self) return 'alive'
    const peer = this.#heartbeats.view?.peers.get(broker)
    if (peer === undefined || !peer.alive) return 'dead'
    return peer.draining ? 'draining' : 'alive'
  }

  /** By this broker's hints: of partitions it holds no replica of, only those that it has lately talked to. */
  #leaderCounts(): ReadonlyMap<BrokerId, number> {
    const counts = new Map<BrokerId, number>()
    for (const topic of this.#group.metadata.topics()) {
      for (const { group } of topic.partitions) {
        const leader = this.#registry.partition(group)?.replica.paxos.leader ?? this.#router.leaderOf(group)
        if (leader !== undefined) counts.set(leader, (counts.get(leader) ?? 0) + 1)
      }
    }
    return counts
  }
}
