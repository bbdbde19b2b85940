import { crc32 } from 'node:zlib'
import { brokerId, storeId, type BrokerId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { EventQueue } from '../sim/event-queue.ts'
import { Judge, Violation } from '../sim/judge.ts'
import { Network } from '../sim/network.ts'
import { Random } from '../sim/random.ts'
import { Trace, TRACED } from '../sim/trace.ts'
import { Bounds } from './bounds.ts'
import { SimulatedBroker } from './broker.ts'
import { Clients } from './clients.ts'
import { drive } from './drive.ts'
import { beginFaults, STALL_MAX_MS } from './faults.ts'
import { compareReplicas, readEverything, whyNotConverged, whyNotIdle } from './final-state.ts'
import { Lanes } from './lanes.ts'
import { NO_MUTANT, type BrokersMutant } from './mutants.ts'
import { Probes } from './probes.ts'
import type { BrokersScene } from './scene.ts'
import { drawBrokersSwarm, type BrokersSwarm } from './swarm.ts'

/** All brokers find each other and found their cluster within this, though the network loses much. */
const FOUNDED_MAX_MS = 120_000
/** A healed majority stores new records, and a healed cluster agrees on everything, within this. */
const PROGRESS_MAX_MS = 30_000
/** And a while later nobody has anything left to do. */
const IDLE_MAX_MS = 12_000
/** So long after its delay what was applied is in the index. */
const INDEXED_AFTER_MS = 300
const LOOK_EVERY_MS = 100
/** By then a broker has noticed that its disk is full, and refuses writes in what it still leads. */
const FULL_NOTICED_MS = 5_000
/** Events of a run before it counts as endless. */
const EVENTS_MAX = 1_000_000

export interface BrokersRunOptions {
  readonly mutant?: BrokersMutant
  readonly isTraced?: boolean
}

export interface BrokersRunReport {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly hash: string
  readonly eventCount: number
  readonly storedCount: number
  /** Virtual. */
  readonly durationMs: number
  readonly healedAfterMs: number
  /** What went wrong in it, by name. */
  readonly struck: ReadonlySet<string>
  readonly lines: readonly string[]
}

/** Runs one seed: brokers, clients and faults in virtual time, then healing in two steps, then the comparison. */
export async function runBrokers(seed: number, options: BrokersRunOptions = {}): Promise<BrokersRunReport> {
  const mutant = options.mutant ?? NO_MUTANT
  const uninstall = mutant.install?.()
  try {
    return await new World(seed, mutant, options.isTraced === true).run()
  } finally {
    uninstall?.()
  }
}

class World implements BrokersScene {
  readonly queue = new EventQueue()
  readonly brokers = new Map<BrokerId, SimulatedBroker>()
  readonly absent = new Set<BrokerId>()
  readonly network: Network
  readonly lanes: Lanes
  readonly trace: Trace
  readonly judge: Judge
  readonly swarm: BrokersSwarm
  readonly mutant: BrokersMutant
  isHealed = false
  readonly #seed: number
  readonly #random: Random
  readonly #clients: Clients
  readonly #bounds = new Bounds(this)
  /** Brokers that were seen to belong to the cluster. */
  readonly #founded = new Set<BrokerId>()
  readonly #struck = new Set<string>()
  #eventCount = 0
  #failure: { readonly error: unknown } | undefined
  #healedAfterMs = NaN

  constructor(seed: number, mutant: BrokersMutant, isTraced: boolean) {
    this.#seed = seed
    this.mutant = mutant
    this.#random = new Random(crc32(`brokers ${seed}`))
    this.swarm = { ...drawBrokersSwarm(this.#random.fork('swarm')), ...mutant.swarm }
    this.trace = new Trace(isTraced)
    this.judge = new Judge(mutant.ignored)
    this.network = new Network(this.queue, this.#random.fork('network'), this.swarm)
    this.lanes = new Lanes(this.network, this.#random.fork('lanes'))
    for (let number = 1; number <= this.swarm.brokerCount; number++) {
      const self = { broker: brokerId(number), store: storeId(String(number).padStart(32, '0')) }
      this.brokers.set(self.broker, new SimulatedBroker(self, this, this.#random.fork(`broker ${number}`)))
    }
    this.#clients = new Clients(this, this.#random.fork('clients'))
  }

  failed(error: unknown): void {
    this.#failure ??= { error }
  }

  async run(): Promise<BrokersRunReport> {
    let violation: Violation | undefined
    try {
      await this.#live()
    } catch (error) {
      violation = asViolation(error)
    }
    for (const broker of this.brokers.values()) broker.crash()
    const { trace, queue } = this
    return {
      seed: this.#seed,
      violation,
      hash: trace.hash,
      eventCount: this.#eventCount,
      storedCount: this.#clients.histories.producedCount,
      durationMs: queue.nowMs,
      healedAfterMs: this.#healedAfterMs,
      struck: this.#struck,
      lines: trace.lines,
    }
  }

  async #live(): Promise<void> {
    const { queue, swarm, brokers } = this
    for (const broker of brokers.values()) queue.after(this.#random.exponential(20), () => broker.start())
    if (swarm.isFormedFirst) await this.#until(FOUNDED_MAX_MS, () => this.#whyNotFounded())
    beginFaults(this, this.#random.fork('faults'), this.#struck)
    await this.#pass(swarm.faultPhaseMs)
    // Founding a cluster needs all its brokers.
    if (this.#whyNotFounded() === undefined) await this.#goOnWithoutSome()
    this.#healAll()
    const startMs = queue.nowMs
    await this.#until(PROGRESS_MAX_MS, () =>
      this.#clients.busy.size > 0 ? `${[...this.#clients.busy].join(', ')} wait` : whyNotConverged(this),
    )
    this.#healedAfterMs = queue.nowMs - startMs
    await this.#until(IDLE_MAX_MS, () => whyNotIdle(this), 'idle')
    await this.#pass(this.#indexedWithinMs())
    await this.#finish(readEverything(this, this.#clients))
    await this.#finish(compareReplicas(this))
    this.#clients.truth.finish()
    this.#clients.histories.finish(this.judge, (topic) => this.#clients.truth.isKept(topic))
  }

  /** A write of the index that a stalled disk holds on to comes to its end when the stall would have ended. */
  #indexedWithinMs(): number {
    const { storeTuning, stallEveryMs } = this.swarm
    const stallMs = stallEveryMs === Infinity ? 0 : STALL_MAX_MS
    return (storeTuning.indexDelayMs ?? 0) + stallMs + INDEXED_AFTER_MS
  }

  #whyNotFounded(): string | undefined {
    for (const { id, process } of this.brokers.values()) {
      if (process !== undefined && process.store.identity.clusterId !== '') this.#founded.add(id)
      if (!this.#founded.has(id)) return `broker ${id} has no cluster`
    }
    return undefined
  }

  /** Heals all but a minority, which stays away in one way or another, and demands that the others do without it. */
  async #goOnWithoutSome(): Promise<void> {
    const { swarm, brokers } = this
    const random = this.#random.fork('absence')
    const ids = [...brokers.keys()]
    const absentCount = swarm.absence === 'nobody' ? 0 : Math.floor((ids.length - 1) / 2)
    for (let count = 0; count < absentCount; count++)
      this.absent.add(random.pick(ids.filter((id) => !this.absent.has(id))))
    this.#note(`all but ${[...this.absent].join(', ')} are healed; ${swarm.absence}`)
    this.isHealed = true
    this.network.heal()
    for (const broker of brokers.values()) {
      if (this.absent.has(broker.id)) this.#keepAway(broker)
      else this.#heal(broker)
    }
    if (this.absent.size === 0) return
    this.#struck.add(swarm.absence)
    // A disk is looked at now and then, and what it leads is handed over before writes are refused.
    if (swarm.absence === 'full') await this.#pass(FULL_NOTICED_MS)
    const probes = new Probes(this, this.#clients, random)
    await this.#until(PROGRESS_MAX_MS, () => probes.whyNotDone())
  }

  #keepAway(broker: SimulatedBroker): void {
    switch (this.swarm.absence) {
      case 'nobody':
        return
      case 'down':
        return broker.crash()
      case 'isolated':
        for (const id of this.brokers.keys())
          if (id !== broker.id) {
            this.network.cut(broker.id, id)
            this.network.cut(id, broker.id)
          }
        return broker.start()
      case 'stalled':
        broker.disk.stall(2 * PROGRESS_MAX_MS)
        return broker.start()
      case 'full':
        this.#heal(broker)
        broker.isDiskFull = true
        return
      case 'paused':
        return broker.pause(2 * PROGRESS_MAX_MS)
    }
  }

  #heal(broker: SimulatedBroker): void {
    broker.disk.heal()
    broker.isDiskFull = false
    broker.wake()
    broker.start()
  }

  #healAll(): void {
    this.#note('all is healed')
    this.isHealed = true
    this.network.heal()
    // A disk that hangs for good is replaced, its writes under way with it.
    if (this.swarm.absence === 'stalled')
      for (const id of this.absent) (this.brokers.get(id) as SimulatedBroker).crash()
    this.absent.clear()
    for (const broker of this.brokers.values()) this.#heal(broker)
    this.#clients.isOver = true
  }

  /** Lets virtual time pass until `whyNot` has nothing to say any more; it is asked now and then. */
  async #until(
    withinMs: number,
    whyNot: () => string | undefined,
    rule: 'progress' | 'idle' = 'progress',
  ): Promise<void> {
    const { queue } = this
    const deadlineMs = queue.nowMs + withinMs
    let reason: string | undefined = 'it has just begun'
    let nextLookMs = queue.nowMs
    await drive(queue, () => {
      this.#check()
      if (queue.nowMs < nextLookMs) return false
      nextLookMs = queue.nowMs + LOOK_EVERY_MS
      this.#bounds.look()
      reason = whyNot()
      return reason === undefined || queue.nowMs >= deadlineMs
    })
    this.judge.demand(reason === undefined, rule, () => `after ${withinMs} ms ${reason}`)
  }

  async #pass(ms: number): Promise<void> {
    const untilMs = this.queue.nowMs + ms
    await this.#until(2 * ms, () => (this.queue.nowMs >= untilMs ? undefined : 'time passes'))
  }

  /** Lets virtual time pass until the promise is settled. */
  async #finish(work: Promise<void>): Promise<void> {
    let isOpen = true
    const settle = (): void => void (isOpen = false)
    work.then(settle, settle)
    await this.#until(PROGRESS_MAX_MS, () => (isOpen ? 'the last reads are open' : undefined))
    await work
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (++this.#eventCount > EVENTS_MAX) throw new Violation('spin', `more than ${EVENTS_MAX} events`)
  }

  #note(what: string): void {
    this.trace.note(TRACED.FAULT, 0, what.length, this.queue.nowMs, () => what)
  }
}

/** An invariant of the code under test that breaks is a finding like an oracle's. */
function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error
  const text =
    error instanceof InvariantError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error)
  const violation = new Violation('exception', text)
  if (error instanceof Error && error.stack !== undefined) violation.stack = error.stack
  return violation
}
