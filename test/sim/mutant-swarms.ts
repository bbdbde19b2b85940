import type { Rule } from './judge.ts'
import type { Swarm } from './swarm.ts'

/** Everything that notices a fault of the disk or of a quorum at once: without them harm itself has to show. */
export const EARLY_RULES: ReadonlySet<Rule> = new Set<Rule>([
  'durable',
  'commit',
  'chosen',
  'I1',
  'I2',
  'I3',
  'I4',
  'I8',
  'holes',
  'recovery',
])

/** Many leaders that lead for a moment only. */
export const STORMY: Partial<Swarm> = {
  brokerCount: 3,
  producerCount: 8,
  produceEveryMs: 3,
  partitionEveryMs: 150,
  partitionMeanMs: 100,
  crashEveryMs: 150,
  downMeanMs: 100,
  rumourEveryMs: 60,
  resignEveryMs: 200,
  isOneLeftDown: false,
}

/** Power cuts that take several at once, on disks that take their time. */
export const BLACKOUTS: Partial<Swarm> = {
  ...STORMY,
  diskMeanMs: 40,
  diskMaxMs: 200,
  crashEveryMs: 100,
  togetherRate: 0.6,
  partitionEveryMs: Infinity,
  rumourEveryMs: 40,
  delayMeanMs: 3,
  lossRate: 0,
}

/** One disk of three that rots with each of many restarts. */
export const ROTTING: Partial<Swarm> = {
  ...STORMY,
  crashEveryMs: 120,
  rotEveryMs: 100,
  rotAtRestMax: 10,
  isRotOfRecords: false,
  scrubEveryMs: Infinity,
  harm: 'none',
  indexLossWeights: [0, 0, 0, 1, 1],
}

/** Logs that are trimmed all the time, under followers that come and go. */
export const TRIMMING: Partial<Swarm> = {
  brokerCount: 3,
  trimEveryMs: 60,
  crashEveryMs: 300,
  downMeanMs: 400,
  partitionEveryMs: 300,
  partitionMeanMs: 400,
  produceEveryMs: 10,
}

/** Journals that are swept at once, and an index that loses much. */
export const HARD_ON_STORES: Partial<Swarm> = {
  crashEveryMs: 300,
  indexLossWeights: [0, 1, 2, 2, 2],
  storeTuning: {
    indexDelayMs: 20,
    indexBatchBytes: 500,
    indexSettleBytes: 1_000,
    sweepCountMin: 1,
    sweepCountMax: 1_000,
  },
}

/** Voters change all the time. */
export const CHANGING: Partial<Swarm> = { spareCount: 2, brokerCount: 3, reconfigureEveryMs: 150 }

/** Few voters that often change, with slow disks and many ends. */
export const HASTY: Partial<Swarm> = {
  brokerCount: 1,
  spareCount: 2,
  groupCount: 4,
  harm: 'none',
  isOneLeftDown: false,
  rotEveryMs: Infinity,
  rotAtRestMax: 0,
  reconfigureEveryMs: 60,
  diskMeanMs: 40,
  diskMaxMs: 200,
  crashEveryMs: 400,
  stallEveryMs: 200,
  downMeanMs: 100,
}

/**
 * Neither brokers that compare what they hold nor the rules of configurations see the harm before a user does.
 */
export const UNNOTICED: Partial<Swarm> = { digestEveryMs: Infinity, quietMs: 0, reconfigureEveryMs: Infinity }

/** A disk that forgets under a broker that starts again and again, while witnesses come and go. */
export const RESTLESS: Partial<Swarm> = {
  ...STORMY,
  reconfigureEveryMs: Infinity,
  harm: 'lie',
  groupCount: 2,
  crashEveryMs: 60,
  downMeanMs: 30,
  pauseEveryMs: 80,
  pauseMaxMs: 1_000,
  partitionEveryMs: 80,
  partitionMeanMs: 300,
}
