import { parseArgs } from 'node:util'

/** What the command line says: whole numbers from 1 on as `--times 20`, and switches as `--silent`. */
export interface BenchOptions<Counts extends string, Switches extends string> {
  readonly counts: Readonly<Record<Counts, number>>
  readonly switches: Readonly<Record<Switches, boolean>>
}

/** Reads the options; others, and values that are no number, end the program with one sentence. */
export function benchOptions<Counts extends string, Switches extends string = never>(
  usual: Readonly<Record<Counts, number>>,
  switchNames: readonly Switches[] = [],
): BenchOptions<Counts, Switches> {
  const options: Record<string, { type: 'string' | 'boolean' }> = {}
  for (const name of Object.keys(usual)) options[name] = { type: 'string' }
  for (const name of switchNames) options[name] = { type: 'boolean' }
  const values = parsed(options)
  const counts: Record<Counts, number> = { ...usual }
  for (const name of Object.keys(usual) as Counts[]) {
    counts[name] = Number(values[name] ?? usual[name])
    if (!Number.isInteger(counts[name]) || counts[name] < 1)
      refuse(`--${name} takes a whole number from 1 on, not '${String(values[name])}'.`)
  }
  const switches = Object.fromEntries(switchNames.map((name) => [name, values[name] === true]))
  return { counts, switches: switches as Record<Switches, boolean> }
}

function parsed(options: Record<string, { type: 'string' | 'boolean' }>): Record<string, unknown> {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const names = Object.entries(options).map(
      ([name, { type }]) => `--${name}${type === 'string' ? ' N' : ''}`,
    )
    return refuse(`${(error as Error).message.split('.')[0]}. Known: ${names.join(', ')}.`)
  }
}

function refuse(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}
