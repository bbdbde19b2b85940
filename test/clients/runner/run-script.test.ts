import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CASES } from './cases.ts'
import type { Deeds } from './deeds.ts'
import { runScript, type ScriptRun } from './run-script.ts'

/** More than any script here needs, and never waited for. */
const LONG_MS = 60_000
/** Long enough for a process to start on a busy machine. */
const HANG_MS = 3_000

class RecordedDeeds implements Deeds {
  readonly done: string[] = []

  killLeader(topic: string, partition: number): Promise<void> {
    this.done.push(`kill-leader of ${topic} ${partition}`)
    return Promise.resolve()
  }

  stopMajority(): Promise<void> {
    return Promise.reject(new Error('The brokers do not end.'))
  }

  startAll(): Promise<void> {
    this.done.push('start-all')
    return Promise.resolve()
  }
}

/** Runs a program of JavaScript in which `pass(names)` reports cases as passed and `say(line)` writes a line. */
function run(program: string, silenceMs = LONG_MS, deeds: Deeds = new RecordedDeeds()): Promise<ScriptRun> {
  const words = `
    const cases = ${JSON.stringify(CASES)}
    const say = (line) => console.log(JSON.stringify(line))
    const pass = (names) => names.forEach((name) => say({ case: name, ok: true }))
  `
  return runScript({ command: [process.execPath, '-e', words + program], deeds, silenceMs })
}

function failed({ cases }: ScriptRun): readonly string[] {
  return cases.filter(({ isPassed }) => !isPassed).map(({ name }) => name)
}

test('a script that reports every case in its order passes', async () => {
  const result = await run('pass(cases)')
  assert.deepEqual([failed(result), result.faults], [[], []])
  assert.deepEqual(
    result.cases.map(({ name }) => name),
    [...CASES],
  )
})

test('a case that fails is a failure with its sentence, and those after it still count', async () => {
  const result = await run(
    `cases.forEach((name) => name === 'page' ? say({ case: name, ok: false, detail: 'One is missing.' }) : pass([name]))`,
  )
  assert.deepEqual([failed(result), result.faults], [['page'], []])
  assert.equal(result.cases.find(({ name }) => name === 'page')?.detail, 'One is missing.')
})

test('a script that hangs is ended with all that it started, and what it did not report has failed', async () => {
  // What it started holds its output open, so that the run ends only when that has ended, too.
  const result = await run(
    `
      require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1_000)'], { stdio: 'inherit' })
      pass(cases.slice(0, 3))
      setInterval(() => 0, 1_000)
    `,
    HANG_MS,
  )
  assert.deepEqual(failed(result), CASES.slice(3))
  assert.deepEqual(result.faults, [`It said nothing for ${HANG_MS} ms.`])
})

test('a script that skips a case, repeats one or reports one too many fails', async () => {
  const skipping = await run(`pass(cases.filter((name) => name !== 'batch'))`)
  assert.deepEqual(failed(skipping), CASES.slice(2))
  assert.deepEqual(skipping.faults, ["It reported 'page' where 'batch' was due."])
  const repeating = await run(`pass(['create', 'create'])`)
  assert.deepEqual(repeating.faults, ["It reported 'create' where 'raw-bytes' was due."])
  const more = await run(`pass([...cases, 'extra'])`)
  assert.deepEqual([failed(more), more.faults], [[], ["It reported 'extra' where 'the end' was due."]])
})

test('a script that ends early or with another exit code than 0 fails', async () => {
  const early = await run('pass(cases.slice(0, -1))')
  assert.deepEqual([failed(early), early.faults], [[CASES.at(-1)], []])
  const late = await run('pass(cases); process.exitCode = 3')
  assert.deepEqual([failed(late), late.faults], [[], ['It ended with exit code 3.']])
  const missing = await runScript({
    command: ['/nowhere/program'],
    deeds: new RecordedDeeds(),
    silenceMs: LONG_MS,
  })
  assert.equal(missing.faults.length, 1)
  assert.deepEqual(failed(missing), [...CASES])
})

test('a line that is none of the contract fails the script', async () => {
  for (const line of ['hello', '{"case":"create"}', '{"case":"create","ok":false}', 'null']) {
    const result = await run(`console.log(${JSON.stringify(line)}); pass(cases)`)
    assert.deepEqual(result.faults, [`It wrote a line that is none of the contract: ${line}`])
    assert.deepEqual(failed(result), [...CASES])
  }
})

test('deeds are done in turn and answered, and one that is unknown or fails ends the script', async () => {
  const deeds = new RecordedDeeds()
  const conversation = `
    const answers = require('node:readline').createInterface({ input: process.stdin })[Symbol.asyncIterator]()
    const ask = async (event) => { say(event); if ((await answers.next()).value !== 'done') process.exit(9) }
    const main = async () => {
      await ask({ event: 'kill-leader', topic: 't', partition: 2 })
      await ask({ event: 'start-all' })
      pass(cases)
      process.stdin.destroy()
    }
    main()
  `
  const result = await run(conversation, LONG_MS, deeds)
  assert.deepEqual([failed(result), result.faults], [[], []])
  assert.deepEqual(deeds.done, ['kill-leader of t 2', 'start-all'])
  for (const [event, fault] of [
    ['dance', /'dance' was not done: .*no deed/],
    ['kill-leader', /needs a topic and a partition/],
    ['stop-majority', /The brokers do not end/],
  ] as const) {
    const { faults } = await run(`say({ event: '${event}' }); setInterval(() => 0, 1_000)`)
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', fault)
  }
})
