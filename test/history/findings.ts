/** Every way in which a history can contradict what is promised, named as Jepsen's workloads name them where they do. */
export const ANOMALIES = {
  'inconsistent-offsets': 'two values were seen, or acknowledged, at one offset',
  G1a: 'a record was seen whose producer was told that it is not stored',
  'never-written': 'a value was seen that nobody sent',
  'lost-write': 'an acknowledged record is nowhere, and a reader is past its place',
  duplicate: 'a value is at two places',
  'ack-offset-mismatch': 'an acknowledged record is not at the offset of its receipt',
  'offset-gap': 'an offset below others was seen by nobody',
  unseen: 'an acknowledged record was not seen by a reader that read all there was, or by nobody yet',
  'poll-skip': 'a reader was given a record beyond the one that was due, with a new frame or page',
  'nonmonotonic-poll': 'a reader was given a record before the one that was due, with a new frame or page',
  'int-poll-skip': 'a frame or page leaves out a record inside',
  'int-nonmonotonic-poll': 'a frame or page goes backwards inside',
  'int-send-skip': 'records of one batch are not next to each other in their partition, in their order',
  'torn-batch': 'of a batch some records of a partition are stored and some are not',
  'order-inversion': 'a later record of a producer is before an earlier one of the same partition',
  'real-time-inversion':
    'a record is before another one of its partition that was acknowledged before it was sent',
} as const

export type AnomalyName = keyof typeof ANOMALIES

const EXAMPLES_MAX = 10

export interface Finding {
  readonly count: number
  /** The first ones, a sentence each. */
  readonly examples: readonly string[]
}

/** Counts anomalies by name and keeps the first examples of each. */
export class Findings {
  readonly #found = new Map<AnomalyName, { count: number; examples: string[] }>()

  add(name: AnomalyName, example: string): void {
    let finding = this.#found.get(name)
    if (finding === undefined) this.#found.set(name, (finding = { count: 0, examples: [] }))
    finding.count++
    if (finding.examples.length < EXAMPLES_MAX) finding.examples.push(example)
  }

  /** Empty for a history that keeps all promises. */
  get byName(): ReadonlyMap<AnomalyName, Finding> {
    return this.#found
  }
}
