import { inProcesses, seedArguments, type SeedArguments } from '../support/seed-arguments.ts'
import { MUTANTS, NO_MUTANT, type Mutant } from './mutants.ts'
import { runSeed, type RunReport } from './world.ts'

/** One line a failing seed, then a summary; with --trace all that happened in each. */
async function main({ first, count, mutant, isTraced }: SeedArguments<Mutant>): Promise<number> {
  const startMs = performance.now()
  const sum = { failed: 0, events: 0, chosen: 0, changes: 0, stored: 0, resets: 0, healedAfterMs: 0 }
  for (let seed = first; seed < first + count; seed++) {
    const report = await runSeed(seed, { mutant, isTraced })
    for (const line of report.lines) console.log(line)
    if (report.violation !== undefined) console.log(`seed ${seed}  ${describe(report)}`)
    if (report.violation === undefined) sum.healedAfterMs += report.healedAfterMs
    else sum.failed++
    sum.events += report.eventCount
    sum.chosen += report.chosenCount
    sum.changes += report.changeCount
    sum.stored += report.storedCount
    sum.resets += report.resetCount
  }
  const each = (total: number): string => (total / count).toFixed(1)
  const ms = each(performance.now() - startMs)
  console.log(
    `${count} seeds, ${sum.failed} failed; each: ${ms} ms, ${each(sum.events)} events, ${each(sum.chosen)} chosen slots, ` +
      `${each(sum.changes)} changes of voters, ${each(sum.stored)} requests stored, ${each(sum.resets)} resets, ` +
      `converged ${each(sum.healedAfterMs)} ms after healing`,
  )
  return sum.failed > 0 ? 1 : 0
}

function describe({ violation }: RunReport): string {
  return violation?.rule === 'exception' ? (violation.stack ?? violation.message) : (violation?.message ?? '')
}

const given = seedArguments({ line: 'npm run sim', mutants: MUTANTS, noMutant: NO_MUTANT })
process.exitCode = given.processCount > 1 ? await inProcesses(given) : await main(given)
