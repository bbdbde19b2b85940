import { crc32 } from 'node:zlib'
import {
  brokerId,
  groupId,
  slot,
  storeId,
  type BrokerId,
  type GroupId,
  type Replica,
} from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import type { Configuration } from '../../src/paxos/state.ts'
import { Atlas, drawRotten } from './atlas.ts'
import { Disk } from './disk.ts'
import { EventQueue } from './event-queue.ts'
import { Faults } from './faults.ts'
import { Harming } from './harm.ts'
import { Judge, Violation } from './judge.ts'
import { hasNewStore, isVoting, Membership } from './membership.ts'
import { Network } from './network.ts'
import { NO_MUTANT, type Mutant } from './mutants.ts'
import { SimulatedBroker } from './node.ts'
import { Oracles } from './oracles.ts'
import { Random } from './random.ts'
import { letRot, readBack, scrub, type RotAtRest } from './rot.ts'
import type { Scene } from './scene.ts'
import { drawSwarm, type Swarm } from './swarm.ts'
import { Trace, TRACED } from './trace.ts'
import { Workload } from './workload.ts'

/** A healed cluster decides a new entry, and all its replicas agree on everything, within this. */
const PROGRESS_MAX_MS = 30_000
/** And a while later nobody has anything left to do: an idle group costs no timer and next to no memory. */
const IDLE_MAX_MS = 5_000
const LOOK_EVERY_MS = 100
/** Passes of the scrub over one disk until nothing is found any more. */
const SCRUBS_MAX = 3
/** Events of a run before it counts as endless. */
const EVENTS_MAX = 200_000

export interface RunOptions {
  readonly mutant?: Mutant
  readonly isTraced?: boolean
}

export interface RunReport {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly hash: string
  readonly eventCount: number
  readonly chosenCount: number
  /** Configurations that were begun after the first. */
  readonly changeCount: number
  readonly storedCount: number
  readonly resetCount: number
  readonly healedAfterMs: number
  readonly lines: readonly string[]
}

