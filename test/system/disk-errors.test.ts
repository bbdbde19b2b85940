import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { launchBroker } from '../support/served-broker.ts'
import { tempDir } from '../support/temp-dir.ts'
import { produce } from './api.ts'
import { readAll } from './read-all.ts'

const TOPIC = 'ledger'
const ARGS = ['--auto-create-topics']
/** Far more than it takes until the injected error. */
const PRODUCE_COUNT_MAX = 2_000

const skip = whyNotTraceable()

test(
  'Ends itself with one sentence when the disk fails a sync, and serves all that it acknowledged when started again',
  { skip, timeout: 60_000 },
  async (t) => {
    const folder = tempDir(t)
    const broker = await launchBroker(folder, ARGS)
    t.after(() => broker.stop())
    const acknowledged: string[] = []
    for (let i = 0; i < 3; i++) assert.equal((await produceOne(broker.url, `before ${i}`)).status, 201)
    // Counted by thread, so it comes while writes are under way.
    await injectSyncError(t, broker.pid, 5)

    let refused = 0
    for (let i = 0; i < PRODUCE_COUNT_MAX && refused < 5; i++) {
      const value = `record ${i}`
      const isAcknowledged = (await produceOne(broker.url, value)).status === 201
      assert.ok(!isAcknowledged || refused === 0, `'${value}' was acknowledged after a write had failed`)
      if (isAcknowledged) acknowledged.push(value)
      else refused++
    }
    assert.equal(refused, 5, 'the injected error was met')
    assert.notEqual(acknowledged.length, 0)
    const { code, signal, stderr } = await broker.ended
    assert.deepEqual({ code, signal }, { code: 73, signal: null }, stderr)
    assert.match(stderr, /The data folder .* cannot be written \(IO error: .*: Input\/output error\)\./)
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack')

    const again = await launchBroker(folder, ARGS)
    t.after(() => again.stop())
    const found = new Set((await readAll(again.url, TOPIC, 1)).map((record) => record.value))
    const lost = acknowledged.filter((value) => !found.has(value))
    assert.deepEqual(lost, [], `of ${acknowledged.length} acknowledged records`)
    assert.equal((await produceOne(again.url, 'after')).status, 201)
    await again.stop()
  },
)

/** Status 0 when the broker is gone. */
async function produceOne(url: string, value: string): Promise<{ readonly status: number }> {
  try {
    return await produce(url, TOPIC, value)
  } catch {
    return { status: 0 }
  }
}

/** From its n-th sync on after this call, each thread of the process is told that the disk failed. */
async function injectSyncError(t: TestContext, pid: number, when: number): Promise<void> {
  const inject = `inject=fdatasync,fsync:error=EIO:when=${when}+`
  const args = ['-f', '-p', String(pid), '-e', 'trace=fdatasync,fsync', '-e', inject]
  const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => void tracer.kill('SIGKILL'))
  const closed = once(tracer, 'close').then(() => {
    throw new Error('strace ended at once.')
  })
  closed.catch(() => {})
  const attached = new Promise<void>((resolve) => {
    createInterface({ input: tracer.stderr }).on('line', (line) => {
      if (line.includes('attached')) resolve()
    })
  })
  await Promise.race([attached, closed])
}

/** strace may be missing, or a container may forbid it: then there is no way to make a real disk fail. */
function whyNotTraceable(): string | false {
  const { status, error } = spawnSync('strace', ['-f', '-e', 'trace=none', process.execPath, '--version'])
  if (error !== undefined) return 'strace is not installed, so no disk error can be injected'
  return status === 0 ? false : 'this system does not allow strace, so no disk error can be injected'
}
