import { join } from 'node:path'

import { OUTSIDE, pythonEnvironment, run, type CheckOutcome } from '../prepare.ts'
import { startEchoServer } from './echo-server.ts'
import { expectationOf, type Verdict } from './expectations.ts'

const FOLDER = join(OUTSIDE, 'autobahn')
/** Fewer than that, and the package does not run what it did. */
const CASE_COUNT_MIN = 500

/** The cases of the Autobahn test suite against an echo that speaks as a broker's WebSockets do. */
export async function checkWithAutobahn(): Promise<CheckOutcome> {
  const programs = pythonEnvironment('autobahn', join(FOLDER, 'requirements.txt'))
  const server = await startEchoServer()
  let text = ''
  let code: number
  try {
    code = await run(join(programs, 'python'), [join(FOLDER, 'drive.py'), server.url], {
      cwd: FOLDER,
      onText: (piece) => (text += piece),
    })
  } finally {
    server.close()
  }
  if (code !== 0) return { kind: 'failed', sentence: `The cases could not be run: ${text.slice(-2_000)}` }
  const verdicts = text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Verdict)
  return judge(verdicts)
}

function judge(verdicts: readonly Verdict[]): CheckOutcome {
  const counts = { passed: 0, explained: 0, failed: 0 }
  const reasons = new Map<string, number>()
  for (const verdict of verdicts) {
    const { kind, reason } = expectationOf(verdict)
    counts[kind]++
    if (kind === 'explained') reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    if (kind === 'failed')
      console.log(
        `${verdict.case}: ${verdict.behavior}, close ${verdict.close} (${verdict.code ?? 'no code'})`,
      )
  }
  for (const [reason, count] of reasons) console.log(`${count} cases: ${reason}`)
  const sentence = `${counts.passed} of ${verdicts.length} cases passed, ${counts.explained} explained, ${counts.failed} failed`
  const hasFailed = counts.failed > 0 || verdicts.length < CASE_COUNT_MIN
  return { kind: hasFailed ? 'failed' : 'passed', sentence }
}
