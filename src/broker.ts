import { randomUUID } from 'node:crypto'
import type { BrokerId } from './types/ids.ts'
import { Composition } from './broker/composition.ts'
import { describeMetrics } from './broker/metrics.ts'
import { buildTransport, foundingCalls } from './broker/network.ts'
import type { BrokerConfig } from './config.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import { createLogger, type Logger } from './observability/logger.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { countStages, type Stages } from './observability/stages.ts'
import { SYSTEM_CLOCK } from './partition/clock.ts'
import type { DamageReport } from './storage/log-store.ts'
import { openBrokerStore } from './broker/open-store.ts'
import type { LevelLogStore } from './storage/level-log-store.ts'
import { VERSION } from './version.ts'

export { recoverUnsafely, type UnsafeRecovery } from './broker/unsafe-recovery.ts'

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

/**
 * Builds a broker on this machine and starts it: the composition (`src/broker/composition.ts`) on LevelDB, HTTP and the
 * system's clock, with the gateway in front and metrics beside.
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

/** What is there before the broker: its store tells it of failures. */
interface Parts {
  readonly store: LevelLogStore
  readonly logger: Logger
  readonly metrics: Metrics
  readonly stages: Stages
}

class Broker implements RunningBroker {
  readonly id: BrokerId
  readonly ready: Promise<void>
  readonly done: Promise<void>
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #metrics: Metrics
  readonly #stages: Stages
  readonly #composition: Composition
  readonly #gateway: Gateway
  #publicPort = 0
  isRemoved = false
  #stopping: Promise<void> | undefined
  #markReady: () => void = () => {}
  #markDone: (error?: unknown) => void = () => {}

  static async open(config: BrokerConfig): Promise<Broker> {
    const opened: { broker?: Broker } = {}
    const logger = createLogger({ level: config.logLevel, facts: { broker: config.brokerId } })
    const metrics = createMetrics({ withProcess: true })
    const stages = countStages(metrics)
    const store = await openBrokerStore(config.dataFolder, {
      hasPeers: config.seeds.some((seed) => seed.id !== config.brokerId),
      warn: (sentence) => logger.warn({}, sentence),
      brokerId: config.brokerId,
      onFailure: (error) => opened.broker?.fail(error),
      onIdle: () => opened.broker?.writerIdle(),
      onSync: ({ durationMs }) => stages.journal(durationMs),
      onWarning: (sentence) => logger.warn({}, sentence),
      onDamaged: (report) => opened.broker?.damaged(report),
    })
    opened.broker = new Broker(config, { store, logger, metrics, stages })
    return opened.broker
  }

  constructor(config: BrokerConfig, { store, logger, metrics, stages }: Parts) {
    this.id = config.brokerId
    this.#config = config
    this.#logger = logger
    this.#metrics = metrics
    this.#stages = stages
    this.ready = new Promise((resolve) => (this.#markReady = resolve))
    this.done = new Promise((resolve, reject) => {
      this.#markDone = (error) => (error === undefined ? resolve() : reject(asError(error)))
    })
    this.done.catch(() => {})
    const bootId = randomUUID()
    const transport = buildTransport(config, { bootId, clusterId: () => store.identity.clusterId, logger })
    this.#composition = new Composition({
      config,
      store,
      transport,
      founding: foundingCalls(config),
      clock: SYSTEM_CLOCK,
      wallMs: Date.now,
      bootId,
      drawId: randomUUID,
      logger,
      stages,
      publicUrl: () => this.publicUrl,
      onRemoved: () => {
        this.isRemoved = true
        logger.info({}, 'The cluster removed this broker: it stops. Its data folder can be deleted.')
        void this.stop()
      },
      onFatal: (error) => {
        logger.error({ error }, 'The broker stops: it cannot go on safely.')
        this.#markDone(error)
      },
    })
    const { engine, disk } = this.#composition
    this.#gateway = this.#buildGateway()
    describeMetrics(this.#metrics, { engine, transport, disk })
  }

  get publicPort(): number {
    return this.#publicPort
  }

  get internalPort(): number {
    return this.#composition.engine.transport.port
  }

  get publicUrl(): string {
    return this.#config.publicUrl ?? `http://${this.#config.public.host}:${this.publicPort}`
  }

  /** Opens both listeners, so that a taken port is told before anything else happens. */
  async listen(): Promise<void> {
    await this.#composition.listen()
    const { port } = await this.#gateway.listen(this.#config.public)
    this.#publicPort = port
  }

  /** Goes on in the background: becomes part of the cluster, opens its groups, and tells the cluster where it is. */
  join(): void {
    this.#join().catch((error: unknown) => this.fail(error))
  }

  writerIdle(): void {
    this.#composition.writerIdle()
  }

  damaged(report: DamageReport): void {
    this.#composition.damage.met(report)
  }

  fail(error: unknown): void {
    this.#composition.fail(error)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#composition.leave()
    await this.#gateway.close({ drainMs: 1_000 })
    await this.#composition.stop()
    this.#markDone()
  }

  async #join(): Promise<void> {
    await this.#composition.join()
    if (!this.#composition.isReady) return
    const { clusterId } = this.#composition.ports.cluster
    this.#logger.info({ clusterId, url: this.publicUrl }, 'The broker is ready.')
    this.#markReady()
  }

  #buildGateway(): Gateway {
    const { autoCreateTopics, allowedOrigins, produceTimeoutMs, memory } = this.#config
    return createGateway(this.#composition.ports, {
      autoCreateTopics,
      allowedOrigins,
      produceTimeoutMs,
      inFlightBytesMax: memory.bodyBytesMax,
      storingBytesMax: memory.storingBytesMax,
      ingestBytesMax: memory.ingestBytesMax,
      answerBytesMax: memory.answerBytesMax,
      sessionUnfinishedBytesMax: memory.sessionBytesMax,
      version: VERSION,
      metrics: () => this.#metrics.render(),
      stages: this.#stages,
      log: this.#logger,
    })
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
