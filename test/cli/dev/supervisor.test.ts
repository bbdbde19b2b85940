import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { Supervisor } from '../../../src/cli/dev/supervisor.ts'
import type { BrokerEvent, BrokerSpec, SupervisorOptions } from '../../../src/cli/dev/supervisor.ts'
import { CommandError } from '../../../src/cli/exit-codes.ts'
import { eventually } from '../../support/eventually.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { fakeBroker } from './fake-broker.ts'

const MODULE = new URL('../../../src/cli/dev/supervisor.js', import.meta.url).href

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function supervise(
  t: TestContext,
  specs: readonly BrokerSpec[],
  options: Partial<SupervisorOptions> = {},
): { supervisor: Supervisor; events: BrokerEvent[] } {
  const events: BrokerEvent[] = []
  const onEvent = (event: BrokerEvent): void => void events.push(event)
  const supervisor = new Supervisor(specs, {
    restartDelayMs: undefined,
    killAfterMs: 5_000,
    onEvent,
    ...options,
  })
  t.after(() => {
    supervisor.kill()
  })
  return { supervisor, events }
}

function pids(supervisor: Supervisor): number[] {
  return supervisor.running.map(({ pid }) => pid)
}

describe('Supervisor', () => {
  test('starts every broker, keeps their logs, and leaves none after stop', async (t) => {
    const folder = tempDir(t)
    const { supervisor, events } = supervise(t, [fakeBroker(folder, '1'), fakeBroker(folder, '2')])
    await supervisor.start()
    const started = pids(supervisor)
    assert.equal(started.length, 2)
    assert.ok(started.every(isRunning))
    assert.equal(supervisor.running[0]?.url, 'http://127.0.0.1:1')
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['ready', 'ready'],
    )
    await supervisor.stop()
    assert.ok(!started.some(isRunning))
    assert.deepEqual(supervisor.running, [])
    assert.match(readFileSync(join(folder, 'broker-2.log'), 'utf8'), /a line for the log/)
  })

  test('starts a broker again that was killed, as another process', async (t) => {
    const { supervisor, events } = supervise(t, [fakeBroker(tempDir(t), '1')], { restartDelayMs: 10 })
    await supervisor.start()
    const [first = 0] = pids(supervisor)
    process.kill(first, 'SIGKILL')
    await eventually(() => assert.equal(events.length, 3))
    assert.deepEqual(events[1], { kind: 'ended', id: '1', pid: first, reason: 'it was ended by SIGKILL' })
    const [, , back] = events
    assert.ok(back?.kind === 'ready' && back.isRestart && back.pid !== first && isRunning(back.pid))
    await supervisor.stop()
  })

  test('leaves a dead broker as it is when told so', async (t) => {
    const { supervisor, events } = supervise(t, [fakeBroker(tempDir(t), '1'), fakeBroker(tempDir(t), '2')])
    await supervisor.start()
    process.kill(pids(supervisor)[0] ?? 0, 'SIGKILL')
    await eventually(() => assert.equal(events.length, 3))
    assert.deepEqual(
      supervisor.running.map(({ id }) => id),
      ['2'],
    )
    await supervisor.stop()
  })

  test('does not start anything again while it stops', async (t) => {
    const { supervisor, events } = supervise(t, [fakeBroker(tempDir(t), '1')], { restartDelayMs: 60_000 })
    await supervisor.start()
    process.kill(pids(supervisor)[0] ?? 0, 'SIGKILL')
    await eventually(() => assert.equal(events.length, 2))
    await supervisor.stop()
    assert.deepEqual(supervisor.running, [])
  })

  test('fails with the sentence, hint and code of a broker that cannot start', async (t) => {
    const { supervisor } = supervise(t, [fakeBroker(tempDir(t), '1'), fakeBroker(tempDir(t), '2', 'fails')])
    await assert.rejects(
      supervisor.start(),
      (error) =>
        error instanceof CommandError &&
        error.exitCode === 69 &&
        error.message === 'Broker 2: The port is taken.' &&
        error.hint === 'Take another.',
    )
    await supervisor.stop()
    assert.deepEqual(supervisor.running, [])
  })

  test('fails when a broker ends without a word, or cannot be run at all', async (t) => {
    const early = supervise(t, [fakeBroker(tempDir(t), '1', 'ends-early')])
    await assert.rejects(
      early.supervisor.start(),
      /Broker 1 did not start: it ended with code 3; see .*broker-1\.log/,
    )
    const missing = supervise(t, [{ ...fakeBroker(tempDir(t), '1'), command: '/nowhere/node' }])
    await assert.rejects(missing.supervisor.start(), /Broker 1 did not start: .*ENOENT/)
  })

  test('kills a broker that does not mind SIGTERM', async (t) => {
    const { supervisor } = supervise(t, [fakeBroker(tempDir(t), '1', 'stubborn')], { killAfterMs: 50 })
    await supervisor.start()
    const [pid = 0] = pids(supervisor)
    await supervisor.stop()
    assert.equal(isRunning(pid), false)
  })

  test('puts a large log aside', async (t) => {
    const folder = tempDir(t)
    const log = join(folder, 'broker-1.log')
    writeFileSync(log, '')
    truncateSync(log, 17 * 1024 * 1024)
    const { supervisor } = supervise(t, [fakeBroker(folder, '1')])
    await supervisor.start()
    await supervisor.stop()
    assert.ok(existsSync(`${log}.old`))
    assert.ok(statSync(log).size < 1_000)
  })

  test('leaves no broker behind when its own process is killed with -9', async (t) => {
    const spec = fakeBroker(tempDir(t), '1', 'stubborn')
    const script = `
      const { Supervisor } = await import(${JSON.stringify(MODULE)})
      const onEvent = (event) => console.log(event.pid)
      await new Supervisor([${JSON.stringify(spec)}], { restartDelayMs: 10, killAfterMs: 5000, onEvent }).start()`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const pid = Number(line)
    assert.ok(pid > 0 && isRunning(pid))
    parent.kill('SIGKILL')
    await eventually(() => assert.equal(isRunning(pid), false))
  })

  test('does not start a broker again that the cluster removed', async (t) => {
    const { supervisor, events } = supervise(t, [fakeBroker(tempDir(t), '1', 'removed')], {
      restartDelayMs: 1,
    })
    await supervisor.start()
    await eventually(() => assert.equal(events.at(-1)?.kind, 'removed'))
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['ready', 'removed'],
    )
  })

  test('a broker that was removed while it was down is no failed start, and is not started again', async (t) => {
    const { supervisor, events } = supervise(t, [fakeBroker(tempDir(t), '1', 'removed-before')], {
      restartDelayMs: 1,
    })
    await supervisor.start()
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['removed'],
    )
    assert.deepEqual(supervisor.running, [])
  })
})
