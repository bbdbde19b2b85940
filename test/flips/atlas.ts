/**
 * What became of one flipped bit. `harmless`: in bytes that nobody uses, or that are written anew at a start. `restarted`: the
 * broker ended, said why, and was well after the next start. `given up`: the broker began anew without a vote. `wrong`: all
 * that must not be.
 */
export type Outcome = 'harmless' | 'repaired' | 'index rebuilt' | 'restarted' | 'given up' | 'wrong'

const COLUMNS: readonly Outcome[] = [
  'harmless',
  'repaired',
  'index rebuilt',
  'restarted',
  'given up',
  'wrong',
]

export interface Flip {
  readonly kind: string
  readonly what: string
  readonly outcome: Outcome
}

export function countOf(flips: readonly Flip[], outcome: Outcome): number {
  return flips.filter((flip) => flip.outcome === outcome).length
}

/** A table with a line for each kind of file. Everything that is neither harmless nor wrong was detected. */
export function formatAtlas(flips: readonly Flip[]): string {
  const rows = [['kind of file', 'flips', 'detected', ...COLUMNS]]
  const kinds = [...new Set(flips.map(({ kind }) => kind))].sort()
  for (const kind of [...kinds, 'all']) {
    const ofKind = kind === 'all' ? flips : flips.filter((flip) => flip.kind === kind)
    const counts = COLUMNS.map((outcome) => countOf(ofKind, outcome))
    const detected = ofKind.length - countOf(ofKind, 'harmless') - countOf(ofKind, 'wrong')
    rows.push([kind, ...[ofKind.length, detected, ...counts].map(String)])
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map((row) =>
      row.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[at]!))).join('  '),
    )
    .join('\n')
}
