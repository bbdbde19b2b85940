import { checkWithAutobahn } from './autobahn/check.ts'
import { ToolMissing, type CheckOutcome } from './prepare.ts'
import { checkWithSchemathesis } from './schemathesis/check.ts'

const CHECKS: Readonly<Record<string, () => Promise<CheckOutcome>>> = {
  schemathesis: checkWithSchemathesis,
  autobahn: checkWithAutobahn,
}

const USAGE = `npm run test:outside -- [${Object.keys(CHECKS).join('] [')}]
Programs of others look at a cluster of three brokers; all of them, or those that are named. test/outside/README.md says more.`

async function main(): Promise<number> {
  const named = process.argv.slice(2)
  if (named.some((name) => CHECKS[name] === undefined)) {
    console.error(USAGE)
    return 2
  }
  const outcomes: string[] = []
  let hasFailed = false
  for (const name of named.length > 0 ? named : Object.keys(CHECKS)) {
    const { kind, sentence } = await outcomeOf(name)
    hasFailed ||= kind === 'failed'
    outcomes.push(`${name.padEnd(14)}${kind === 'missing' ? 'not run' : kind}: ${sentence}`)
  }
  console.log(['', ...outcomes].join('\n'))
  return hasFailed ? 1 : 0
}

async function outcomeOf(name: string): Promise<CheckOutcome> {
  try {
    return await CHECKS[name]!()
  } catch (error) {
    if (error instanceof ToolMissing) return { kind: 'missing', sentence: error.message }
    throw error
  }
}

// Brokers and programs would outlive a process that is stopped by a signal; at an orderly exit none is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
