import { outColors } from './colors.ts'

/** Where a command writes. Tests collect; the program gives the process's own streams. */
export interface Output {
  /** A line of result, on standard output. */
  line(text: string): void
  /** A line for the person at the terminal, on standard error. */
  note(text: string): void
  /** Waits until standard output has taken what was written, so that a slow reader slows the command down. */
  drained(): Promise<void>
}

export function processOutput(): Output {
  return {
    line: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    async drained() {
      if (!process.stdout.writableNeedDrain) return
      await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
    },
  }
}

/** Columns as wide as their widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [outColors.bold(format(header)), ...rows.map(format)].join('\n')
}

/** 1536 -> '1.5 KiB'. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export function countText(count: number, singular: string, plural = `${singular}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? singular : plural}`
}
