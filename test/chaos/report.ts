import { ANOMALIES } from '../history/findings.ts'
import type { ChaosReport } from './run-chaos.ts'

/** Whether nothing at all is wrong. */
export function isClean({ verdict, wrongs }: ChaosReport): boolean {
  return verdict.anomalies.size === 0 && wrongs.length === 0
}

/** What a run came to, for people. */
export function showReport(report: ChaosReport): string {
  const { verdict, operations, faults, startMs, gaps, memory, cures, trims, wrongs } = report
  const sections = [
    table(
      ['operations', 'ok', 'unknown', 'failed'],
      [...operations].map(([name, counts]) => [name, counts.ok, counts.unknown, counts.failed]),
    ),
    `records: ${verdict.produced.ok} acknowledged, ${verdict.produced.unknown} unknown (${verdict.unknownStored} of them stored), ` +
      `${verdict.produced.failed} refused; ${verdict.seen} seen by all readers together`,
    table(
      ['faults', 'times', 'longest gap ms', 'p50', 'of', 'from s', 'after healing ms'],
      [...new Set([...faults.keys(), ...gaps.keys()])].map((kind) => [
        kind,
        kind === 'quiet' || kind === 'two at once' ? '' : (faults.get(kind) ?? 0),
        Math.round(gaps.get(kind)?.longestMs ?? 0),
        kind === 'quiet' ? '' : Math.round(gaps.get(kind)?.medianMs ?? 0),
        gaps.get(kind)?.producer ?? '',
        seconds(gaps.get(kind)?.fromMs, startMs),
        Math.round(gaps.get(kind)?.afterHealingMs ?? 0),
      ]),
    ),
    `trims: ${trims.done} orders done, ${trims.unknown} without an answer; gone by ${[...trims.reasons].join(' and ') || 'nothing'}`,
    ...(cures.length === 0 ? [] : [showCures(cures)]),
    table(
      ['memory MiB', 'first', 'last', 'most', 'MiB/h'],
      [...memory].map(([id, each]) => [
        `broker ${id}`,
        ...[each.firstMib, each.lastMib, each.mostMib].map(Math.round),
        each.slopeMibPerHour?.toFixed(1) ?? '',
      ]),
    ),
    table(
      ['anomalies', 'count'],
      (Object.keys(ANOMALIES) as (keyof typeof ANOMALIES)[]).map((name) => [
        name,
        verdict.anomalies.get(name)?.count ?? 0,
      ]),
    ),
    ...[...verdict.anomalies].map(([name, { examples }]) => `${name}:\n${examples.map(indented).join('\n')}`),
    ...(wrongs.length === 0 ? [] : [`also wrong:\n${wrongs.map(indented).join('\n')}`]),
  ]
  return sections.join('\n\n')
}

function showCures(cures: ChaosReport['cures']): string {
  const longestS = Math.max(...cures.map(({ healedMs }) => healedMs)) / 1_000
  const replaced = cures.filter(({ isReplaced }) => isReplaced).length
  return `disks: ${cures.length} times damaged and whole again, ${replaced} of them with a new store; at most after ${longestS.toFixed(1)} s`
}

function seconds(atMs: number | undefined, startMs: number): string {
  return atMs === undefined ? '' : ((atMs - startMs) / 1_000).toFixed(1)
}

function indented(sentence: string): string {
  return `  ${sentence}`
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n')
}
