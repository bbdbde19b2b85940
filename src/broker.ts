import { randomUUID } from 'node:crypto'
import { storeId, type BrokerId, type GroupId, type Replica as ReplicaId } from './types/ids.ts'
import { ControlPlane } from './broker/control-plane.ts'
import { DiskWatch } from './broker/disk-watch.ts'
import { handOverAll } from './broker/hand-over.ts'
import { buildEngine, type Engine } from './broker/engine.ts'
import { Membership } from './broker/membership.ts'
import { describeMetrics } from './broker/metrics.ts'
import { buildTransport, foundingCalls } from './broker/network.ts'
import { gatewayPorts } from './broker/ports.ts'
import type { BrokerConfig } from './config.ts'
import type { Health } from './controller/cluster.ts'
import { SynodError } from './errors.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { createLogger, type Logger } from './observability/logger.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { SYSTEM_CLOCK } from './partition/clock.ts'
import type { Message } from './paxos/messages.ts'
import { LevelLogStore } from './storage/level-log-store.ts'
import { CONTROLLER_GROUP } from './types/ids.ts'
import type { TransportHandlers } from './transport/transport.ts'
import { VERSION } from './version.ts'

/** A broker that serves. `done` resolves after `stop`, and rejects with the reason when the broker had to end itself. */
export interface RunningBroker {
  readonly id: BrokerId
  readonly publicUrl: string
  readonly publicPort: number
  readonly internalPort: number
  /** Resolves once the broker belongs to a cluster and has told a controller where it is. */
  readonly ready: Promise<void>
  stop(): Promise<void>
  readonly done: Promise<void>
  /** The cluster has removed this broker: it stops by itself, and is not to be started again on its folder. */
  readonly isRemoved: boolean
}

const REGISTER_RETRY_MS = 200
/** Who still asks this broker hears who leads now, before it is gone; groups that nobody could take over are elected for. */
const DRAIN_MS = 100
/** How long a message typed by hand waits for the core's answer. */
const TYPED_WAIT_MS = 1_000

/**
 * Builds a broker, starts it, and keeps its parts in touch with each other: the composition root.
 * Resolves when it listens; `ready` follows when the cluster is formed. Rejects when it cannot start: a taken port, a damaged
 * or locked folder (one clear sentence each).
 */
export async function startBroker(config: BrokerConfig): Promise<RunningBroker> {
  const broker = await Broker.open(config)
  try {
    await broker.listen()
  } catch (error) {
    await broker.stop()
    throw error
  }
  broker.join()
  return broker
}

class Broker implements RunningBroker {
  readonly id: BrokerId
  readonly ready: Promise<void>
  readonly done: Promise<void>
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #metrics: Metrics
  readonly #store: LevelLogStore
  readonly #engine: Engine
  readonly #membership: Membership
  readonly #disk: DiskWatch
  readonly #gateway: Gateway
  #control: ControlPlane | undefined
  #publicPort = 0
  #isReady = false
  #isDraining = false
  isRemoved = false
  #isStopped = false
  #stopping: Promise<void> | undefined
  #markReady: () => void = () => {}
  #markDone: (error?: unknown) => void = () => {}

  static async open(config: BrokerConfig): Promise<Broker> {
    const opened: { broker?: Broker } = {}
    const logger = createLogger({ level: config.logLevel, facts: { broker: config.brokerId } })
    const store = await LevelLogStore.open(config.dataFolder, {
      brokerId: config.brokerId,
      onFailure: (error) => opened.broker?.fail(error),
      onIdle: () => opened.broker?.writerIdle(),
      onWarning: (sentence) => logger.warn({}, sentence),
    })
    opened.broker = new Broker(config, store, logger)
    return opened.broker
  }

