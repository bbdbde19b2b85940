import { Composition } from '../../src/broker/composition.ts'
import type { Ports } from '../../src/gateway/ports.ts'
import { NO_STAGES } from '../../src/observability/stages.ts'
import type { Logger } from '../../src/observability/logger.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import type { BrokerId, Replica } from '../../src/types/ids.ts'
import { Disk, type DiskUser } from '../sim/disk.ts'
import { Pausable } from '../sim/pausable.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import { brokerConfig } from './broker-config.ts'
import { ConnectionLost, ConnectionRefused } from './connection.ts'
import { isDiskError, isRemoval } from './process-errors.ts'
import { ProcessClock } from './process-clock.ts'
import type { BrokersScene } from './scene.ts'
import { rotAtRestOf } from './rot.ts'
import { changesMembers } from './swarm.ts'
import { SimulatedTransport } from './transport.ts'

/** 2026-01-01, where the wall clocks begin. */
const WALL_START_MS = 1_767_225_600_000
/** A broker that was asked to stop and has not is killed after this. */
const STOP_MAX_MS = 15_000
/** So long an operator takes to start a removed broker with an empty disk. */
const AS_NEW_AFTER_MS = 300

/** What lives from a start to an end. */
export interface BrokerProcess {
  readonly composition: Composition
  readonly store: JournaledStore
  readonly transport: SimulatedTransport
  readonly clock: ProcessClock
  /** Clients whose connection breaks when the process ends. */
  readonly onEnd: Set<() => void>
}

/** One broker: its disk and clocks, which survive, and its process, which comes and goes. */
export class SimulatedBroker {
  readonly id: BrokerId
  readonly disk: Disk
  /** Milliseconds that its wall clock is wrong by. */
  #wallErrorMs: number
  #wallErrorMaxMs: number
  isDiskFull = false

  readonly #scene: BrokersScene
  readonly #random: Random
  readonly #pausable: Pausable
  readonly #clockStartMs: number
  readonly #clockRate: number
  #process: BrokerProcess | undefined
  #isOn = false
  #isStopping = false
  /** It was to start while it was stopping. */
  #startsAgain = false
  /** It is no member any more, with the store that it has. */
  #isRemoved = false
  /** It was not among those who formed the cluster, or is another one by now. */
  #isJoiner: boolean
  /** Counts starts and ends: what was begun under another number must not go on. */
  #life = 0
  #drawnIds = 0

  constructor(self: Replica, scene: BrokersScene, random: Random) {
    this.id = self.broker

    this.#scene = scene
    this.#random = random
    this.#isJoiner = !scene.founders.includes(self.broker)
    const { queue, trace, swarm, mutant } = scene
    const isHealed = () => scene.isHealed && !scene.absent.has(this.id)
    this.disk = new Disk(
      self,
      {
        queue,
        trace,
        swarm,
        mutant,
        get isHealed() {
          return isHealed()
        },
        rotOf: () => (scene.victims.has(this.id) ? rotAtRestOf(swarm) : undefined),
        stir: () => {},
      },
      random.fork('disk'),
    )
    this.#pausable = new Pausable(queue)
    this.#clockStartMs = random.between(0, 1e6)
    this.#clockRate = 1 + random.between(-1, 1) * swarm.clockDrift
    this.#wallErrorMs = Math.floor(random.between(-500, 500))
    this.#wallErrorMaxMs = this.#wallErrorMs
  }

  get #trueMs(): number {
    return WALL_START_MS + Math.floor(this.#scene.queue.nowMs)
  }

  /** Epoch milliseconds: its wall clock was never beyond. */
  get latestWallMs(): number {
    return this.#trueMs + this.#wallErrorMaxMs
  }

  setClockWrongBy(errorMs: number): void {
    this.#wallErrorMs = errorMs
    this.#wallErrorMaxMs = Math.max(this.#wallErrorMaxMs, errorMs)
  }

  /** Its process, once it listens. */
  get process(): BrokerProcess | undefined {
    return this.#process
  }

