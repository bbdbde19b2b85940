import { CONTROLLER_GROUP, type BrokerId } from '../types/ids.ts'
import type { BrokerInfo } from '../types/topic.ts'
import type { BrokerConfig } from '../config.ts'
import type { SynodError } from '../errors.ts'
import type { LeadershipReport } from '../controller/balance.ts'
import { BalanceRounds } from '../controller/balance-rounds.ts'
import { ClusterStatus } from '../controller/cluster.ts'
import { Controller } from '../controller/controller.ts'
import { Leaderships } from '../controller/leaderships.ts'
import { MetadataGroup } from '../controller/metadata-group.ts'
import type { MetadataEvent } from '../controller/outcomes.ts'
import type { ControllerRequest } from '../controller/requests.ts'
import { TopicDirectory } from '../controller/topics.ts'
import type { Logger } from '../observability/logger.ts'
import { decodeJson, encodeJson } from '../partition/forward.ts'
import type { StartOfGroup } from '../partition/group.ts'
import { Inspector } from '../partition/inspect.ts'
import { PartitionLog } from '../partition/log.ts'
import { LeaderMoves } from '../partition/move-leader.ts'
import { PartitionRequests } from '../partition/requests.ts'
import type { PeerAddress, PeerRequest } from '../transport/transport.ts'
import { VERSION } from '../version.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { Engine } from './engine.ts'
import type { Services } from './ports.ts'

export interface ControlPlaneOptions {
  readonly config: BrokerConfig
  readonly engine: Engine
  readonly start: StartOfGroup
  readonly disk: Pick<DiskWatch, 'isFull' | 'freeBytes'>
  readonly logger: Logger
  /** Where the founding brokers are; the metadata knows later addresses. */
  readonly seedAddresses: ReadonlyMap<BrokerId, PeerAddress>
}

/** How long the controller waits for another broker while it balances leaders. */
const ASK_TIMEOUT_MS = 2_000

/** What a broker has once it belongs to a cluster: its replica of the metadata, the controller's work, and the services. */
export class ControlPlane {
  readonly group: MetadataGroup
  readonly services: Services
  readonly #options: ControlPlaneOptions
  readonly #controller: Controller
  readonly #requests: PartitionRequests
  readonly #leaderships: Leaderships
  readonly #balance: BalanceRounds

