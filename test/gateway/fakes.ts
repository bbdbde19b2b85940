import type { BrokerState, ClusterView, Ports } from '../../src/gateway/ports.ts'
import { brokerId } from '../../src/types/ids.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import { FakeLog } from './fake-log.ts'
import { FakeOperations } from './fake-operations.ts'
import { FakeTopics } from './fake-topics.ts'

export class FakeCluster implements ClusterView {
  readonly broker = brokerId(1)
  readonly clusterId = 'c0ffee'
  controllerId: BrokerId | undefined = brokerId(1)
  isReady = true
  readonly #brokers: readonly BrokerState[]

  constructor(count: number) {
    this.#brokers = Array.from({ length: count }, (_, index): BrokerState => ({
      id: brokerId(index + 1),
      store: '0'.repeat(32),
      publicUrl: `http://127.0.0.1:${8080 + index}`,
      internalHost: '127.0.0.1',
      internalPort: 9080 + index,
      failureDomain: 'here',
      version: '0.0.0',
      membership: 'active',
      state: 'alive',
      leaderCount: 0,
      replicaCount: 0,
      diskFreeBytes: index === 0 ? 1_000_000 : undefined,
    }))
  }

  controller(): BrokerId | undefined {
    return this.controllerId
  }

  brokers(): readonly BrokerState[] {
    return this.#brokers
  }

  health(): {
    readonly live: boolean
    readonly ready: boolean
    readonly started: boolean
    readonly reason: string | undefined
  } {
    return {
      live: true,
      ready: this.isReady,
      started: this.isReady,
      reason: this.isReady ? undefined : 'no controller was heard yet',
    }
  }
}

export interface FakePorts extends Ports {
  readonly operations: FakeOperations
  readonly log: FakeLog
  readonly topics: FakeTopics
  readonly cluster: FakeCluster
}

/** Three brokers in one memory, of which the first answers. */
export function fakePorts(brokerCount = 3): FakePorts {
  const log = new FakeLog()
  const cluster = new FakeCluster(brokerCount)
  return {
    log,
    cluster,
    operations: new FakeOperations(cluster.brokers().map(({ id }) => id)),
    topics: new FakeTopics(
      log,
      cluster.brokers().map(({ id }) => id),
    ),
  }
}
