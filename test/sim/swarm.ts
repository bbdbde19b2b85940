import { DEFAULT_TUNING, type PaxosTuning } from '../../src/paxos/options.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import type { Harm } from './harm.ts'
import type { Random } from './random.ts'

/**
 * What a run is like, drawn anew for each seed: one run has a slow disk and a perfect network, the next loses every fourth
 * message and never crashes. Runs that each do a few things often find more than runs that do everything rarely.
 */
export interface Swarm {
  /** Voters of the first configuration, and brokers beside them. */
  readonly brokerCount: number
  readonly spareCount: number
  readonly groupCount: number
  readonly faultPhaseMs: number

  readonly delayMeanMs: number
  readonly lossRate: number
  readonly duplicateRate: number
  /** Whether messages of one link arrive in the order in which they left. */
  readonly isOrdered: boolean
  /** Share of the messages caught by a partition that arrive when it ends; the others are lost. */
  readonly heldRate: number

  /** Mean time between faults of a kind, Infinity for never. */
  readonly crashEveryMs: number
  readonly downMeanMs: number
  /** How often a power cut takes another broker too. */
  readonly togetherRate: number
  readonly partitionEveryMs: number
  readonly partitionMeanMs: number
  readonly pauseEveryMs: number
  readonly pauseMaxMs: number
  readonly clogEveryMs: number
  readonly clogMaxMs: number
  readonly stallEveryMs: number
  readonly resignEveryMs: number
  /** Leaders are ordered to hand over to any other broker, whatever its state. */
  readonly transferEveryMs: number
  /** The control plane wants other voters. */
  readonly reconfigureEveryMs: number
  /** A replica that neither votes nor learns is deleted; it may be made anew later. */
  readonly dropEveryMs: number
  /** Leaders mark their logs, and mostly trim them. */
  readonly trimEveryMs: number
  readonly partBytesMax: number
  /** The failure detector is made to err: some broker is told that another one is dead or alive. */
  readonly rumourEveryMs: number

  readonly diskMeanMs: number
  readonly diskMaxMs: number
  readonly storeTuning: Partial<StoreTuning> & Pick<StoreTuning, 'indexSettleBytes'>
  /** What a power cut takes of the index: nothing, its end, some batches, all since the start, the whole folder. */
  readonly indexLossWeights: readonly number[]

  /** Bits flip in the journals of a minority of the brokers: in bodies while they run, and with each start of theirs. */
  readonly rotEveryMs: number
  /** So many bodies at most, and whole records, rot while such a broker is down. */
  readonly rotAtRestMax: number
  readonly isRotOfRecords: boolean
  readonly scrubEveryMs: number

  /** Clocks run this much faster or slower than each other, as a share. */
  readonly clockDrift: number

  /** How often brokers compare what they hold; Infinity for never. */
  readonly digestEveryMs: number
  /** For so long before the end of the faults clients begin nothing new, and nothing afterwards; 0: they go on. */
  readonly quietMs: number

  readonly producerCount: number
  readonly produceEveryMs: number
  readonly recordsMax: number
  readonly retryAfterMs: number
  readonly readEveryMs: number
  /** Proposals wait for the disk's writer to be idle and leave together. */
  readonly isCoalescing: boolean
  /** One broker stays away after the faults: the others must do without it. */
  readonly isOneLeftDown: boolean
  readonly syncChunkBytesMax: number
  /** What becomes of the disk of one broker. */
  readonly harm: Harm

  readonly heartbeatMs: number
  readonly suspectMs: number
  readonly stalledMs: number
  readonly tuning: PaxosTuning
}

const BROKER_COUNTS = [3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 4, 4, 2, 1, 6, 7]

/** Draws the mean time between faults of a kind; Infinity when the run does without. */
export type DrawEvery = (probability: number, low: number, high: number) => number

