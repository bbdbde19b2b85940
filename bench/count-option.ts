import { parseArgs } from 'node:util'

/** A whole number from 1 on that the command line gives as `--name 20`; other options and values end the program. */
export function countOption(name: string, usual: number): number {
  const { values } = parseArgs({ options: { [name]: { type: 'string' } } })
  const count = Number(values[name] ?? usual)
  if (Number.isInteger(count) && count >= 1) return count
  throw new Error(`--${name} takes a whole number from 1 on, not '${values[name]}'.`)
}
