import { CONTROLLER_GROUP, sameReplica, storeId, type BrokerId, type StoreId } from '../types/ids.ts'
import type { BrokerInfo, Member } from '../types/topic.ts'
import type { BrokerConfig } from '../config.ts'
import type { SynodError } from '../errors.ts'
import { ClusterStatus } from '../controller/cluster.ts'
import { ControllerCalls } from '../controller/controller-calls.ts'
import { Controller } from '../controller/controller.ts'
import { MetadataGroup } from '../controller/metadata-group.ts'
import { Operations } from '../controller/operations.ts'
import type { MetadataEvent } from '../controller/outcomes.ts'
import type { ControllerRequest } from '../controller/requests.ts'
import { presentStore } from '../controller/store-replacement.ts'
import { TopicDirectory } from '../controller/topics.ts'
import type { Logger } from '../observability/logger.ts'
import { decodeJson, encodeJson } from '../partition/forward.ts'
import type { StartOfGroup } from '../partition/group.ts'
import { Inspector } from '../partition/inspect.ts'
import { PartitionLog } from '../partition/log.ts'
import { LeaderMoves } from '../partition/move-leader.ts'
import { Reassignments } from '../partition/reassignments.ts'
import { PartitionRequests } from '../partition/requests.ts'
import type { LinkView } from '../paxos/link-view.ts'
import type { PeerAddress, PeerRequest } from '../transport/transport.ts'
import { VERSION } from '../version.ts'
import { ControllerDuties } from './controller-duties.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { FullDisk } from './full-disk.ts'
import type { Engine } from './engine.ts'
import type { Services } from './ports.ts'

export interface ControlPlaneOptions {
  readonly config: BrokerConfig
  readonly engine: Engine
  readonly start: StartOfGroup
  readonly disk: Pick<DiskWatch, 'freeBytes'>
  readonly fullDisk: Pick<FullDisk, 'refusesWrites'>
  readonly logger: Logger
  /** The cluster removed this broker: it is to stop. */
  onRemoved(): void
  /** Where the founding brokers are; the metadata knows later addresses. */
  readonly seedAddresses: ReadonlyMap<BrokerId, PeerAddress>
}

/** How long a broker that was removed hears of the cluster: it has to learn of it. */
const LEAVING_MS = 30_000

/** What a broker has once it belongs to a cluster: its replica of the metadata, the controller's work, and the services. */
export class ControlPlane {
  readonly group: MetadataGroup
  readonly services: Services
  readonly #options: ControlPlaneOptions
  readonly #controller: Controller
  readonly #calls: ControllerCalls
  readonly #requests: PartitionRequests
  readonly #duties: ControllerDuties
  /** Brokers that were removed while this process ran: who comes back under such an id is let in. */
  readonly #formerPeers = new Map<BrokerId, PeerAddress>()
  /** Those among them that have to hear of their removal yet. */
  readonly #leaving = new Set<BrokerId>()