export function drawSwarm(random: Random): Swarm {
  const brokerCount = random.pick(BROKER_COUNTS)
  // In a hasty run everything but the network's worst takes a fifth of the time: many leaders in few events.
  const pace = random.chance(0.5) ? 0.2 : 1
  const every: DrawEvery = (probability, low, high) =>
    random.chance(probability) ? random.between(low, high) * pace : Infinity
  const membership = drawMembership(random.fork('membership'), brokerCount, pace)
  const harm = drawHarm(random.fork('harm'), brokerCount)
  // One disk that forgets and another that rots would be more than a minority of three.
  const rot = drawRot(random.fork('rot'), harm === 'none' || brokerCount >= 5 ? brokerCount : 0, pace)
  // Who is left down for good beside a lost disk may be the one that a small configuration cannot do without.
  const mayLeave = harm === 'none' || membership.reconfigureEveryMs === Infinity
  const heartbeatMs = random.between(brokerCount > 4 ? 150 : 80, brokerCount > 4 ? 250 : 200) * pace
  return {
    brokerCount,
    groupCount: random.chance(0.25) ? 2 : 1,
    faultPhaseMs: random.between(3_000, brokerCount > 4 ? 6_000 : 9_000) * Math.max(pace, 0.4),
    ...drawNetwork(random, pace),
    ...drawFaults(random, every, pace),
    transferEveryMs: drawTransfers(random.fork('transfer'), pace),
    ...rot,
    ...membership,
    ...drawTrims(random.fork('trim'), pace),
    ...drawDisk(random),
    clockDrift: random.chance(0.5) ? 0.02 : 0,
    ...drawDigests(random.fork('digests'), pace),
    ...drawClients(random, every, pace),
    isOneLeftDown: brokerCount >= 3 && random.chance(0.3) && rot.rotAtRestMax === 0 && mayLeave,
    harm,
    heartbeatMs,
    suspectMs: heartbeatMs * random.between(3, 10),
    stalledMs: random.pick([500, 2_000]) * pace,
    tuning: drawTuning(random, pace),
  }
}

export function drawNetwork(random: Random, pace: number) {
  return {
    delayMeanMs: random.chance(0.5) ? random.between(1, 10) : random.between(1, 100 * Math.sqrt(pace)),
    lossRate: random.chance(0.5) ? random.between(0, 0.3) : 0,
    duplicateRate: random.chance(0.4) ? random.between(0, 0.5) : 0,
    isOrdered: random.chance(0.4),
    heldRate: random.pick([0, 0.5, 1]),
  }
}

export function drawFaults(random: Random, every: DrawEvery, pace: number) {
  return {
    crashEveryMs: every(0.7, 300, 3_000),
    downMeanMs: random.between(50, 1_500) * pace,
    togetherRate: random.pick([0, 0.15, 0.6]),
    partitionEveryMs: every(0.6, 300, 2_500),
    partitionMeanMs: random.between(200, 2_500) * pace,
    pauseEveryMs: every(0.35, 500, 4_000),
    pauseMaxMs: random.pick([500, 3_000, 10_000]) * pace,
    clogEveryMs: every(0.3, 300, 2_000),
    clogMaxMs: random.pick([500, 5_000]) * pace,
    stallEveryMs: every(0.3, 800, 4_000),
    resignEveryMs: every(0.3, 300, 2_000),
    rumourEveryMs: every(0.4, 100, 1_000),
  }
}

/** From a stream of its own, so that seeds of runs without transfers stayed what they were. */
function drawTransfers(random: Random, pace: number): number {
  return random.chance(0.4) ? random.between(100, 2_000) * pace : Infinity
}

/** From a stream of its own, as transfers. */
function drawRot(random: Random, brokerCount: number, pace: number) {
  if (brokerCount < 3 || !random.chance(0.5))
    return { rotEveryMs: Infinity, rotAtRestMax: 0, isRotOfRecords: false, scrubEveryMs: Infinity }
  return {
    rotEveryMs: random.chance(0.7) ? random.between(100, 2_000) * pace : Infinity,
    rotAtRestMax: random.pick([1, 3, 10]),
    isRotOfRecords: random.chance(0.5),
    scrubEveryMs: random.chance(0.7) ? random.between(100, 1_000) * pace : Infinity,
  }
}

