import type { BrokerId } from '../types/ids.ts'
import type { BrokerInfo, Member } from '../types/topic.ts'
import type { LoopClock } from '../partition/loop.ts'
import type { Heartbeats } from '../partition/heartbeats.ts'
import type { Registry } from '../partition/registry.ts'
import type { Router } from '../partition/router.ts'
import type { MetadataGroup } from './metadata-group.ts'

/** A broker with what this one knows of its present state. */
export interface BrokerStatus extends Member {
  /** 'draining' is one that is about to stop; what it holds moves away when its membership says so. */
  readonly state: 'alive' | 'draining' | 'dead' | 'outsider'
  /** Why it is an outsider: a sentence. */
  readonly reason: string | undefined
  readonly leaderCount: number
  readonly replicaCount: number
  readonly diskFreeBytes: number | undefined
  /** Of its replica that is furthest behind, as far as this broker leads those partitions; undefined when it leads none of them. */
  readonly lag: BrokerLag | undefined
}

export interface BrokerLag {
  readonly slots: number
  readonly ms: number
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
  readonly #clock: LoopClock
  readonly #diskFreeBytes: () => number | undefined
  readonly #whyOutsider: () => string | undefined

  constructor(options: {
    self: BrokerId
    group: MetadataGroup
    heartbeats: Heartbeats
    registry: Registry
    router: Router
    clock: LoopClock
    diskFreeBytes: () => number | undefined
    /** Of this broker. */
    whyOutsider: () => string | undefined
  }) {
    this.#self = options.self
    this.#group = options.group
    this.#heartbeats = options.heartbeats
    this.#registry = options.registry
    this.#router = options.router
    this.#clock = options.clock
    this.#diskFreeBytes = options.diskFreeBytes
    this.#whyOutsider = options.whyOutsider
  }

  controller(): BrokerId | undefined {
    return this.#group.replica.paxos.leader
  }

  brokers(): readonly BrokerStatus[] {
    const { metadata } = this.#group
    const leaderCounts = this.#leaderCounts()
    const lags = this.#lags()
    return metadata.brokers().map((broker) => {
      const reason = this.#reasonOf(broker)
      return {
        ...broker,
        state: reason === undefined ? this.#stateOf(broker.id) : 'outsider',
        reason,
        leaderCount: leaderCounts.get(broker.id) ?? 0,
        replicaCount: metadata.load(broker.id).replicaCount,
        diskFreeBytes: broker.id === this.#self ? this.#diskFreeBytes() : undefined,
        lag: lags.get(broker.id),
      }
    })
  }

  /** Why a broker that is there votes in nothing. */
  #reasonOf({ id, store }: BrokerInfo): string | undefined {
    if (id === this.#self) return this.#whyOutsider()
    const peer = this.#heartbeats.view?.peers.get(id)
    if (peer === undefined || !peer.alive || peer.store === undefined) return undefined
    if (peer.store.isOutsider)
      return `The disk of broker ${id} (store ${peer.store.storeId}) has lost writes that it had confirmed. It takes part in no vote.`
    if (peer.store.storeId === store) return undefined
    return `Broker ${id} runs on store ${peer.store.storeId} and is registered with store ${store}: it takes part in no vote until its store is replaced.${this.#whoReplaces(id)}`
  }

  #whoReplaces(broker: BrokerId): string {
    const operation = this.#group.metadata.operationOn(broker)
    if (operation?.subject.kind !== 'replace-store') return ''
    const { id, stepsDone, stepsTotal } = operation
    return ` Operation ${id} does that: ${stepsDone} of ${stepsTotal} groups have changed.`
  }

  #stateOf(broker: BrokerId): BrokerStatus['state'] {
    if (broker === this.#self) return 'alive'
    const peer = this.#heartbeats.view?.peers.get(broker)
    if (peer === undefined || !peer.alive) return 'dead'
    return peer.draining ? 'draining' : 'alive'
  }

  /** A leader knows how far all replicas of its partitions are; nobody knows it of the partitions of others. */
  #lags(): ReadonlyMap<BrokerId, BrokerLag> {
    const lags = new Map<BrokerId, BrokerLag>()
    const moment = this.#clock.moment()
    for (const { replica } of this.#registry.partitions()) {
      if (!replica.isLeader) continue
      for (const { broker, lagSlots, lagMs } of replica.paxos.progress(moment)) {
        const { slots, ms } = lags.get(broker) ?? { slots: 0, ms: 0 }
        lags.set(broker, { slots: Math.max(slots, lagSlots), ms: Math.max(ms, lagMs) })
      }
    }
    return lags
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
