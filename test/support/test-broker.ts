import { randomUUID } from 'node:crypto'
import { ControlPlane } from '../../src/broker/control-plane.ts'
import { DiskWatch } from '../../src/broker/disk-watch.ts'
import { buildEngine, type Engine } from '../../src/broker/engine.ts'
import { handOverAll } from '../../src/broker/hand-over.ts'
import { Membership } from '../../src/broker/membership.ts'
import type { Services } from '../../src/broker/ports.ts'
import type { BrokerConfig } from '../../src/config.ts'
import { SynodError } from '../../src/errors.ts'
import type { Logger } from '../../src/observability/logger.ts'
import type { Partition } from '../../src/partition/partition.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { openMemoryStore } from '../../src/storage/memory-log-store.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import type { TransportHandlers } from '../../src/transport/transport.ts'
import { brokerId, CONTROLLER_GROUP, storeId, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import type { MemoryNetwork, MemoryTransport } from './memory-transport.ts'
import { PausableKeyValue } from './pausable-key-value.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What outlives a broker's process. */
export interface TestDisk {
  readonly journal: PausableKeyValue
  readonly index: PausableKeyValue
  readonly identity: MemoryIdentityFile
}

export function emptyDisk(): TestDisk {
  return {
    journal: new PausableKeyValue(),
    index: new PausableKeyValue(),
    identity: new MemoryIdentityFile(),
  }
}

export interface TestBrokerOptions {
  readonly config: BrokerConfig
  readonly disk: TestDisk
  readonly clock: VirtualClock
  readonly network: MemoryNetwork
  /** Of this broker: its wall clock differs from others'. */
  readonly wallMs: () => number
  readonly tuning: Partial<StoreTuning> | undefined
}

/** As long as `src/broker.ts` waits: who still asks this broker hears who leads now. */
const DRAIN_MS = 100
const BASE_PORT = 1_000

export function portOf(id: number): number {
  return BASE_PORT + id
}

/** A broker as `src/broker.ts` composes it, without HTTP: the same engine over a disk and a network in memory. */
export class TestBroker {
  readonly id: BrokerId
  readonly store: JournaledStore
  readonly engine: Engine
  readonly disk: DiskWatch
  readonly transport: MemoryTransport
  readonly membership: Membership
  readonly warnings: string[] = []
  /** What would have ended the process. */
  readonly failures: unknown[] = []
  space = { freeBytes: 2 ** 40, full: false }
  isReady = false
  isStopped = false
  /** The cluster removed it; a process would stop. */
  isRemoved = false
  readonly #options: TestBrokerOptions
  #control: ControlPlane | undefined

  static async open(options: TestBrokerOptions): Promise<TestBroker> {
    const { clock, disk, config } = options
    const opened: { broker?: TestBroker } = {}
    const store = await openMemoryStore(disk, {
      brokerId: config.brokerId,
      randomStoreId: () => storeId(randomUUID().replaceAll('-', '')),
      nowMs: () => clock.nowMs(),
      schedule: (run, delayMs) => void clock.later(run, delayMs),
      onFailure: (error) => opened.broker?.failures.push(error),
      onIdle: () => opened.broker?.engine.loop.writerIdle(),
      space: async () => opened.broker?.space ?? { freeBytes: 0, full: false },
      ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
    })
    const broker = new TestBroker(options, store)
    opened.broker = broker
    await broker.transport.start(broker.#handlers())
    return broker
  }

  private constructor(options: TestBrokerOptions, store: JournaledStore) {
    const { config, clock, network, wallMs } = options
    this.#options = options
    this.id = config.brokerId
    this.store = store
    this.transport = network.transport(this.id)
    this.engine = buildEngine({
      config,
      store,
      transport: this.transport,
      clock,
      wallMs,
      bootId: randomUUID(),
      logger: this.#logger(),
      storeOf: (broker) => this.#storeOf(broker),
      fatal: (error) => this.failures.push(error),
    })
    const warn = (sentence: string) => void this.warnings.push(sentence)
    this.disk = new DiskWatch({ store, clock, warn })
    this.membership = new Membership({
      config,
      store,
      askHello: ({ port }) => network.askHello(this.id, brokerId(port - BASE_PORT)),
      tellFormation: ({ port }, formation) =>
        network.tellFormation(this.id, brokerId(port - BASE_PORT), formation),
      warn,
      controllers: () => this.#control?.group.replica.paxos.configuration.voters,
      isStopped: () => this.isStopped,
      pause: (delayMs) => new Promise((resolve) => clock.later(resolve, delayMs)),
    })
  }

  get control(): ControlPlane {
    if (this.#control === undefined) throw new Error(`Broker ${this.id} is in no cluster yet.`)
    return this.#control
  }

  get services(): Services {
    return this.control.services
  }

  partition(group: GroupId): Partition | undefined {
    return this.engine.registry.partition(group)
  }

  /** Becomes part of the cluster and tells it where it is; `isReady` afterwards. */
  async join(): Promise<void> {
    const { transport, heartbeats, digests, hosting } = this.engine
    await this.disk.start()
    const recovered = await this.store.recover()
    const start = await this.membership.join(recovered)
    if (start === undefined || this.isStopped) return
    const { seedAddresses } = this.membership
    transport.setPeers(seedAddresses)
    await hosting.addRecovered(recovered.filter(({ group }) => group !== CONTROLLER_GROUP))
    const { config } = this.#options
    this.#control = new ControlPlane({
      config,
      engine: this.engine,
      start,
      disk: this.disk,
      logger: this.#logger(),
      onRemoved: () => (this.isRemoved = true),
      seedAddresses,
    })
    this.#control.open()
    heartbeats.start()
    digests.start()
    this.membership.spread()
    await this.#register()
    if (this.isStopped) return
    this.isReady = true
    hosting.settleLeftovers(this.control.group.metadata)
  }

  /** As a process that is asked to stop. */
  async stop(): Promise<void> {
    const { heartbeats, digests, registry, loop, hosting } = this.engine
    heartbeats.drain()
    if (this.#control !== undefined) await handOverAll(this.engine)
    registry.resignAll()
    await new Promise<void>((resolve) => this.#options.clock.later(resolve, DRAIN_MS))
    this.isStopped = true
    this.disk.stop()
    heartbeats.stop()
    digests.stop()
    loop.stop()
    this.#control?.stop(new SynodError('draining', 'The broker stops.'))
    await this.transport.stop()
    await hosting.settled()
    await this.store.close()
  }

  /** As a process that is killed: nobody is told, and what waits for the disk is lost. */
  async kill(): Promise<TestDisk> {
    this.isStopped = true
    this.disk.stop()
    this.engine.heartbeats.stop()
    this.engine.digests.stop()
    this.engine.loop.stop()
    await this.transport.stop()
    const { journal, index, identity } = this.#options.disk
    return { journal: journal.copy(), index: index.copy(), identity }
  }

  async #register(): Promise<void> {
    const { clock } = this.#options
    while (!this.isStopped) {
      try {
        const internal = this.membership.ownAddress(portOf(this.id))
        return await this.control.register({ publicUrl: `http://broker-${this.id}`, internal })
      } catch (error) {
        if (!(error instanceof SynodError)) throw error
        await new Promise<void>((resolve) => clock.later(resolve, 200))
      }
    }
  }

  #storeOf(broker: number) {
    const info = this.#control?.group.metadata.broker(broker as BrokerId)
    return info === undefined ? undefined : storeId(info.store)
  }

  #handlers(): TransportHandlers {
    const { registry, heartbeats, digests } = this.engine
    return {
      onMessage: (from, group, message) => registry.receive(from, group, message),
      onHeartbeat: (from, heartbeat) => heartbeats.received(from, heartbeat),
      onDigest: (from, digest) => digests.received(from, digest),
      onRefused: (peer) => heartbeats.refused(peer),
      onHeard: (peer) => heartbeats.heard(peer),
      onRequest: async (from, request, options) => {
        if (this.#control === undefined) throw new SynodError('no-leader', 'The broker is starting.')
        return this.#control.handle(from, request, options)
      },
      onTypedMessage: () => Promise.resolve([]),
      onHello: () => this.membership.hello(),
      onForm: (_from, formation) => this.membership.accept(formation),
    }
  }

  #logger(): Logger {
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: (_facts, message) => void this.warnings.push(message),
      error: (_facts, message) => void this.warnings.push(message),
      child: () => logger,
    }
    return logger
  }
}
