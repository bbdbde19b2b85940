import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { memoryShares } from '../../src/config/memory.ts'
import type { BrokerConfig } from '../../src/config.ts'
import type { Services } from '../../src/broker/ports.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { SynodError } from '../../src/errors.ts'
import type { AppendCall, ReadCall } from '../../src/partition/log.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import { brokerId, type BrokerId } from '../../src/types/ids.ts'
import type { RecordDraft } from '../../src/types/record.ts'
import type { Topic, TopicConfig } from '../../src/types/topic.ts'
import { MemoryNetwork } from './memory-transport.ts'
import { emptyDisk, portOf, TestBroker, type TestDisk } from './test-broker.ts'
import { turns, VirtualClock } from './virtual-clock.ts'

/** Virtual time that passes between two looks, and turns of the event loop in it. */
const STEP_MS = 5
const STEP_TURNS = 4

export interface ClusterOptions {
  readonly size?: number
  readonly config?: Partial<BrokerConfig>
  readonly tuning?: Partial<StoreTuning>
}

/**
 * Several whole brokers in one process, in virtual time, over a network and disks in memory. Time passes only inside
 * `until` and `finish`, so a test that waits a minute takes milliseconds and a busy machine changes nothing.
 */
export class TestCluster {
  readonly clock = new VirtualClock()
  readonly network = new MemoryNetwork()
  readonly ids: readonly number[]
  /** Added to each broker's wall clock. */
  readonly wallOffsetMs = new Map<number, number>()
  readonly #options: ClusterOptions
  readonly #disks = new Map<number, TestDisk>()
  readonly #running = new Map<number, TestBroker>()

