import { randomUUID } from 'node:crypto'
import { Composition } from '../../src/broker/composition.ts'
import type { ControlPlane } from '../../src/broker/control-plane.ts'
import type { DiskWatch } from '../../src/broker/disk-watch.ts'
import type { Engine } from '../../src/broker/engine.ts'
import type { Membership } from '../../src/broker/membership.ts'
import type { Services } from '../../src/broker/ports.ts'
import type { BrokerConfig } from '../../src/config.ts'
import { NO_STAGES } from '../../src/observability/stages.ts'
import type { Logger } from '../../src/observability/logger.ts'
import type { Partition } from '../../src/partition/partition.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import { MemoryNotes } from '../../src/storage/notes.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { openMemoryStore } from '../../src/storage/memory-log-store.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import { brokerId, storeId, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import type { MemoryNetwork, MemoryTransport } from './memory-transport.ts'
import { PausableKeyValue } from './pausable-key-value.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** What outlives a broker's process. */
export interface TestDisk {
  readonly journal: PausableKeyValue
  readonly index: PausableKeyValue
  readonly identity: MemoryIdentityFile
  readonly notes: MemoryNotes
}

export function emptyDisk(): TestDisk {
  return {
    journal: new PausableKeyValue(),
    index: new PausableKeyValue(),
    identity: new MemoryIdentityFile(),
    notes: new MemoryNotes(),
  }
}

/** A copy of what lies on it, as one makes a backup. */
export function copyOf({ journal, index, identity, notes }: TestDisk): TestDisk {
  return { journal: journal.copy(), index: index.copy(), identity, notes: notes.copy() }
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

const BASE_PORT = 1_000

export function portOf(id: number): number {
  return BASE_PORT + id
}

/** A broker without HTTP: the composition of `src/broker.ts` over a disk and a network in memory. */
export class TestBroker {
  readonly id: BrokerId
  readonly store: JournaledStore
  readonly composition: Composition
  readonly transport: MemoryTransport
  readonly warnings: string[] = []
  /** What would have ended the process. */
  readonly failures: unknown[] = []
  space = { freeBytes: 2 ** 40, full: false }
  /** The cluster removed it; a process would stop. */
  isRemoved = false
  readonly #options: TestBrokerOptions

  static async open(options: TestBrokerOptions): Promise<TestBroker> {
    const { clock, disk, config } = options
    const opened: { broker?: TestBroker } = {}
    const store = await openMemoryStore(disk, {
      brokerId: config.brokerId,
      randomStoreId: () => storeId(randomUUID().replaceAll('-', '')),
      nowMs: () => clock.nowMs(),
      schedule: (run, delayMs) => void clock.later(run, delayMs),
      onFailure: (error) => opened.broker?.failures.push(error),
      onWarning: (sentence) => void opened.broker?.warnings.push(sentence),
      onDamaged: (report) => opened.broker?.composition.damage.met(report),
      onIdle: () => opened.broker?.composition.writerIdle(),
      space: async () => opened.broker?.space ?? { freeBytes: 0, full: false },
      ...(options.tuning === undefined ? {} : { tuning: options.tuning }),
    })
    const broker = new TestBroker(options, store)
    opened.broker = broker
    await broker.composition.listen()
    return broker
  }

  private constructor(options: TestBrokerOptions, store: JournaledStore) {
    const { config, clock, network, wallMs } = options
    this.#options = options
    this.id = config.brokerId
    this.store = store
    this.transport = network.transport(this.id)
    this.composition = new Composition({
      config,
      store,
      transport: this.transport,
      founding: {
        askHello: ({ port }) => network.askHello(this.id, brokerId(port - BASE_PORT)),
        tellFormation: ({ port }, formation) =>
          network.tellFormation(this.id, brokerId(port - BASE_PORT), formation),
      },
      clock,
      wallMs,
      bootId: randomUUID(),
      drawId: randomUUID,
      logger: this.#logger(),
      stages: NO_STAGES,
      publicUrl: () => `http://broker-${this.id}`,
      onRemoved: () => (this.isRemoved = true),
      onFatal: (error) => void this.failures.push(error),
    })
  }

  get engine(): Engine {
    return this.composition.engine
  }

  get disk(): DiskWatch {
    return this.composition.disk
  }

  get membership(): Membership {
    return this.composition.membership
  }

  get isReady(): boolean {
    return this.composition.isReady
  }

  get control(): ControlPlane {
    const { control } = this.composition
    if (control === undefined) throw new Error(`Broker ${this.id} is in no cluster yet.`)
    return control
  }

  get services(): Services {
    return this.control.services
  }

  partition(group: GroupId): Partition | undefined {
    return this.engine.registry.partition(group)
  }

  /** Becomes part of the cluster and tells it where it is; `isReady` afterwards. */
  join(): Promise<void> {
    return this.composition.join()
  }

  /** As a process that is asked to stop. */
  async stop(): Promise<void> {
    await this.composition.leave()
    await this.composition.stop()
  }

  /** As a process that is killed: nobody is told, and what waits for the disk is lost. */
  async kill(): Promise<TestDisk> {
    this.composition.halt()
    await this.transport.stop()
    return copyOf(this.#options.disk)
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
