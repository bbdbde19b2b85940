import type { Harm } from '../sim/harm.ts'
import { drawDisk, drawFaults, drawNetwork, type DrawEvery } from '../sim/swarm.ts'
import type { Random } from '../sim/random.ts'

/** What keeps a minority away while the others have to go on without it. */
export type Absence = 'nobody' | 'down' | 'isolated' | 'stalled' | 'paused' | 'full'

type Shared = ReturnType<typeof drawNetwork> & ReturnType<typeof drawFaults> & ReturnType<typeof drawDisk>

/** What a run is like, drawn anew for each seed; the network, the disks and most faults as in the simulator of the core. */
export interface BrokersSwarm extends Shared {
  readonly brokerCount: number
  readonly faultPhaseMs: number
  /** Faults begin when the cluster is there; in some runs while it is formed. */
  readonly isFormedFirst: boolean
  readonly transferEveryMs: number
  /** Brokers are asked to stop, as by SIGTERM. */
  readonly shutdownEveryMs: number
  readonly ioErrorEveryMs: number
  readonly fullDiskEveryMs: number
  readonly clockJumpEveryMs: number
  readonly laneBreakEveryMs: number
  /** Clocks run this much faster or slower than each other, as a share. */
  readonly clockDrift: number
  readonly absence: Absence
  /** Bits flip on one broker's disk while it runs; Infinity: never. */
  readonly rotEveryMs: number
  /** So many values of its journal at most change or vanish between a crash and a start. */
  readonly rotAtRestMax: number
  /** Whole records, too. */
  readonly isRotOfRecords: boolean
  /** Its disk is searched for damage. */
  readonly scrubEveryMs: number
  /** Operators move replicas, drain and remove brokers, and cancel that; Infinity: never. */
  readonly operateEveryMs: number
  /** Brokers that join the cluster while it works. */
  readonly joinerCount: number
  readonly controllerCrashEveryMs: number
  /** What becomes of one broker's disk: it is empty, loses the end of what it had confirmed, or an old copy takes its place. */
  readonly harm: Harm

  readonly heartbeatMs: number
  readonly suspectMs: number
  readonly produceTimeoutMs: number
  readonly appendQueueBytesMax: number
  readonly tailCacheBytes: number
  /** Messages between brokers go through the codecs of the real transport; others are handed over as they are. */
  readonly isEncoded: boolean

  readonly producerCount: number
  readonly produceEveryMs: number
  readonly retryAfterMs: number
  readonly recordsMax: number
  readonly valueBytesMax: number
  readonly allAcksRate: number
  readonly consumerCount: number
  readonly readEveryMs: number
  readonly administratorCount: number
  readonly administerEveryMs: number
  readonly partitionsMax: number
  readonly maxLagSlots: number
  readonly maxLagMs: number
  /** Operators trim, and look where partitions begin. */
  readonly trimEveryMs: number
  /** How long topics that may be trimmed keep their records at least; null: for ever. */
  readonly retentionMs: number | null
}

const BROKER_COUNTS = [3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 5, 2, 1]

export function drawBrokersSwarm(random: Random): BrokersSwarm {
  const brokerCount = random.pick(BROKER_COUNTS)
  const every: DrawEvery = (probability, low, high) =>
    random.chance(probability) ? random.between(low, high) : Infinity
  return {
    brokerCount,
    faultPhaseMs: random.between(1_500, brokerCount > 3 ? 3_000 : 4_500),
    isFormedFirst: random.chance(0.8),
    ...drawNetwork(random, 0.2),
    ...drawFaults(random, every, 0.5),
    ...drawDisk(random),
    ...drawBrokerFaults(every),
    clockDrift: random.chance(0.5) ? 0.02 : 0,
    absence: random.pick(['nobody', 'down', 'isolated', 'stalled', 'paused', 'full'] as const),
    ...drawSettings(random),
    ...drawClients(random),
    trimEveryMs: every(0.4, 50, 500),
    retentionMs: random.chance(0.3) ? random.pick([1_000, 2_500]) : null,
    ...drawRot(random.fork('rot'), brokerCount),
    ...drawOperations(random.fork('operations')),
    harm: drawHarm(random.fork('harm'), brokerCount),
  }
}

function drawBrokerFaults(every: DrawEvery) {
  return {
    transferEveryMs: every(0.4, 100, 1_500),
    shutdownEveryMs: every(0.3, 700, 3_000),
    ioErrorEveryMs: every(0.25, 800, 4_000),
    fullDiskEveryMs: every(0.2, 500, 2_000),
    clockJumpEveryMs: every(0.4, 100, 1_500),
    laneBreakEveryMs: every(0.4, 100, 1_000),
  }
}

function drawRot(random: Random, brokerCount: number) {
  if (brokerCount < 3 || !random.chance(0.25))
    return { rotEveryMs: Infinity, rotAtRestMax: 0, isRotOfRecords: false, scrubEveryMs: Infinity }
  return {
    rotEveryMs: random.chance(0.7) ? random.between(50, 800) : Infinity,
    rotAtRestMax: random.pick([1, 3, 10]),
    isRotOfRecords: random.chance(0.5),
    scrubEveryMs: random.chance(0.7) ? random.between(100, 1_000) : Infinity,
  }
}

function drawOperations(random: Random) {
  if (!random.chance(0.15))
    return { operateEveryMs: Infinity, joinerCount: 0, controllerCrashEveryMs: Infinity }
  return {
    operateEveryMs: random.between(100, 1_000),
    joinerCount: random.pick([0, 1, 1, 2]),
    controllerCrashEveryMs: random.chance(0.5) ? random.between(300, 2_000) : Infinity,
  }
}

/** Operators change who is a member, or a store is given up. */
export function changesMembers({ operateEveryMs, harm }: BrokersSwarm): boolean {
  return operateEveryMs < Infinity || harm !== 'none'
}

/** With fewer than three copies the loss of one is a loss. */
function drawHarm(random: Random, brokerCount: number): Harm {
  return brokerCount >= 3 && random.chance(0.08)
    ? random.pick(['wipe', 'wipe', 'lie', 'restore'] as const)
    : 'none'
}

function drawSettings(random: Random) {
  const heartbeatMs = random.between(80, 200)
  return {
    heartbeatMs,
    suspectMs: heartbeatMs * random.between(3, 8),
    produceTimeoutMs: random.pick([600, 2_000, 8_000]),
    appendQueueBytesMax: random.pick([1_500, 1024 * 1024]),
    tailCacheBytes: random.pick([0, 500, 1024 * 1024]),
    isEncoded: random.chance(0.3),
  }
}

function drawClients(random: Random) {
  return {
    producerCount: 2 + random.integer(4),
    produceEveryMs: random.pick([20, 60, 150]),
    retryAfterMs: random.pick([30, 300]),
    recordsMax: random.pick([1, 3]),
    valueBytesMax: random.pick([0, 300]),
    allAcksRate: random.pick([0, 0.3, 1]),
    consumerCount: 1 + random.integer(3),
    readEveryMs: random.pick([30, 150, 1_000]),
    administratorCount: random.integer(3),
    administerEveryMs: random.pick([100, 500]),
    partitionsMax: random.pick([1, 2, 4]),
    maxLagSlots: random.pick([2, 1_000]),
    maxLagMs: random.pick([500, 10_000]),
  }
}