  constructor(options: ControlPlaneOptions) {
    this.#options = options
    const { engine, start } = options
    const { self, host, registry, heartbeats, store } = engine
    this.group = new MetadataGroup({
      self,
      start,
      host,
      onEvent: (event) => this.#carryOut(event),
      onLeaderChange: () => {
        registry.leaderChanged(CONTROLLER_GROUP)
        this.#tellLearners()
      },
    })
    this.#controller = new Controller({
      group: this.group,
      clusterId: () => store.identity.clusterId,
      wallMs: engine.wallMs,
      random: () => engine.loop.clock.random(),
      isAlive: (broker) => broker === self.broker || heartbeats.isVoting(broker, this.#storeOf(broker)),
    })
    this.#calls = new ControllerCalls({
      self: self.broker,
      group: this.group,
      controller: this.#controller,
      router: engine.router,
    })
    this.services = this.#buildServices()
    const { log, inspector, moves } = this.services
    const reassignments = new Reassignments({ registry, router: engine.router })
    this.#requests = new PartitionRequests({ log, inspector, moves, reassignments })
    const { config, logger } = options
    this.#duties = new ControllerDuties({
      config,
      engine,
      group: this.group,
      inspector,
      moves,
      reassignments,
      logger,
    })
  }

  get self(): BrokerId {
    return this.#options.engine.self.broker
  }

  /** Whom this broker hears; undefined before it has listened. */
  get links(): LinkView | undefined {
    return this.#options.engine.heartbeats.view
  }

  /** Opens this broker's replicas, and begins to take part. */
  open(): void {
    const { registry, hosting } = this.#options.engine
    registry.addReplica(this.group.replica)
    hosting.openAll(this.group.metadata.topics())
    this.#followAddresses()
    this.#duties.start()
  }

  /** What another broker asks of this one. */
  async handle(
    from: BrokerId,
    request: PeerRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    switch (request.kind) {
      case 'leaderships':
        return encodeJson(this.#duties.leaderships.report())
      case 'controller':
        return encodeJson(await this.#controller.handle(decodeJson(request.body) as ControllerRequest))
      case 'introduction':
        return encodeJson(await this.#calls.passOn(decodeJson(request.body) as ControllerRequest))
      default:
        return this.#requests.handle(from, request, options)
    }
  }

  /** Tells the cluster where this broker is reached. Errors: 'no-leader', 'no-quorum' until there is a controller. */
  async register(
    addresses: { readonly publicUrl: string; readonly internal: PeerAddress },
    { isUnheard = false } = {},
  ): Promise<void> {
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
    await this.services.directory.register(info, isUnheard)
  }

  /** Asks for the votes of the registered store. Errors: as `register`. */
  async replaceStore(): Promise<void> {
    const { broker, store } = this.#options.engine.self
    await this.services.directory.replaceStore(broker, store)
  }

  stop(error: SynodError): void {
    this.#duties.stop()
    for (const partition of this.#options.engine.registry.partitions()) partition.stop(error)
    this.group.replica.stop(error)
  }

  #buildServices(): Services {
    const { config, engine, disk, fullDisk } = this.#options
    const { registry, router, store, heartbeats } = engine
    const self = engine.self.broker
    const { group } = this
    const { produceTimeoutMs } = config
    const calls = this.#calls
    return {
      log: new PartitionLog({
        self,
        registry,
        router,
        produceTimeoutMs,
        isDiskFull: () => fullDisk.refusesWrites,
        isDeleted: (id) => group.metadata.fateOf(id) === 'deleted',
      }),
      directory: new TopicDirectory({ group, calls, drawRequestId: engine.drawId }),
      operations: new Operations({ group, calls, drawRequestId: engine.drawId }),
      moves: new LeaderMoves({ registry, router }),
      inspector: new Inspector({ self, registry, router, store, clock: engine.loop.clock }),
      status: new ClusterStatus({
        self,
        group,
        heartbeats,
        registry,
        router,
        clock: engine.loop.clock,
        diskFreeBytes: () => disk.freeBytes,
        whyOutsider: () => engine.vouching.reason,
      }),
    }
  }

  #storeOf(broker: BrokerId): StoreId | undefined {
    const info = this.group.metadata.broker(broker)
    return info === undefined ? undefined : storeId(info.store)
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
        this.#formerPeers.delete(event.broker.id)
        this.#leaving.delete(event.broker.id)
        hosting.storeChanged(event.broker.id, this.group.metadata.topics())
        return this.#followAddresses()
      case 'broker-removed':
        return this.#removed(event.broker)
      case 'placement-changed':
        return hosting.placed(event.topic, event.placement)
      case 'cluster-formed':
        return
    }
  }

  /** This broker may have been removed itself: then it has no place here any more. */
  #removed(broker: Member): void {
    const { engine, onRemoved } = this.#options
    const { self } = engine
    if (broker.id === self.broker) {
      // Another store that waits for the votes of the one that was removed registers as a new broker.
      if (broker.store === self.store) onRemoved()
      return
    }
    this.#formerPeers.set(broker.id, { host: broker.internalHost, port: broker.internalPort })
    this.#leaving.add(broker.id)
    this.#followAddresses()
    engine.loop.clock.later(() => {
      this.#leaving.delete(broker.id)
      this.#followAddresses()
    }, LEAVING_MS)
  }

  /**
   * Seeds are where brokers were; the metadata knows where they are. One that it knows as removed is no peer from the start on: who
   * was a peer and is none any more is not let in, and could neither hear of its removal nor join as a new broker.
   */
  #followAddresses(): void {
    const { engine, seedAddresses } = this.#options
    const { metadata } = this.group
    const addresses = new Map<BrokerId, PeerAddress>(seedAddresses)
    for (const { id, internalHost, internalPort } of metadata.brokers()) {
      if (id !== engine.self.broker) addresses.set(id, { host: internalHost, port: internalPort })
    }
    for (const { id } of metadata.removedBrokers()) addresses.delete(id)
    engine.transport.setPeers(new Map([...this.#formerPeers, ...addresses]))
    engine.heartbeats.setPeers([...addresses.keys(), ...this.#leaving])
    this.#tellLearners()
  }

  /**
   * Every broker has the metadata: who does not vote on it learns it, a new one before it is known, and one that was removed until
   * it stops, for it has to hear of that. Told again at each change of the leader: who votes no more has to be named anew.
   */
  #tellLearners(): void {
    const { self } = this.#options.engine
    const { metadata, replica } = this.group
    const leaving = metadata.removedBrokers().filter(({ id }) => this.#leaving.has(id))
    const known = [...metadata.brokers(), ...leaving].map((member) => ({
      broker: member.id,
      store: storeId(presentStore(member)),
    }))
    replica.setLearners(known.some((one) => sameReplica(one, self)) ? known : [...known, self])
  }
}
