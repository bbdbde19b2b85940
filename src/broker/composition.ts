import { CONTROLLER_GROUP, storeId, type BrokerId, type GroupId, type Replica } from '../types/ids.ts'
import type { BrokerConfig } from '../config.ts'
import type { Health } from '../controller/cluster.ts'
import { SynodError } from '../errors.ts'
import type { Ports } from '../gateway/ports.ts'
import type { Logger } from '../observability/logger.ts'
import type { Stages } from '../observability/stages.ts'
import type { LoopClock } from '../partition/loop.ts'
import type { Message } from '../paxos/messages.ts'
import type { LogStore } from '../storage/log-store.ts'
import { DamagedStoreError } from '../storage/storage-errors.ts'
import type { Transport, TransportHandlers } from '../transport/transport.ts'
import { ControlPlane } from './control-plane.ts'
import { DamageWatch } from './damage-watch.ts'
import { DiskWatch } from './disk-watch.ts'
import { buildEngine, type Engine } from './engine.ts'
import { FullDisk } from './full-disk.ts'
import { handOverAll } from './hand-over.ts'
import { Membership, type MembershipOptions } from './membership.ts'
import { gatewayPorts } from './ports.ts'
import { Registration } from './registration.ts'

/** All that reaches outside a broker: its disk, its peers, time and chance. Only what clients use to reach it is left out. */
export interface CompositionOptions {
  readonly config: BrokerConfig
  /** Open, and not recovered yet. `stop` closes it. */
  readonly store: LogStore & { readonly isSyncing: boolean }
  readonly transport: Transport
  /** How founding brokers talk before there is a cluster. */
  readonly founding: Pick<MembershipOptions, 'askHello' | 'tellFormation'>
  readonly clock: LoopClock
  /** Epoch milliseconds. */
  readonly wallMs: () => number
  /** Drawn at each start of the process. */
  readonly bootId: string
  /** An id that nobody draws twice: of a cluster, of a request. */
  readonly drawId: () => string
  readonly logger: Logger
  readonly stages: Stages
  /** Where clients reach this broker; asked when it tells the cluster. */
  readonly publicUrl: () => string
  /** The cluster removed this broker: its process is to stop, and not to start again. */
  readonly onRemoved: () => void
  /** Called once, with the reason: the broker does and acknowledges nothing any more, and its process has to end. */
  readonly onFatal: (error: unknown) => void
}

/** Who still asks this broker hears who leads now, before it is gone; groups that nobody could take over are elected for. */
const DRAIN_MS = 100
/** How long a message typed by hand waits for the core's answer. */
const TYPED_WAIT_MS = 1_000

/**
 * A whole broker but for its public listener: every part that decides anything, in touch with the others. What it needs of
 * the machine comes in as ports, so that the same composition runs on LevelDB, HTTP and real time in a process
 * (`src/broker.ts`), and on disks, a network and clocks that a simulator rules. What clients ask goes through `ports`.
 *
 * In order: `listen`, `join`, and at the end `leave` (or `fail` instead), then `stop`.
 */
export class Composition {
  readonly engine: Engine
  readonly membership: Membership
  readonly disk: DiskWatch
  readonly damage: DamageWatch
  readonly #fullDisk: FullDisk
  /** What the gateway needs; it answers that the broker is starting until it belongs to a cluster. */
  readonly ports: Ports
  readonly #options: CompositionOptions
  #control: ControlPlane | undefined
  #registration: Registration | undefined
  #isReady = false
  #isDraining = false
  #isRemoved = false
  #isStopped = false