/** With fewer than three the others could not go on without it. */
function drawHarm(random: Random, brokerCount: number): Harm {
  return brokerCount >= 3 && random.chance(0.35) ? random.pick(['lie', 'restore', 'wipe']) : 'none'
}

/** From a stream of its own as well. Up to seven brokers in all. */
function drawMembership(random: Random, brokerCount: number, pace: number) {
  if (!random.chance(0.35)) return { spareCount: 0, reconfigureEveryMs: Infinity, dropEveryMs: Infinity }
  const spareCount = Math.min(random.pick([0, 1, 1, 2, 2, 4]), 7 - brokerCount)
  const reconfigureEveryMs = random.between(200, 2_000) * pace
  const dropEveryMs = random.chance(0.7) ? random.between(50, 1_000) * pace : Infinity
  return { spareCount, reconfigureEveryMs, dropEveryMs }
}

/** Without them a replica may stay behind in a group without traffic, so only runs with them may end quietly. */
function drawDigests(random: Random, pace: number) {
  if (random.chance(0.4)) return { digestEveryMs: Infinity, quietMs: 0 }
  const digestEveryMs = random.pick([200, 1_000, 4_000]) * pace
  return { digestEveryMs, quietMs: random.chance(0.5) ? random.between(200, 2_000) * pace : 0 }
}

function drawTrims(random: Random, pace: number) {
  return {
    trimEveryMs: random.chance(0.5) ? random.between(50, 800) * pace : Infinity,
    partBytesMax: random.pick([40, 300, 1_000_000]),
  }
}

export function drawDisk(random: Random) {
  return {
    diskMeanMs: random.pick([0.5, 3, 20, 100]),
    diskMaxMs: random.pick([20, 200, 1_000]),
    indexLossWeights: random.pick([
      [1, 0, 0, 0, 0],
      [1, 1, 1, 1, 1],
      [0, 1, 0, 0, 0],
      [0, 0, 1, 0, 0],
      [0, 0, 1, 2, 2],
    ]),
    storeTuning: {
      indexDelayMs: random.pick([20, 200, 1_000]),
      indexBatchBytes: random.pick([500, 1024 * 1024]),
      indexSettleBytes: random.pick([2_000, 10_000, 12 * 1024 * 1024]),
      sweepCountMin: random.pick([1, 10, 1_000]),
      sweepCountMax: random.pick([3, 1_000]),
      sweepWindowBytes: 4_000,
    },
  }
}

function drawClients(random: Random, every: DrawEvery, pace: number) {
  return {
    producerCount: random.chance(0.2) ? 8 : 1 + random.integer(4),
    produceEveryMs: random.pick([15, 40, 120]) * Math.sqrt(pace),
    recordsMax: random.pick([1, 3]),
    retryAfterMs: random.pick([200, 800]) * pace,
    readEveryMs: every(0.4, 50, 500),
    isCoalescing: random.chance(0.5),
    syncChunkBytesMax: random.pick([1, 200, 1_000_000]),
  }
}

/** Small bounds make a short run reach them. */
function drawTuning(random: Random, pace: number): PaxosTuning {
  return {
    ...DEFAULT_TUNING,
    maxLagMs: random.pick([500, 10_000]),
    maxLagSlots: random.pick([2, 8, 1_000]),
    canvassJitterMs: random.pick([50, 300]) * pace,
    canvassRankMs: DEFAULT_TUNING.canvassRankMs * pace,
    electionTimeoutMs: random.pick([300, 1_000]) * pace,
    retransmitMs: random.pick([150, 500]) * pace,
    undecidedMs: random.pick([1_000, 5_000]) * pace,
    transferMs: DEFAULT_TUNING.transferMs * pace,
    quorumLossMs: random.pick([500, 1_000]) * pace,
    windowMessagesMax: random.pick([1, 4, 64]),
    uncommittedSlotsMax: random.pick([8, 1_024]),
    tailBytesMax: random.pick([300, 1024 * 1024]),
  }
}
