import { parseArgs } from 'node:util'
import { NO_MUTANT } from './mutant.ts'
import { MUTANTS, mutantNamed } from './mutants.ts'
import { runBrokers, type BrokersRunReport } from './world.ts'

const USAGE = 'npm run sim:brokers -- SEED [COUNT] [--trace] [--mutant NAME]'

/** One line a failing seed, then a summary; with --trace all that happened in each. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      trace: { type: 'boolean', default: false },
      mutant: { type: 'string', default: NO_MUTANT.name },
    },
  })
  const first = Number(positionals[0])
  const count = Number(positionals[1] ?? 1)
  const mutant = values.mutant === NO_MUTANT.name ? NO_MUTANT : mutantNamed(values.mutant)
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || mutant === undefined) {
    console.error(
      `${USAGE}\nmutants: ${MUTANTS.map(({ name, about }) => `\n  ${name.padEnd(20)} ${about}`).join('')}`,
    )
    return 2
  }
  const startMs = performance.now()
  const sum = { failed: 0, events: 0, stored: 0, durationMs: 0, healedAfterMs: 0 }
  for (let seed = first; seed < first + count; seed++) {
    const report = await runBrokers(seed, { mutant, isTraced: values.trace })
    for (const line of report.lines) console.log(line)
    if (report.violation !== undefined) console.log(`seed ${seed}  ${describe(report)}`)
    if (report.violation === undefined) sum.healedAfterMs += report.healedAfterMs
    else sum.failed++
    sum.events += report.eventCount
    sum.stored += report.storedCount
    sum.durationMs += report.durationMs
  }
  const each = (total: number): string => (total / count).toFixed(1)
  const ms = each(performance.now() - startMs)
  console.log(
    `${count} seeds, ${sum.failed} failed; each: ${ms} ms, ${each(sum.events)} events, ${each(sum.stored)} records stored, ` +
      `${each(sum.durationMs)} virtual ms, converged ${each(sum.healedAfterMs)} ms after healing`,
  )
  return sum.failed > 0 ? 1 : 0
}

function describe({ violation }: BrokersRunReport): string {
  return violation?.rule === 'exception' ? (violation.stack ?? violation.message) : (violation?.message ?? '')
}

process.exitCode = await main()