  get isOn(): boolean {
    return this.#isOn
  }

  get isReady(): boolean {
    return this.#process?.composition.ports.cluster.health().ready === true
  }

  /** Counts starts and ends of the process. */
  get life(): number {
    return this.#life
  }

  /** Where it is stopping, it starts when it has ended. */
  start(): void {
    this.#startsAgain = this.#isStopping
    if (this.#isOn) return
    this.#isOn = true
    const life = ++this.#life
    this.#note(TRACED.START, life, `broker ${this.id} starts`)
    this.#boot(life).catch((error: unknown) => this.#ended(life, error))
  }

  /** Power off, or kill -9: what was not synced is at the disk's mercy, everything in memory is gone. */
  crash(): void {
    if (!this.#isOn) return
    this.#note(TRACED.CRASH, this.#life, `broker ${this.id} crashes`)
    this.#end()
  }

  /** As SIGTERM: hands over and ends. */
  shutDown(): void {
    const life = this.#life
    const { composition } = this.#process ?? {}
    if (composition === undefined || this.#isStopping) return
    this.#isStopping = true
    this.#note(TRACED.FAULT, life, `broker ${this.id} is asked to stop`)
    const isSame = (): boolean => this.#life === life
    const stopping = (async () => {
      await composition.leave()
      await composition.stop()
    })()
    stopping.then(
      () => isSame() && this.#end(),
      (error: unknown) => isSame() && this.#ended(life, error),
    )
    this.#scene.queue.after(STOP_MAX_MS, () => isSame() && this.crash())
  }

  pause(durationMs: number): void {
    if (this.#isOn) this.#pausable.pause(durationMs)
  }

  wake(): void {
    this.#pausable.wake()
  }

  /** A client's call on a connection of its own. Errors: the call's, `ConnectionRefused`, `ConnectionLost`. */
  ask<Answer>(call: (ports: Ports) => Promise<Answer>): Promise<Answer> {
    const process = this.#process
    if (process === undefined) return Promise.reject(new ConnectionRefused())
    return new Promise((resolve, reject) => {
      const lost = (): void => reject(new ConnectionLost())
      process.onEnd.add(lost)
      this.#pausable.whenAwake(() => {
        call(process.composition.ports)
          .then(resolve, reject)
          .finally(() => process.onEnd.delete(lost))
      })
    })
  }

  /** The peer's port refuses connections: its process is gone. */
  refusedBy(peer: BrokerId): void {
    const { process } = this
    if (process === undefined) return
    this.#inProcess(this.#life, () => process.composition.engine.heartbeats.refused(peer))
  }

  async #boot(life: number): Promise<void> {
    const clock = new ProcessClock({
      queue: this.#scene.queue,
      random: this.#random.fork(`process ${life}`),
      startMs: this.#clockStartMs,
      rate: this.#clockRate,
      inProcess: (run) => this.#inProcess(life, run),
    })
    const store = await this.#openStore(life, clock)
    const inProcess = (run: () => void): void => this.#inProcess(life, run)
    const transport = new SimulatedTransport(this.#scene, this.id, {
      inProcess,
      later: (run, delayMs) => clock.later(run, delayMs),
    })
    if (this.#life !== life) return
    const composition = new Composition({
      config: brokerConfig(this.#scene, this.id, this.#seeds()),
      store,
      transport,
      founding: {
        askHello: (address) => transport.askHello(address),
        tellFormation: (address, formation) => transport.tellFormation(address, formation),
      },
      clock,
      wallMs: () => this.#trueMs + this.#wallErrorMs,
      bootId: `boot-${this.id}-${life}`,
      drawId: () => `id-${this.id}-${++this.#drawnIds}`,
      logger: this.#logger(),
      stages: NO_STAGES,
      publicUrl: () => `http://broker-${this.id}`,
      onRemoved: () => this.#removed(life),
      onFatal: (error) => this.#ended(life, error),
    })
    await composition.listen()
    this.#process = { composition, store, transport, clock, onEnd: new Set() }
    await composition.join()
  }

  async #openStore(life: number, clock: ProcessClock): Promise<JournaledStore> {
    const { queue } = this.#scene
    await this.disk.setAsideOutsider()
    const user: DiskUser = {
      nowMs: () => clock.nowMs(),
      schedule: (run, delayMs) => queue.after(delayMs / this.#clockRate, () => this.#inProcess(life, run)),
      onFailure: (error) => this.#ended(life, error),
      onIdle: () => {
        if (this.#life === life) this.#process?.composition.writerIdle()
      },
      onDamaged: (report) => {
        if (this.#life === life) this.#process?.composition.damage.met(report)
      },
      whenAwake: (run) => this.#inProcess(life, run),
      space: () => Promise.resolve({ freeBytes: this.isDiskFull ? 0 : 2 ** 40, full: this.isDiskFull }),
    }
    try {
      return await this.disk.open(user)
    } catch (error) {
      // As the start of a real broker, which has peers.
      if (!this.#isSpoiled(error)) throw error
      await this.disk.setAside()
      return this.disk.open(user)
    }
  }

  /** The process ended itself. It may where its disk failed, which a supervisor answers with a new start. */
  #ended(life: number, error: unknown): void {
    if (this.#life !== life) return
    if (isRemoval(error)) this.#hasToLeave(error)
    else if (!isDiskError(error) && !this.#isSpoiled(error)) return this.#scene.failed(error)
    this.#note(TRACED.CRASH, life, `broker ${this.id} ends itself: ${String(error)}`)
    this.#end()
    this.#startLater(100)
  }

  #startLater(delayMs: number): void {
    this.#scene.queue.after(delayMs, () => {
      if (!this.#scene.absent.has(this.id)) this.start()
    })
  }

  /** The cluster removed it: it stops, and an operator starts it again as a new broker, with an empty disk. */
  #removed(life: number): void {
    if (this.#life !== life) return
    this.#hasToLeave(new Error(`Broker ${this.id} was removed.`))
    this.shutDown()
  }

  /** Its store is damaged as a whole, and so it should be. */
  #isSpoiled(error: unknown): boolean {
    return error instanceof DamagedStoreError && this.#scene.swarm.harm !== 'none'
  }

  #hasToLeave(reason: unknown): void {
    if (!changesMembers(this.#scene.swarm)) return this.#scene.failed(reason)
    this.#isRemoved = true
  }

  #end(): void {
    const process = this.#process
    this.#life++
    this.#isOn = false
    this.#process = undefined
    this.#pausable.clear()
    process?.composition.halt()
    process?.transport.halt()
    this.disk.crash()
    for (const lost of process?.onEnd ?? []) lost()
    this.#isStopping = false
    if (this.#isRemoved) {
      this.disk.wipe(false)
      this.#isJoiner = true
    }
    if (this.#startsAgain || this.#isRemoved) this.#startLater(this.#isRemoved ? AS_NEW_AFTER_MS : 0)
    this.#isRemoved = false
    this.#startsAgain = false
  }

  #inProcess(life: number, run: () => void): void {
    if (this.#life !== life) return
    this.#pausable.whenAwake(() => {
      if (this.#life === life) run()
    })
  }

  /** Who joins is told of the members: were it told of the founders, one that founded a cluster alone would do so again. */
  #seeds(): readonly BrokerId[] {
    const { founders, brokers } = this.#scene
    return this.#isJoiner ? [...brokers.keys()].filter((id) => id !== this.id) : founders
  }

  #logger(): Logger {
    const say = (facts: object, message: string): void =>
      this.#note(TRACED.ROLE, message.length, `broker ${this.id} says: ${message} ${JSON.stringify(facts)}`)
    const logger: Logger = {
      debug: () => {},
      info: say,
      warn: say,
      error: say,
      child: () => logger,
    }
    return logger
  }

  #note(kind: number, detail: number, line: string): void {
    const { trace, queue } = this.#scene
    trace.note(kind, this.id, detail, queue.nowMs, () => line)
  }
}