  constructor(options: CompositionOptions) {
    this.#options = options
    const { config, store, clock, logger } = options
    const warn = (sentence: string) => logger.warn({}, sentence)
    this.engine = buildEngine({
      ...options,
      registeredStore: (broker) => this.#registeredStore(broker),
      presentStore: (broker) => this.#control?.group.metadata.presentStore(broker as BrokerId),
      fatal: (error) => this.fail(error),
    })
    this.membership = new Membership({
      config,
      store,
      ...options.founding,
      drawClusterId: options.drawId,
      controllers: () => this.#control?.group.replica.paxos.configuration.voters,
      warn,
      isStopped: () => this.#isStopped,
      pause: (delayMs) => this.#pause(delayMs),
    })
    this.#fullDisk = new FullDisk({ ...this.engine, warn, fatal: (error) => this.fail(error) })
    this.disk = new DiskWatch({ store, clock, onLook: (isFull) => this.#fullDisk.seen(isFull), warn })
    this.damage = new DamageWatch({
      store,
      registry: this.engine.registry,
      clock,
      scrubIntervalMs: config.scrubIntervalHours * 3_600_000,
      warn,
    })
    this.ports = gatewayPorts({
      self: config.brokerId,
      clusterId: () => store.identity.clusterId,
      services: () => this.#control?.services,
      health: () => this.#health(),
    })
  }

  /** What exists once the broker belongs to a cluster. */
  get control(): ControlPlane | undefined {
    return this.#control
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Opens the listener for other brokers. */
  async listen(): Promise<void> {
    await this.engine.transport.start(this.#handlers())
  }

  /**
   * Reads the store, becomes part of the cluster, opens the groups and tells the cluster where this broker is. Resolves when
   * it is ready, or was stopped before. Rejects with what must end it.
   */
  async join(): Promise<void> {
    try {
      await this.#join()
    } catch (error) {
      // A store that is damaged as a whole is not used again: the next start goes on with an empty one, and without a vote.
      const hasPeers = this.membership.seedAddresses.size > 0
      if (error instanceof DamagedStoreError && hasPeers) await this.engine.vouching.condemn(error.message)
      throw error
    }
  }

  async #join(): Promise<void> {
    const { heartbeats, vouching, digests, hosting } = this.engine
    const { store, config, logger, onRemoved } = this.#options
    await this.disk.start()
    const recovered = await store.recover()
    this.damage.recovered(recovered)
    const start = await this.membership.join(recovered)
    if (start === undefined || this.#isStopped) return
    await hosting.addRecovered(recovered.filter(({ group }) => group !== CONTROLLER_GROUP))
    await vouching.begin()
    if (this.#isStopped) return
    const { engine, disk } = this
    const fullDisk = this.#fullDisk
    const control = new ControlPlane({
      config,
      engine,
      start,
      disk,
      fullDisk,
      seedAddresses: this.membership.seedAddresses,
      logger,
      onRemoved,
    })
    this.#control = control
    control.open()
    heartbeats.start()
    digests.start()
    this.membership.spread()
    await this.#registrationOf(control).register()
    if (this.#isStopped || this.#isRemoved) return
    this.#isReady = true
    this.damage.start()
    hosting.settleLeftovers(control.group.metadata)
  }

  #registrationOf(control: ControlPlane): Registration {
    const { publicUrl, logger, clock } = this.#options
    const internal = this.membership.ownAddress(this.engine.transport.port)
    this.#registration = new Registration({
      control,
      vouching: this.engine.vouching,
      clock,
      logger,
      addresses: () => ({ publicUrl: publicUrl(), internal }),
      onRemoved: () => this.#removedBefore(),
      isStopped: () => this.#isStopped,
      fail: (error) => this.fail(error),
    })
    return this.#registration
  }

  /** The disk's writer has finished a batch. */
  writerIdle(): void {
    this.engine.loop.writerIdle()
  }

  /** Something that must never be ignored: nothing is acknowledged from here on. */
  fail(error: unknown): void {
    if (this.#isStopped) return
    this.halt()
    void this.engine.transport.stop()
    this.#options.onFatal(error)
  }

  /** Takes no more turns and says nothing more, to nobody. */
  halt(): void {
    this.#isStopped = true
    this.engine.loop.stop()
    this.engine.heartbeats.stop()
    this.engine.vouching.halt()
    this.engine.digests.stop()
    this.disk.stop()
    this.#fullDisk.stop()
    this.damage.stop()
  }

  /** Hands every leadership over and goes on answering until all of them have others. New work is taken no more then. */
  async leave(): Promise<void> {
    const { heartbeats, registry } = this.engine
    if (this.#control !== undefined && !this.#isStopped) {
      this.#isDraining = true
      heartbeats.drain()
      await handOverAll(this.engine)
      registry.resignAll()
      await this.#pause(DRAIN_MS)
    }
    this.#isStopped = true
    this.disk.stop()
    this.#fullDisk.stop()
    this.damage.stop()
  }

  /** Answers all who still wait, and closes the store. After `leave`, when no client asks any more. */
  async stop(): Promise<void> {
    const { transport, hosting, vouching } = this.engine
    this.halt()
    this.#control?.stop(new SynodError('draining', 'The broker stops.', { retryAfterMs: 500 }))
    await transport.stop()
    await hosting.settled()
    await vouching.stop()
    await this.#options.store.close()
  }

  /** The cluster removed this broker while it was down: it hears of that now, and is as one that runs when it is removed. */
  #removedBefore(): void {
    this.#isRemoved = true
    this.#options.onRemoved()
  }

  #registeredStore(broker: number): Replica['store'] | undefined {
    const info = this.#control?.group.metadata.broker(broker as BrokerId)
    return info === undefined ? undefined : storeId(info.store)
  }

  #health(): Health {
    const { vouching } = this.engine
    const isStarted = this.#control !== undefined
    return {
      live: !this.#isStopped,
      ready: this.#isReady && !this.#isDraining && !this.#isStopped && vouching.reason === undefined,
      started: isStarted,
      reason: this.#whyNotReady(),
    }
  }

  #whyNotReady(): string | undefined {
    if (this.#isStopped || this.#isDraining) return 'The broker stops.'
    const { reason } = this.engine.vouching
    if (reason !== undefined) return reason
    if (this.#isReady) return undefined
    return this.#registration?.whyWaiting ?? 'The broker is not part of a cluster yet.'
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
        if (this.#control === undefined)
          throw new SynodError('no-leader', 'The broker is starting.', { retryAfterMs: 500 })
        return this.#control.handle(from, request, options)
      },
      onTypedMessage: (from, group, message) => this.#typed(from, group, message),
      onHello: () => this.membership.hello(),
      onForm: (_from, formation) => this.membership.accept(formation),
    }
  }

  async #typed(from: BrokerId, group: GroupId, message: Message): Promise<readonly Message[]> {
    const replica = this.engine.registry.replica(group)
    if (replica !== undefined) return replica.exchange(from, message, TYPED_WAIT_MS)
    throw new SynodError('not-found', `This broker holds no replica of group ${group}.`, {
      hint: "Group 0 is the controller's; each partition has a group of its own on the brokers that hold it.",
    })
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.later(resolve, delayMs))
  }
}
