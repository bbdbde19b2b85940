import { parseArgs } from 'node:util'
import { TARGETS } from './targets.ts'
import type { FuzzTarget, Scope } from './target.ts'

/*
 * node dist/test/fuzz/main.js --cases N --seed S [--only WORDS]
 *
 * Runs N cases of each target whose name holds the words. Prints one line a target as JSON; of one that finds something the
 * case with which to repeat it. Exit code 1 when any did.
 */
const USAGE = 'fuzz [--cases 10000] [--seed S] [--only WORDS]'

interface Outcome {
  readonly target: string
  readonly seed: number
  readonly cases: number
  readonly seconds: number
  readonly rssMiB: number
  readonly finding: string | undefined
}

async function runTarget(target: FuzzTarget, cases: number, seed: number): Promise<Outcome> {
  const cleanups: (() => unknown)[] = []
  const scope = { after: (run: () => unknown) => void cleanups.push(run) } as unknown as Scope
  const startedMs = performance.now()
  let finding: string | undefined
  try {
    await target.run({ cases, seed, scope })
  } catch (error) {
    finding = describe(error)
  }
  for (const cleanup of cleanups) await cleanup()
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10
  const rssMiB = Math.round(process.memoryUsage().rss / 1024 / 1024)
  return { target: target.name, seed, cases, seconds, rssMiB, finding }
}

/** The case, and beneath it what went wrong in it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\n${describe(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { cases: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
  })
  const cases = Number(values.cases ?? 10_000)
  const seed = Number(values.seed ?? Date.now() % 2 ** 31)
  const targets = TARGETS.filter(({ name }) => name.includes(values.only ?? ''))
  if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed) || targets.length === 0) {
    console.error(`Usage: ${USAGE}\nTargets: ${TARGETS.map(({ name }) => name).join('; ')}`)
    return 64
  }
  let findingCount = 0
  for (const target of targets) {
    const { finding, ...facts } = await runTarget(target, cases, seed)
    console.log(JSON.stringify({ ...facts, found: finding !== undefined }))
    if (finding === undefined) continue
    findingCount++
    console.error(finding)
  }
  return findingCount === 0 ? 0 : 1
}

process.exitCode = await main()
