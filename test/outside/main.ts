import { parseArgs } from 'node:util'

import { checkWithAutobahn } from './autobahn/check.ts'
import { checkWithBrowser } from './browser/check.ts'
import { checkWithEventSource } from './eventsource/check.ts'
import { ToolMissing, type CheckOutcome } from './prepare.ts'
import { checkWithSchemathesis } from './schemathesis/check.ts'

const CHECKS: Readonly<Record<string, () => Promise<CheckOutcome>>> = {
  schemathesis: checkWithSchemathesis,
  autobahn: checkWithAutobahn,
  eventsource: checkWithEventSource,
  browser: checkWithBrowser,
}

const USAGE = `npm run test:outside -- [${Object.keys(CHECKS).join('] [')}] [--all-required]
Programs of others look at a cluster of three brokers; all of them, or those that are named. test/outside/README.md says more.
--all-required: a check whose tools are not here fails, instead of being named.`

async function main(): Promise<number> {
  const { values, positionals: named } = parseArgs({
    allowPositionals: true,
    options: { 'all-required': { type: 'boolean', default: false } },
  })
  if (named.some((name) => CHECKS[name] === undefined)) {
    console.error(USAGE)
    return 2
  }
  const outcomes: string[] = []
  let hasFailed = false
  for (const name of named.length > 0 ? named : Object.keys(CHECKS)) {
    const { kind, sentence } = await outcomeOf(name)
    hasFailed ||= kind === 'failed' || (kind === 'missing' && values['all-required'])
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
    return {
      kind: 'failed',
      sentence: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}

// Brokers and programs would outlive a process that is stopped by a signal; at an orderly exit none is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