  constructor(options: ControlPlaneOptions) {
    this.#options = options
    const { engine, start } = options
    const { self, host, registry, heartbeats, store } = engine
    this.group = new MetadataGroup({
      self,
      start,
      host,
      onEvent: (event) => this.#carryOut(event),
      onLeaderChange: () => registry.leaderChanged(CONTROLLER_GROUP),
    })
    this.#controller = new Controller({
      group: this.group,
      clusterId: () => store.identity.clusterId,
      wallMs: engine.wallMs,
      random: () => engine.loop.clock.random(),
      isAlive: (broker) => broker === self.broker || heartbeats.isAlive(broker),
    })
    this.services = this.#buildServices()
    this.#requests = new PartitionRequests(this.services.log, this.services.inspector, this.services.moves)
    this.#leaderships = new Leaderships({
      self: self.broker,
      registry,
      heartbeats,
      metadata: this.group.metadata,
      clock: engine.loop.clock,
    })
    this.#balance = this.#buildBalance()
  }

  /** Opens this broker's replicas, and begins to take part. */
  open(): void {
    const { registry, hosting } = this.#options.engine
    registry.addReplica(this.group.replica)
    hosting.openAll(this.group.metadata.topics())
    this.#followAddresses()
    if (this.#options.config.leaderBalance === 'on') this.#balance.start()
  }

  /** What another broker asks of this one. */
  async handle(
    from: BrokerId,
    request: PeerRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    if (request.kind === 'leaderships') return encodeJson(this.#leaderships.report())
    if (request.kind !== 'controller') return this.#requests.handle(from, request, options)
    return encodeJson(await this.#controller.handle(decodeJson(request.body) as ControllerRequest))
  }

  /** Tells the cluster where this broker is reached. Errors: 'no-leader', 'no-quorum' until there is a controller. */
  async register(addresses: { readonly publicUrl: string; readonly internal: PeerAddress }): Promise<void> {
    const { config, engine } = this.#options
    const { broker, store } = engine.self
    const info: BrokerInfo = {
      id: broker,
      store,
      publicUrl: addresses.publicUrl,
      internalHost: addresses.internal.host,
      internalPort: addresses.internal.port,
      failureDomain: config.failureDomain === '' ? `broker-${broker}` : config.failureDomain,
      version: VERSION,
    }
    await this.services.directory.register(info)
  }

  stop(error: SynodError): void {
    this.#balance.stop()
    for (const partition of this.#options.engine.registry.partitions()) partition.stop(error)
    this.group.replica.stop(error)
  }

  #buildServices(): Services {
    const { config, engine, disk } = this.#options
    const { registry, router, store, heartbeats } = engine
    const self = engine.self.broker
    const { group } = this
    const { produceTimeoutMs } = config
    return {
      log: new PartitionLog({
        self,
        registry,
        router,
        produceTimeoutMs,
        isDiskFull: () => disk.isFull,
        isDeleted: (id) => group.metadata.fateOf(id) === 'deleted',
      }),
      directory: new TopicDirectory({ group, controller: this.#controller, router }),
      moves: new LeaderMoves({ registry, router }),
      inspector: new Inspector({ self, registry, router, store, clock: engine.loop.clock }),
      status: new ClusterStatus({
        self,
        group,
        heartbeats,
        registry,
        router,
        diskFreeBytes: () => disk.freeBytes,
      }),
    }
  }

  #buildBalance(): BalanceRounds {
    const { engine, logger } = this.#options
    const { heartbeats, router, loop, host } = engine
    const self = engine.self.broker
    const { group } = this
    return new BalanceRounds({
      isController: () => group.isController,
      brokers: () =>
        group.metadata
          .brokers()
          .map(({ id }) => id)
          .filter((id) => id === self || heartbeats.isAlive(id)),
      shares: () => new Map(group.metadata.loads().map((load) => [load.id, load.leaderCount])),
      ask: async (broker) => {
        if (broker === self) return this.#leaderships.report()
        const answer = await router.at(
          broker,
          CONTROLLER_GROUP,
          'leaderships',
          encodeJson({}),
          ASK_TIMEOUT_MS,
        )
        return decodeJson(answer) as LeadershipReport
      },
      move: async ({ group: moved, from, to }) => {
        if (from === self) return this.services.moves.moveHere(moved, to)
        await router.at(from, moved, 'transfer', encodeJson({ to }), ASK_TIMEOUT_MS)
      },
      later: (run, delayMs) => loop.clock.later(run, delayMs),
      say: (facts, sentence) => logger.info(facts, sentence),
      fatal: (error) => host.fatal(error),
    })
  }

  /** What a command of the controller means for this broker. */
  #carryOut(event: MetadataEvent): void {
    const { hosting } = this.#options.engine
    switch (event.kind) {
      case 'partitions-created':
        return hosting.created(event.topic, event.placements)
      case 'topic-altered':
        return hosting.altered(event.topic)
      case 'topic-deleted':
        return hosting.deleted(event.topic.name, event.groups)
      case 'broker-changed':
      case 'broker-removed':
        return this.#followAddresses()
      case 'placement-changed':
      case 'cluster-formed':
        return
    }
  }

  /** Seeds are where brokers were; the metadata knows where they are. */
  #followAddresses(): void {
    const { engine, seedAddresses } = this.#options
    const addresses = new Map<BrokerId, PeerAddress>(seedAddresses)
    for (const { id, internalHost, internalPort } of this.group.metadata.brokers()) {
      if (id !== engine.self.broker) addresses.set(id, { host: internalHost, port: internalPort })
    }
    engine.transport.setPeers(addresses)
    engine.heartbeats.setPeers([...addresses.keys()])
  }
}