/** Runs one seed: brokers, clients and faults in virtual time, then healing, then the demand for progress. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunReport> {
  const mutant = options.mutant ?? NO_MUTANT
  const uninstall = mutant.install?.()
  try {
    return await new World(seed, mutant, options.isTraced === true).run()
  } finally {
    uninstall?.()
  }
}

class World implements Scene {
  readonly queue = new EventQueue()
  readonly brokers = new Map<BrokerId, SimulatedBroker>()
  readonly network: Network
  readonly oracles: Oracles
  readonly trace: Trace
  readonly swarm: Swarm
  readonly mutant: Mutant
  readonly configuration: Configuration
  readonly groups: readonly GroupId[]
  readonly membership: Membership
  readonly atlas: Atlas
  isHealed = false
  private readonly seed: number
  private readonly random: Random
  private readonly harmRandom: Random
  private readonly startDelaysMs: readonly number[]
  private readonly workload: Workload
  private readonly judge: Judge
  private failure: unknown
  private isStirred = false
  private healedAfterMs = NaN

  constructor(seed: number, mutant: Mutant, isTraced: boolean) {
    this.seed = seed
    this.mutant = mutant
    this.random = new Random(crc32(`seed ${seed}`))
    this.swarm = { ...drawSwarm(this.random.fork('swarm')), ...mutant.swarm }
    this.trace = new Trace(isTraced)
    this.judge = new Judge(mutant.ignored)
    this.network = new Network(this.queue, this.random.fork('network'), this.swarm)
    const all: Replica[] = []
    for (let id = 1; id <= this.swarm.brokerCount + this.swarm.spareCount; id++)
      all.push({ broker: brokerId(id), store: storeId(String(id).padStart(32, '0')) })
    const voters = all.slice(0, this.swarm.brokerCount)
    this.configuration = { number: 1, voters, learners: [], fromSlot: slot(0) }
    this.groups = Array.from({ length: this.swarm.groupCount }, (_, index) => groupId(index + 1))
    this.oracles = new Oracles(
      this.groups,
      this.configuration,
      all.map((replica) => replica.broker),
      this.judge,
    )
    for (const self of all) {
      const random = this.random.fork(`broker ${self.broker}`)
      const disk = new Disk(self, this, random.fork('disk'))
      this.brokers.set(self.broker, new SimulatedBroker({ self, disk, scene: this, random }))
    }
    this.membership = new Membership(this, this.random.fork('membership'))
    this.workload = new Workload(this, this.random.fork('workload'))
    const ids = voters.map((voter) => voter.broker)
    const rotRandom = this.random.fork('victims')
    this.startDelaysMs = all.map(() => this.random.exponential(20))
    this.harmRandom = this.random.fork('harm')
    const drawn = this.harmRandom.pick(ids)
    const forgetful = this.swarm.harm === 'none' ? undefined : drawn
    this.atlas = new Atlas(drawRotten(this.swarm, ids, forgetful, rotRandom), forgetful)
  }

  rotOf(broker: BrokerId): RotAtRest | undefined {
    const { rotAtRestMax, isRotOfRecords } = this.swarm
    return this.atlas.rotten.has(broker)
      ? { valuesMax: rotAtRestMax, isOfRecords: isRotOfRecords }
      : undefined
  }

  failed(error: unknown): void {
    this.failure ??= error
  }

  stir(): void {
    this.isStirred = true
  }

  async run(): Promise<RunReport> {
    let violation: Violation | undefined
    try {
      // Once a run the event loop gets its turn: timers and signals of whoever runs many seeds.
      await new Promise<void>((resolve) => setImmediate(resolve))
      for (const [index, broker] of [...this.brokers.values()].entries())
        this.queue.after(this.startDelaysMs[index] as number, () => broker.start())
      new Faults(this, this.random.fork('faults'))
      letRot(this, this.random.fork('rot'))
      const { forgetful } = this.atlas
      if (forgetful !== undefined) new Harming(this, this.harmRandom, this.brokers.get(forgetful)!)
      await this.until(this.swarm.faultPhaseMs, () => false)
      this.heal()
      const deadlineMs = this.queue.nowMs + PROGRESS_MAX_MS
      const startMs = this.queue.nowMs
      await this.until(deadlineMs, () => this.hasConverged())
      this.healedAfterMs = this.queue.nowMs - startMs
      this.judge.demand(this.hasConverged(), 'progress', () => this.describe())
      await this.searchDisks()
      await this.until(this.queue.nowMs + IDLE_MAX_MS, () => this.isIdle())
      this.judge.demand(this.isIdle(), 'idle', () => this.describe())
    } catch (error) {
      violation = asViolation(error)
    }
    for (const broker of this.brokers.values()) broker.end()
    return this.report(violation)
  }

  /** Lets events happen until the time, or until `isDone`, which is asked now and then. */
  private async until(timeMs: number, isDone: () => boolean): Promise<void> {
    const { queue, trace } = this
    let nextLookMs = queue.nowMs
    let isOver = false
    queue.after(timeMs - queue.nowMs, () => (isOver = true))
    while (!isOver) {
      queue.runNext()
      if (this.isStirred) {
        this.isStirred = false
        await atRest()
      }
      if (this.failure !== undefined) throw this.failure
      if (queue.nowMs < nextLookMs) continue
      nextLookMs = queue.nowMs + LOOK_EVERY_MS
      if (trace.eventCount > EVENTS_MAX) throw new Violation('spin', `more than ${EVENTS_MAX} events`)
      if (isDone()) return
    }
  }

  /** Ends all faults. In some runs one broker stays away for good. */
  private heal(): void {
    this.isHealed = true
    this.trace.note(TRACED.FAULT, 0, 1, this.queue.nowMs, () => 'all is healed')
    this.network.heal()
    // The others have to do without the one whose disk was spoiled, and cannot do without two of four.
    const { isOneLeftDown, harm, brokerCount } = this.swarm
    const mayLeave = isOneLeftDown && (harm === 'none' || brokerCount >= 5)
    const drawn = mayLeave ? this.random.pick([...this.brokers.keys()]) : undefined
    const canSpare = this.groups.every(
      (group) => drawn !== undefined && this.membership.canSpare(group, drawn),
    )
    const away = canSpare ? drawn : undefined
    this.membership.finish()
    for (const broker of this.brokers.values()) {
      broker.disk.heal()
      broker.wake()
      if (broker.id === away) broker.leave()
      else broker.start()
    }
    this.workload.finish()
  }

  /** Everything that rotted is found and mended; then all disks give back the same. */
  private async searchDisks(): Promise<void> {
    if (this.atlas.rotten.size === 0) return
    const settle = (): Promise<void> =>
      this.until(this.queue.nowMs + PROGRESS_MAX_MS, () => this.hasConverged() && this.isOnDisk())
    await settle()
    for (const [id, broker] of this.brokers) {
      // A replica that takes part no more asks as well, but what it holds others may have trimmed; perhaps it does not know yet.
      if (!broker.hosts.every((host) => isVoting(this, id, host))) continue
      if (this.atlas.rotten.has(id)) await this.searchDisk(id, settle)
      for (const group of this.groups) await this.finish(readBack(this, id, group))
    }
  }

  private async searchDisk(id: BrokerId, settle: () => Promise<void>): Promise<void> {
    for (let damagedCount = 1, pass = 1; damagedCount > 0; pass++) {
      damagedCount = await this.finish(scrub(this, id))
      const isOver = damagedCount === 0 || pass < SCRUBS_MAX
      this.judge.demand(isOver, 'repair', () => `broker ${id} has ${damagedCount} damaged entries`)
      await settle()
    }
  }

  private isOnDisk(): boolean {
    return [...this.brokers.values()].every(
      ({ isUp, hosts }) => isUp && hosts.every((host) => host.pending.length === 0),
    )
  }

  /** Lets events happen until the promise is settled. */
  private async finish<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    // It may be settled already, and nothing else stirs in an idle cluster.
    this.stir()
    await this.until(this.queue.nowMs + PROGRESS_MAX_MS, () => isSettled)
    return promise
  }

  private hasConverged(): boolean {
    if (this.workload.openCount > 0) return false
    return this.groups.every((group) => {
      const { chosenThrough, newest } = this.oracles.of(group).truth
      let leaderCount = 0
      for (const voter of newest.voters) {
        const broker = this.brokers.get(voter.broker) as SimulatedBroker
        // An outsider stays as it is until its store is replaced.
        if (!broker.isUp || broker.isOutsider) continue
        const paxos = broker.host(group)?.paxos
        if (paxos?.role === 'leader') leaderCount++
        if ((paxos?.damagedCount ?? 0) > 0) return false
        const isLevel = paxos?.commit === chosenThrough && paxos.through === chosenThrough
        if (!isLevel || broker.host(group)?.appliedSlot !== chosenThrough) return false
      }
      return leaderCount === 1
    })
  }

  private isIdle(): boolean {
    for (const broker of this.brokers.values()) {
      // Who has no vote asks for what is chosen, again and again; an outsider keeps the end of its log.
      if (hasNewStore(this, broker.id, broker.disk.storeId) || broker.isOutsider) continue
      for (const host of broker.hosts) {
        const { deadlineMs, memoryBytes } = host.paxos
        if (isVoting(this, broker.id, host) && (deadlineMs !== undefined || memoryBytes > 0)) return false
      }
    }
    return true
  }

  private describe(): string {
    const lines = [`${this.workload.openCount} requests are open`]
    for (const group of this.groups) {
      for (const broker of this.brokers.values()) {
        const host = broker.host(group)
        if (host === undefined) continue
        const { role, status, leader, commit, through, deadlineMs, memoryBytes, configuration } = host.paxos
        const rest =
          deadlineMs === undefined
            ? `idle, ${memoryBytes} bytes`
            : `next tick in ${(deadlineMs - broker.nowMs()).toFixed(0)} ms`
        lines.push(
          `g${group} broker ${broker.id}: ${role} ${status} in ${configuration.number}, leader ${leader}, commit ${commit}, through ${through}, ${rest}`,
        )
      }
      const { chosenThrough, newest } = this.oracles.of(group).truth
      const voters = newest.voters.map((voter) => voter.broker).join(' ')
      lines.push(`g${group} chosen ${chosenThrough}, configuration ${newest.number}: ${voters}`)
    }
    return lines.join('; ')
  }

  private report(violation: Violation | undefined): RunReport {
    let chosenCount = 0
    let changeCount = 0
    for (const group of this.groups) {
      const { chosenThrough, newest } = this.oracles.of(group).truth
      chosenCount += chosenThrough
      changeCount += newest.number - 1
    }
    const { seed, trace, workload, healedAfterMs } = this
    return {
      seed,
      violation,
      hash: trace.hash,
      eventCount: trace.eventCount,
      chosenCount,
      changeCount,
      storedCount: workload.storedCount,
      resetCount: this.oracles.resetCount,
      healedAfterMs,
      lines: trace.lines,
    }
  }
}

/**
 * All that is under way inside the process has come to rest: Node empties the queue of microtasks before it looks at this one.
 * That holds for callers that run in a microtask themselves, as everything behind an "await" does. It costs a fraction of a
 * turn of the event loop.
 */
function atRest(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
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