  constructor(config: BrokerConfig, store: LevelLogStore, logger: Logger) {
    this.id = config.brokerId
    this.#config = config
    this.#store = store
    this.#logger = logger
    this.#metrics = createMetrics({ withProcess: true })
    this.ready = new Promise((resolve) => (this.#markReady = resolve))
    this.done = new Promise((resolve, reject) => {
      this.#markDone = (error) => (error === undefined ? resolve() : reject(asError(error)))
    })
    this.done.catch(() => {})
    const bootId = randomUUID()
    const transport = buildTransport(config, {
      bootId,
      clusterId: () => store.identity.clusterId,
      logger: this.#logger,
    })
    this.#engine = buildEngine({
      config,
      store,
      transport,
      clock: SYSTEM_CLOCK,
      wallMs: Date.now,
      bootId,
      logger: this.#logger,
      storeOf: (broker) => this.#storeOf(broker),
      fatal: (error) => this.fail(error),
    })
    this.#membership = new Membership({
      config,
      store,
      ...foundingCalls(config),
      controllers: () => this.#control?.group.replica.paxos.configuration.voters,
      warn: (sentence) => this.#logger.warn({}, sentence),
      isStopped: () => this.#isStopped,
      pause,
    })
    this.#disk = new DiskWatch({
      store,
      clock: SYSTEM_CLOCK,
      warn: (sentence) => this.#logger.warn({}, sentence),
    })
    this.#gateway = this.#buildGateway()
    describeMetrics(this.#metrics, { engine: this.#engine, transport, disk: this.#disk })
  }

  get publicPort(): number {
    return this.#publicPort
  }

  get internalPort(): number {
    return this.#engine.transport.port
  }

  get publicUrl(): string {
    return this.#config.publicUrl ?? `http://${this.#config.public.host}:${this.publicPort}`
  }

  /** Opens both listeners, so that a taken port is told before anything else happens. */
  async listen(): Promise<void> {
    await this.#engine.transport.start(this.#handlers())
    const { port } = await this.#gateway.listen(this.#config.public)
    this.#publicPort = port
  }

  /** Goes on in the background: becomes part of the cluster, opens its groups, and tells the cluster where it is. */
  join(): void {
    this.#join().catch((error: unknown) => this.fail(error))
  }

  writerIdle(): void {
    this.#engine.loop.writerIdle()
  }

  /** Something that must never be ignored: nothing is acknowledged from here on. */
  fail(error: unknown): void {
    if (this.#isStopped) return
    this.#logger.error({ error }, 'The broker stops: it cannot go on safely.')
    this.#isStopped = true
    this.#engine.loop.stop()
    this.#engine.heartbeats.stop()
    this.#engine.digests.stop()
    this.#disk.stop()
    void this.#engine.transport.stop()
    this.#markDone(error)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { heartbeats, digests, registry, loop, transport, hosting } = this.#engine
    if (this.#control !== undefined && !this.#isStopped) {
      this.#isDraining = true
      heartbeats.drain()
      await handOverAll(this.#engine)
      registry.resignAll()
      await pause(DRAIN_MS)
    }
    this.#isStopped = true
    this.#disk.stop()
    await this.#gateway.close({ drainMs: 1_000 })
    heartbeats.stop()
    digests.stop()
    loop.stop()
    this.#control?.stop(new SynodError('draining', 'The broker stops.', { retryAfterMs: 500 }))
    await transport.stop()
    await hosting.settled()
    await this.#store.close()
    this.#markDone()
  }

  async #join(): Promise<void> {
    const { transport, heartbeats, digests, hosting } = this.#engine
    await this.#disk.start()
    const recovered = await this.#store.recover()
    const start = await this.#membership.join(recovered)
    if (start === undefined || this.#isStopped) return
    const { seedAddresses } = this.#membership
    transport.setPeers(seedAddresses)
    await hosting.addRecovered(recovered.filter(({ group }) => group !== CONTROLLER_GROUP))
    if (this.#isStopped) return
    const control = new ControlPlane({
      config: this.#config,
      engine: this.#engine,
      start,
      disk: this.#disk,
      logger: this.#logger,
      onRemoved: () => this.#removed(),
      seedAddresses,
    })
    this.#control = control
    control.open()
    heartbeats.start()
    digests.start()
    this.#membership.spread()
    await this.#register(control)
    if (this.#isStopped) return
    this.#isReady = true
    hosting.settleLeftovers(control.group.metadata)
    this.#logger.info(
      { clusterId: this.#store.identity.clusterId, url: this.publicUrl },
      'The broker is ready.',
    )
    this.#markReady()
  }

  #removed(): void {
    this.isRemoved = true
    this.#logger.info({}, 'The cluster removed this broker: it stops. Its data folder can be deleted.')
    void this.stop()
  }

  /** Tried until it succeeds: without a controller there is nobody to tell. */
  async #register(control: ControlPlane): Promise<void> {
    const addresses = { publicUrl: this.publicUrl, internal: this.#membership.ownAddress(this.internalPort) }
    while (!this.#isStopped) {
      try {
        return await control.register(addresses)
      } catch (error) {
        // 'internal': the cluster knows this broker with another store. It must not go on with this one.
        if (!(error instanceof SynodError) || error.code === 'internal') throw error
        this.#logger.debug({ code: error.code }, 'The broker is not registered yet.')
        await pause(REGISTER_RETRY_MS)
      }
    }
  }

  #storeOf(broker: number): ReplicaId['store'] | undefined {
    const info = this.#control?.group.metadata.broker(broker as BrokerId)
    return info === undefined ? undefined : storeId(info.store)
  }

  #health(): Health {
    const isStarted = this.#control !== undefined
    return {
      live: !this.#isStopped,
      ready: this.#isReady && !this.#isDraining && !this.#isStopped,
      started: isStarted,
      reason: this.#whyNotReady(isStarted),
    }
  }

  #whyNotReady(isStarted: boolean): string | undefined {
    if (this.#isStopped || this.#isDraining) return 'The broker stops.'
    if (this.#isReady) return undefined
    return isStarted
      ? 'The broker has not reached a controller yet.'
      : 'The broker is not part of a cluster yet.'
  }

  #handlers(): TransportHandlers {
    const { registry, heartbeats, digests } = this.#engine
    return {
      onMessage: (from, group, message) => registry.receive(from, group, message),
      onHeartbeat: (from, heartbeat) => heartbeats.received(from, heartbeat),
      onDigest: (from, digest) => digests.received(from, digest),
      onRefused: (peer) => heartbeats.refused(peer),
      onHeard: (peer) => heartbeats.heard(peer),
      onRequest: async (from, request, options) => {
        if (this.#control === undefined)
          throw new SynodError('no-leader', 'The broker is starting.', { retryAfterMs: 500 })
        return this.#control.handle(from, request, options)
      },
      onTypedMessage: (from, group, message) => this.#typed(from, group, message),
      onHello: () => this.#membership.hello(),
      onForm: (_from, formation) => this.#membership.accept(formation),
    }
  }

  async #typed(from: BrokerId, group: GroupId, message: Message): Promise<readonly Message[]> {
    const replica = this.#engine.registry.replica(group)
    if (replica !== undefined) return replica.exchange(from, message, TYPED_WAIT_MS)
    throw new SynodError('not-found', `This broker holds no replica of group ${group}.`, {
      hint: "Group 0 is the controller's; each partition has a group of its own on the brokers that hold it.",
    })
  }

  #buildGateway(): Gateway {
    const { autoCreateTopics, allowedOrigins, produceTimeoutMs } = this.#config
    const ports = gatewayPorts({
      self: this.id,
      clusterId: () => this.#store.identity.clusterId,
      services: () => this.#control?.services,
      health: () => this.#health(),
    })
    return createGateway(ports, {
      autoCreateTopics,
      allowedOrigins,
      produceTimeoutMs,
      version: VERSION,
      metrics: () => this.#metrics.render(),
      log: this.#logger,
    })
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
