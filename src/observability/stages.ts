import type { Metrics } from './metrics.ts'

/** Takes how long a stage took, in milliseconds: one value for all that went through it together. */
export type StageTime = (ms: number) => void

/** The way of a record through this broker, stage by stage. docs/operations.md says how to read it. */
export interface Stages {
  /** Records wait to be proposed: the first of those that are proposed together. */
  readonly queue: StageTime
  /** The journal writes and syncs what it was given. */
  readonly journal: StageTime
  /** From being proposed to being applied where it leads: the own disk and those of a majority. A partition tells one at a time. */
  readonly replication: StageTime
  /** The state machine takes the entries that were chosen together. */
  readonly apply: StageTime
  /** A client's append as a whole: from the whole request to the receipt, also where another broker leads. */
  readonly append: StageTime
  /** Records that were read for a stream or subscription wait their turn, are encoded and given to the socket. */
  readonly fanOut: StageTime
}

type Stage = keyof Stages

/** Seconds: the fastest stages take some ten microseconds. */
const BUCKETS = [
  0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
]
const HELP: Readonly<Record<Stage, readonly [name: string, help: string]>> = {
  queue: ['queue', 'Wait of the oldest record of those that were proposed together.'],
  journal: ['journal', 'Write and sync of one batch of the journal.'],
  replication: ['replication', 'From being proposed to being applied at the leader, in samples.'],
  apply: ['apply', 'State machine: all entries that were chosen together.'],
  append: ['append', 'An append as a whole, from the request to the receipt.'],
  fanOut: ['fan_out', 'From records read for a subscriber to their frames at its socket.'],
}

const nothing: StageTime = () => {}

/** For those that count nothing. */
export const NO_STAGES: Stages = {
  queue: nothing,
  journal: nothing,
  replication: nothing,
  apply: nothing,
  append: nothing,
  fanOut: nothing,
}

export function countStages(metrics: Metrics): Stages {
  const timeOf = (stage: Stage): StageTime => {
    const [name, help] = HELP[stage]
    const histogram = metrics.histogram({ name: `synod_stage_${name}_seconds`, help }, BUCKETS)
    return (ms) => histogram.observe(ms / 1_000)
  }
  return {
    queue: timeOf('queue'),
    journal: timeOf('journal'),
    replication: timeOf('replication'),
    apply: timeOf('apply'),
    append: timeOf('append'),
    fanOut: timeOf('fanOut'),
  }
}
