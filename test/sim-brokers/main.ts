import { inProcesses, seedArguments, type SeedArguments } from '../support/seed-arguments.ts'
import { NO_MUTANT, type BrokersMutant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { runBrokers, type BrokersRunReport } from './world.ts'

/** One line a failing seed, then a summary; with --trace all that happened in each. */
async function main({ first, count, mutant, isTraced }: SeedArguments<BrokersMutant>): Promise<number> {
  const startMs = performance.now()
  const sum = { failed: 0, events: 0, stored: 0, durationMs: 0, healedAfterMs: 0 }
  for (let seed = first; seed < first + count; seed++) {
    const report = await runBrokers(seed, { mutant, isTraced })
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

const given = seedArguments({ line: 'npm run sim:brokers', mutants: MUTANTS, noMutant: NO_MUTANT })
process.exitCode = given.processCount > 1 ? await inProcesses(given) : await main(given)
