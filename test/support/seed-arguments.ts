import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'

/** A deliberate bug that a simulator may be run with. */
interface NamedMutant {
  readonly name: string
  readonly about: string
}

export interface SeedArguments<Mutant> {
  readonly first: number
  readonly count: number
  readonly mutant: Mutant
  readonly isTraced: boolean
  readonly processCount: number
}

interface Command<Mutant> {
  /** As one types it. */
  readonly line: string
  readonly mutants: readonly Mutant[]
  readonly noMutant: Mutant
}

/** Reads `SEED [COUNT] [--trace] [--mutant NAME] [--processes N]`; anything else ends the program with what there is. */
export function seedArguments<Mutant extends NamedMutant>(command: Command<Mutant>): SeedArguments<Mutant> {
  const { noMutant, mutants } = command
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        trace: { type: 'boolean', default: false },
        mutant: { type: 'string', default: noMutant.name },
        processes: { type: 'string', default: '1' },
      },
    })
    const [first, count = 1] = positionals.map(Number)
    const processCount = Number(values.processes)
    const mutant = [noMutant, ...mutants].find(({ name }) => name === values.mutant)
    const areWhole = [first, count, processCount].every((each) => Number.isSafeInteger(each))
    if (first !== undefined && areWhole && count >= 1 && processCount >= 1 && mutant !== undefined)
      return { first, count, mutant, isTraced: values.trace, processCount }
  } catch {
    // An option that nobody knows: what there is is said below.
  }
  const names = mutants.map(({ name, about }) => `\n  ${name.padEnd(20)} ${about}`).join('')
  console.error(
    `${command.line} -- SEED [COUNT] [--trace] [--mutant NAME] [--processes N]\nmutants: ${names}`,
  )
  process.exit(2)
}

/** Runs this same program for a share of the seeds in each of some processes; 1 if one of them failed. */
export async function inProcesses({
  first,
  count,
  mutant,
  isTraced,
  processCount,
}: SeedArguments<NamedMutant>): Promise<number> {
  const codes: number[] = []
  const ends: Promise<void>[] = []
  for (let index = 0; index < Math.min(processCount, count); index++) {
    const from = first + Math.floor((count * index) / processCount)
    const to = first + Math.floor((count * (index + 1)) / processCount)
    const options = ['--mutant', mutant.name, ...(isTraced ? ['--trace'] : [])]
    const child = spawn(process.execPath, [process.argv[1]!, String(from), String(to - from), ...options], {
      stdio: 'inherit',
    })
    ends.push(once(child, 'exit').then(([code]) => void codes.push((code as number | null) ?? 1)))
  }
  await Promise.all(ends)
  return Math.max(...codes)
}
