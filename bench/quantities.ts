import { parseArgs } from 'node:util'

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** Options that are quantities above 0, as `--sockets 10000`, `--share 0.1` and `--bytes 1GiB`; others end the program. */
export function quantities<Names extends string>(
  usual: Readonly<Record<Names, string>>,
): Readonly<Record<Names, number>> {
  const names = Object.keys(usual) as Names[]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({ options })
    return Object.fromEntries(
      names.map((name) => [name, quantity(name, values[name] ?? usual[name])]),
    ) as Record<Names, number>
  } catch (error) {
    const known = names.map((name) => `--${name} ${usual[name]}`).join(', ')
    console.error(`${(error as Error).message.split('.')[0]}. Known: ${known}.`)
    return process.exit(2)
  }
}

function quantity(name: string, text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)([A-Za-z]*)$/.exec(text) ?? []
  const value = Number(number) * (UNITS[unit] ?? NaN)
  if (!(value > 0)) throw new Error(`--${name} takes a quantity as 1000, 0.1 or 1GiB, not '${text}'`)
  return value
}
