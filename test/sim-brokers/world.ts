import { crc32 } from 'node:zlib'
import { brokerId, CONTROLLER_GROUP, storeId, type BrokerId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { EventQueue } from '../sim/event-queue.ts'
import { Judge, Violation } from '../sim/judge.ts'
import { Network } from '../sim/network.ts'
import { Random } from '../sim/random.ts'
import { Trace, TRACED } from '../sim/trace.ts'
import { Bounds } from './bounds.ts'
import { SimulatedBroker } from './broker.ts'
import { Clients } from './clients.ts'
import { beginFaults, STALL_MAX_MS } from './faults.ts'
import { compareReplicas, readEverything } from './final-state.ts'
import { whyNotConverged, votersOf, whyNotIdle, whyNotPlaced } from './settled.ts'
import { spoil, wipeOnce } from './harm.ts'
import { Lanes } from './lanes.ts'
import { NO_MUTANT, type BrokersMutant } from './mutant.ts'
import { Passage, PROGRESS_MAX_MS } from './passage.ts'
import { Probes } from './probes.ts'
import { drawVictims, repairedCount, searchUntilWhole } from './rot.ts'
import type { BrokersScene } from './scene.ts'
import { changesMembers, drawBrokersSwarm, type BrokersSwarm } from './swarm.ts'

/** All brokers find each other and found their cluster within this, though the network loses much. */
const FOUNDED_MAX_MS = 120_000
/** And a while later nobody has anything left to do. */
const IDLE_MAX_MS = 30_000
/** So long after its delay what was applied is in the index. */
const INDEXED_AFTER_MS = 300
/** Clocks differ by that much, and what a hasty one stamped grows old so much later. */
const CLOCK_WRONG_MAX_MS = 12_000
/** By then a broker has noticed that its disk is full, and refuses writes in what it still leads. */
const FULL_NOTICED_MS = 5_000
/** By then the others have missed the store of a broker that lost its disk; the time after which they suspect one is the unit. */
const MISSED_TIMEOUTS = 3

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
  readonly victims: ReadonlySet<BrokerId>
  readonly founders: readonly BrokerId[]
  readonly replicasMin: number
  isHealed = false
  readonly #seed: number
  readonly #random: Random
  readonly #clients: Clients
  /** Brokers that were seen to belong to the cluster. */
  readonly #founded = new Set<BrokerId>()
  readonly #struck = new Set<string>()
  readonly #passage: Passage
  #healedAfterMs = NaN

  constructor(seed: number, mutant: BrokersMutant, isTraced: boolean) {
    this.#seed = seed
    this.mutant = mutant
    this.#random = new Random(crc32(`brokers ${seed}`))
    this.swarm = { ...drawBrokersSwarm(this.#random.fork('swarm')), ...mutant.swarm }
    const { brokerCount, joinerCount } = this.swarm
    const ids = Array.from({ length: brokerCount + joinerCount }, (_, index) => brokerId(index + 1))
    this.founders = ids.slice(0, brokerCount)
    this.victims = drawVictims(this.swarm, this.founders, this.#random.fork('victims'))
    this.replicasMin = this.victims.size > 0 || this.swarm.harm !== 'none' ? 3 : 1
    this.trace = new Trace(isTraced)
    this.judge = new Judge(mutant.ignored)
    this.network = new Network(this.queue, this.#random.fork('network'), this.swarm)
    this.lanes = new Lanes(this.network, this.#random.fork('lanes'))
    for (const id of ids) {
      const self = { broker: id, store: storeId(String(id).padStart(32, '0')) }
      this.brokers.set(id, new SimulatedBroker(self, this, this.#random.fork(`broker ${id}`)))
    }
    const bounds = new Bounds(this)
    this.#passage = new Passage(this, () => bounds.look())
    this.#clients = new Clients(this, this.#random.fork('clients'))
  }

  failed(error: unknown): void {
    this.#passage.failed(error)
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
      eventCount: this.#passage.eventCount,
      storedCount: this.#clients.histories.producedCount,
      durationMs: queue.nowMs,
      healedAfterMs: this.#healedAfterMs,
      struck: this.#struck,
      lines: trace.lines,
    }
  }

  async #live(): Promise<void> {
    const { queue, swarm, brokers } = this
    for (const id of this.founders) queue.after(this.#random.exponential(20), () => brokers.get(id)?.start())
    if (swarm.isFormedFirst) await this.#passage.until(FOUNDED_MAX_MS, () => this.#whyNotFounded())
    const victim = brokers.get(this.#random.fork('harm').pick(this.founders)) as SimulatedBroker
    if (swarm.harm === 'wipe')
      wipeOnce(this, victim, {
        random: this.#random.fork('wipe'),
        onWiped: () => {
          this.#struck.add('wipe')
          this.#clients.operator?.keepFor(MISSED_TIMEOUTS * swarm.suspectMs)
        },
      })
    beginFaults(this, this.#random.fork('faults'), this.#struck)
    await this.#passage.pass(swarm.faultPhaseMs)
    // Who votes changes: only once all is settled it is known who may be absent.
    if (changesMembers(swarm)) await this.#settle(victim)
    // Founding a cluster needs all its brokers.
    if (this.#whyNotFounded() === undefined) await this.#goOnWithoutSome()
    this.#healAll()
    this.#clients.isOver = true
    const startMs = queue.nowMs
    await this.#passage.until(PROGRESS_MAX_MS, () =>
      this.#clients.busy.size > 0
        ? `${[...this.#clients.busy].join(', ')} wait`
        : (whyNotPlaced(this) ?? whyNotConverged(this)),
    )
    this.#healedAfterMs = queue.nowMs - startMs
    await this.#passage.until(IDLE_MAX_MS, () => whyNotIdle(this), 'idle')
    await this.#passage.pass(this.#indexedWithinMs() + this.#trimmedWithinMs())
    await this.#passage.finish(readEverything(this, this.#clients))
    // Only now: what rotted is served all the same, by others.
    for (const victim of this.victims) await this.#search(this.brokers.get(victim) as SimulatedBroker)
    await this.#passage.finish(compareReplicas(this))
    this.#clients.truth.finish()
    this.#clients.operator?.finish()
    for (const reason of this.#clients.trims.finish(this.#clients.histories)) this.#struck.add(reason)
    this.#clients.histories.finish(this.judge, (topic) => this.#clients.truth.isKept(topic))
  }

  async #search(broker: SimulatedBroker): Promise<void> {
    await searchUntilWhole(this, broker, this.#passage)
    if (repairedCount(broker) > 0) this.#struck.add('repair')
    await this.#passage.until(IDLE_MAX_MS, () => whyNotIdle(this), 'idle')
  }

  /** Heals everything, and waits until nothing changes who votes. */
  async #settle(victim: SimulatedBroker): Promise<void> {
    const { harm } = this.swarm
    this.#clients.operator?.rest()
    this.#healAll()
    if (harm === 'lie' || harm === 'restore') {
      const random = this.#random.fork('spoil')
      if (await spoil(this, victim, { harm, random, passage: this.#passage })) this.#struck.add(harm)
    }
    if (harm !== 'none') this.#clients.mend(victim)
    await this.#passage.until(PROGRESS_MAX_MS, () =>
      ['operator', 'mender'].some((name) => this.#clients.busy.has(name))
        ? 'operators wait'
        : whyNotPlaced(this),
    )
  }

  /** Where brokers come and go a timer more is no sign that records have to grow old yet. */
  #trimmedWithinMs(): number {
    const { retentionMs } = this.swarm
    return retentionMs === null || !changesMembers(this.swarm) ? 0 : retentionMs + CLOCK_WRONG_MAX_MS
  }

  /** A write of the index that a stalled disk holds on to comes to its end when the stall would have ended. */
  #indexedWithinMs(): number {
    const { storeTuning, stallEveryMs } = this.swarm
    const stallMs = stallEveryMs === Infinity ? 0 : STALL_MAX_MS
    return (storeTuning.indexDelayMs ?? 0) + stallMs + INDEXED_AFTER_MS
  }

  #whyNotFounded(): string | undefined {
    for (const id of this.founders) {
      const { process } = this.brokers.get(id) as SimulatedBroker
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
    const voters = votersOf(this, CONTROLLER_GROUP) ?? this.founders
    const absentCount = swarm.absence === 'nobody' ? 0 : Math.floor((voters.length - 1) / 2)
    // Of what is damaged on one disk the whole copies have to be there.
    if (absentCount > 0) for (const victim of this.victims) this.absent.add(victim)
    while (this.absent.size < absentCount)
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
    if (swarm.absence === 'full') await this.#passage.pass(FULL_NOTICED_MS)
    const probes = new Probes(this, this.#clients, random)
    await this.#passage.until(PROGRESS_MAX_MS, () => probes.whyNotDone())
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
    // What was stamped by a clock that was ahead grows old only once the others are as far.
    broker.setClockWrongBy(0)
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
