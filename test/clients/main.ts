import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CaseResult } from './runner/cases.ts'
import { ConformanceCluster } from './runner/conformance-cluster.ts'
import { isLanguage, LANGUAGES, prepare, type Language } from './runner/languages.ts'
import { runScript, type ScriptRun } from './runner/run-script.ts'

const USAGE = `npm run test:clients -- [${LANGUAGES.join('] [')}] [--repeat 1] [--all-required]
Runs the conformance script of each client, or of those that are named, against three brokers of its own.
--repeat N: so often, each time with new brokers.
--all-required: a language whose toolchain is not here fails, instead of being named.`

/** Longer than any case waits for anything, on a busy machine too. */
const SILENCE_MS = 180_000

interface Row {
  readonly language: Language
  readonly text: string
  readonly isFailed: boolean
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repeat: { type: 'string', default: '1' },
      'all-required': { type: 'boolean', default: false },
    },
  })
  const languages = positionals.filter(isLanguage)
  const repeats = Number(values.repeat)
  if (languages.length < positionals.length || !(Number.isInteger(repeats) && repeats > 0)) {
    console.error(USAGE)
    return 2
  }
  const rows: Row[] = []
  for (const language of languages.length === 0 ? LANGUAGES : languages)
    rows.push(await rowOf(language, repeats, values['all-required']))
  console.log('')
  for (const { language, text } of rows) console.log(`${language.padEnd(12)}${text}`)
  return rows.some(({ isFailed }) => isFailed) ? 1 : 0
}

async function rowOf(language: Language, repeats: number, isRequired: boolean): Promise<Row> {
  const prepared = prepare(language)
  if (prepared.kind !== 'ready') {
    const isFailed = prepared.kind === 'failed' || isRequired
    return { language, text: `${isFailed ? 'FAILED' : 'not run'}: ${prepared.sentence}`, isFailed }
  }
  let passedCount = 0
  let caseCount = 0
  let faultCount = 0
  for (let round = 0; round < repeats; round++) {
    const { cases, faults } = await runRound(language, prepared.program)
    passedCount += cases.filter(({ isPassed }) => isPassed).length
    caseCount += cases.length
    faultCount += faults.length
  }
  const isFailed = passedCount < caseCount || faultCount > 0
  const faultText = faultCount === 0 ? '' : `, ${faultCount} faults of the script`
  return { language, text: `${passedCount} of ${caseCount} cases passed${faultText}`, isFailed }
}

/** Every round has brokers of its own. Their logs are kept when something failed. */
async function runRound(language: Language, program: string): Promise<ScriptRun> {
  const folder = mkdtempSync(join(tmpdir(), 'synod-clients-'))
  const cluster = await ConformanceCluster.start(folder)
  let run: ScriptRun
  try {
    run = await runScript({
      command: ['sh', program, cluster.urls.join(',')],
      deeds: cluster,
      silenceMs: SILENCE_MS,
      onCase: (result) => say(language, result),
    })
  } finally {
    await cluster.stop()
  }
  for (const fault of run.faults) console.log(`${language.padEnd(12)}${fault}`)
  const hasFailed = run.faults.length > 0 || run.cases.some(({ isPassed }) => !isPassed)
  if (hasFailed) console.log(`${language.padEnd(12)}The brokers' logs and data are in ${folder}.`)
  else rmSync(folder, { recursive: true, force: true })
  return run
}

function say(language: Language, { name, isPassed, detail, tookMs }: CaseResult): void {
  const outcome = isPassed ? `passed (${Math.round(tookMs)} ms)` : `FAILED: ${detail}`
  console.log(`${language.padEnd(12)}${name.padEnd(13)}${outcome}`)
}

// Brokers and scripts would outlive a process that is stopped by a signal; at an orderly exit none is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
