import { runBrokers } from './world.ts'

/** Runs these seeds one after the other and says of each that failed what was wrong. */
export async function failuresOf(seeds: Iterable<number>): Promise<readonly string[]> {
  const failed: string[] = []
  for (const seed of seeds) {
    const { violation } = await runBrokers(seed)
    if (violation !== undefined) failed.push(`seed ${seed}: ${violation.message}`)
  }
  return failed
}

export function* seedsFrom(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed++) yield seed
}