  constructor(t: TestContext, options: ClusterOptions = {}) {
    this.#options = options
    this.ids = Array.from({ length: options.size ?? 3 }, (_, place) => place + 1)
    t.after(async () => {
      for (const broker of this.#running.values()) await broker.kill()
    })
  }

  /** A cluster whose brokers are all ready. */
  static async start(t: TestContext, options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(t, options)
    for (const id of cluster.ids) await cluster.open(id)
    await cluster.allReady()
    return cluster
  }

  broker(id: number): TestBroker {
    const broker = this.#running.get(id)
    if (broker === undefined) throw new Error(`Broker ${id} does not run.`)
    return broker
  }

  get brokers(): readonly TestBroker[] {
    return [...this.#running.values()]
  }

  services(id: number): Services {
    return this.broker(id).services
  }

  disk(id: number): TestDisk {
    let disk = this.#disks.get(id)
    if (disk === undefined) this.#disks.set(id, (disk = emptyDisk()))
    return disk
  }

  /** Starts a broker on its disk; it joins in the background. */
  async open(id: number): Promise<TestBroker> {
    const broker = await TestBroker.open({
      config: this.#config(id),
      disk: this.disk(id),
      clock: this.clock,
      network: this.network,
      wallMs: () => 1_700_000_000_000 + this.clock.nowMs() + (this.wallOffsetMs.get(id) ?? 0),
      tuning: this.#options.tuning,
    })
    this.#running.set(id, broker)
    broker.join().catch((error: unknown) => broker.failures.push(error))
    return broker
  }

  async kill(id: number): Promise<void> {
    const broker = this.broker(id)
    this.#running.delete(id)
    this.#disks.set(id, await broker.kill())
  }

  async stop(id: number): Promise<void> {
    const broker = this.broker(id)
    await this.finish(broker.stop())
    this.#running.delete(id)
  }

  /** Replaces the disk of a broker that does not run. */
  putBack(id: number, disk: TestDisk): void {
    this.#disks.set(id, disk)
  }

  wipe(id: number): void {
    this.#disks.set(id, emptyDisk())
  }

  async allReady(): Promise<void> {
    await this.until(() => {
      for (const broker of this.brokers) assert.ok(broker.isReady, `Broker ${broker.id} is not ready.`)
    })
  }

  /** Lets time pass until `check` does not throw; after `withinMs` of virtual time its last error is thrown. */
  async until<T>(check: () => T, options: { readonly withinMs?: number } = {}): Promise<T> {
    const giveUpMs = this.clock.nowMs() + (options.withinMs ?? 20_000)
    for (;;) {
      await turns(STEP_TURNS)
      for (const { failures } of this.brokers) if (failures.length > 0) throw failures[0]
      try {
        return check()
      } catch (error) {
        if (this.clock.nowMs() >= giveUpMs) throw error
      }
      this.clock.advance(STEP_MS)
    }
  }

  /** Lets time pass until the promise is settled. */
  async finish<T>(promise: Promise<T>, options: { readonly withinMs?: number } = {}): Promise<T> {
    let isSettled = false
    const settled = () => (isSettled = true)
    promise.then(settled, settled)
    await this.until(() => assert.ok(isSettled, 'The promise is still open.'), options)
    return promise
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms
    await this.until(() => assert.ok(this.clock.nowMs() >= untilMs), { withinMs: ms + STEP_MS })
  }

  /** Checks that the promise is rejected with this code, and returns the error. */
  async refused(
    promise: Promise<unknown>,
    code: ErrorCode,
    options: { readonly withinMs?: number } = {},
  ): Promise<SynodError> {
    const outcome = await this.finish(
      promise.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      options,
    )
    assert.ok('error' in outcome, `Expected '${code}', got ${JSON.stringify(outcome)}.`)
    assert.ok(outcome.error instanceof SynodError, String(outcome.error))
    assert.equal(outcome.error.code, code, outcome.error.message)
    return outcome.error
  }

  /** Makes a topic, and waits until each partition is led and its replicas are in sync. */
  async topic(name = 'orders', config: Partial<TopicConfig> = {}, partitions = 1): Promise<Topic> {
    const spec = { partitions, replicationFactor: undefined, config }
    const { topic } = await this.finish(this.brokers[0]!.services.directory.create(name, spec))
    await this.until(() => {
      for (const { partition, group, replicas } of topic.partitions) {
        const { paxos } = this.broker(this.leaderOf(topic, partition)).partition(group)!.replica
        assert.equal(paxos.inSyncCount, replicas.length)
      }
    })
    return topic
  }

  /** The one broker that leads the partition and that all reachable replicas follow. */
  leaderOf(topic: Topic, partition = 0): number {
    const { group } = topic.partitions[partition]!
    const leaders = this.brokers.filter((broker) => broker.partition(group)?.replica.isLeader)
    assert.equal(leaders.length, 1, `Led by ${leaders.length}.`)
    return leaders[0]!.id
  }

  /** Running brokers other than these. */
  others(...except: readonly number[]): number[] {
    return this.brokers.map(({ id }) => Number(id)).filter((id) => !except.includes(id))
  }

  isolate(id: number): void {
    this.network.isolate(brokerId(id))
  }

  /** Appends through broker `at`. */
  append(
    at: number,
    topic: Topic,
    value: string | readonly string[],
    more: Partial<Omit<AppendCall, 'topic' | 'records'>> = {},
  ): Promise<{
    readonly baseOffset: number | undefined
    readonly duplicate: boolean
    readonly leader: BrokerId
  }> {
    const values = typeof value === 'string' ? [value] : value
    return this.services(at).log.append({
      topic,
      partition: 0,
      records: values.map(textRecord),
      idempotency: undefined,
      expectedOffset: undefined,
      acks: 'majority',
      ...more,
    })
  }

  /** Values from an offset on, as broker `at` serves them. */
  async read(
    at: number,
    topic: Topic,
    more: Partial<Omit<ReadCall, 'topic'>> = {},
  ): Promise<readonly string[]> {
    const { batches } = await this.services(at).log.read({ ...readAll(topic), ...more })
    const from = more.fromOffset ?? 0
    return batches
      .flatMap((batch) => batch.records)
      .filter((record) => record.offset >= from)
      .map((record) => Buffer.from(record.value).toString())
  }

  #config(id: number): BrokerConfig {
    return {
      brokerId: brokerId(id),
      dataFolder: '',
      public: { host: '127.0.0.1', port: 0 },
      internal: { host: '127.0.0.1', port: 0 },
      publicUrl: undefined,
      seeds: this.ids.map((seed) => ({ id: brokerId(seed), host: 'memory', port: portOf(seed) })),
      clusterSecret: undefined,
      failureDomain: '',
      autoCreateTopics: false,
      allowedOrigins: [],
      produceTimeoutMs: 10_000,
      heartbeatMs: 100,
      suspectMs: 1_000,
      scrubIntervalHours: 24,
      // Tests that move leaders mean them to stay; those of the balance turn it on.
      leaderBalance: 'off',
      replaceAfterMs: undefined,
      memory: memoryShares(16 * 1024 * 1024),
      logLevel: 'error',
      insecure: false,
      insecureInternal: false,
      ...this.#options.config,
    }
  }
}

export function readAll(topic: Topic): ReadCall {
  return {
    topic,
    partition: 0,
    fromOffset: 0,
    recordsMax: 1_000,
    bytesMax: 1024 * 1024,
    waitMs: 0,
    signal: undefined,
  }
}

export function textRecord(text: string): RecordDraft {
  return {
    form: 'text',
    key: undefined,
    value: Buffer.from(text),
    contentType: undefined,
    timestampMs: undefined,
    headers: [],
  }
}
