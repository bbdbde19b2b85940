import { quantile } from '../http-load.ts'

/** One system under one workload in one round. */
export interface Round {
  readonly recordsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all its processes. */
  readonly cpuSecondsPer1000: number
  readonly residentMiB: number
  readonly failed: number
}

/** The rounds of each system, in the order in which they were run: round 3 of one and of another belong together. */
export type Rounds = ReadonlyMap<string, readonly Round[]>

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN }
}

/**
 * How many times as much `name` did as `other`, round by round: what the machine did to one round it did to both, so ratios
 * within rounds say more than the ratio of two medians.
 */
export function ratioOf(rounds: Rounds, name: string, other: string): Spread | undefined {
  const [own, others] = [rounds.get(name), rounds.get(other)]
  if (own === undefined || others === undefined) return undefined
  return spreadOf(own.map((round, index) => round.recordsPerSecond / others[index]!.recordsPerSecond))
}

const HEADER = ['', 'records/s', 'p50 ms', 'p99 ms', 'CPU s/1,000', 'MiB', 'failed']

/** Lines of text: a row for each system, and the ratio of each pair, first to second. */
export function tableOf(
  rounds: Rounds,
  pairs: readonly (readonly [name: string, other: string])[],
): readonly string[] {
  const rows = [...rounds].map(([system, each]) => {
    const rate = spreadOf(each.map((round) => round.recordsPerSecond))
    const median = (of: (round: Round) => number): number => spreadOf(each.map(of)).median
    return [
      system,
      `${whole(rate.median)} (${whole(rate.least)}–${whole(rate.most)})`,
      median((round) => round.p50Ms).toFixed(2),
      median((round) => round.p99Ms).toFixed(2),
      median((round) => round.cpuSecondsPer1000).toFixed(3),
      whole(median((round) => round.residentMiB)),
      String(each.reduce((sum, round) => sum + round.failed, 0)),
    ]
  })
  const ratios = pairs.flatMap(([name, other]) => {
    const ratio = ratioOf(rounds, name, other)
    return ratio === undefined
      ? []
      : [
          `${name} / ${other}: ${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`,
        ]
  })
  return [...aligned([HEADER, ...rows]), ...ratios]
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
