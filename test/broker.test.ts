import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startBroker, type RunningBroker } from '../src/broker.ts'
import { freePorts } from '../src/cli/dev/ports.ts'
import { loadConfig } from '../src/config.ts'
import { eventually } from './support/eventually.ts'

/** A broker's settings as its command line would give them. */
function configOf(folder: string, flags: Record<string, string | boolean> = {}) {
  const defaults = {
    brokerId: '1',
    dataFolder: folder,
    'public.port': '0',
    'internal.port': '0',
    logLevel: 'error',
    autoCreateTopics: true,
  }
  return loadConfig({ file: undefined, env: {}, flags: { ...defaults, ...flags } }).config
}

/** Folders and brokers of one test. The brokers let go of their folders before these are removed. */
function scene(t: TestContext) {
  const folders: string[] = []
  const brokers: RunningBroker[] = []
  t.after(async () => {
    await Promise.all(brokers.map((broker) => broker.stop()))
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'synod-test-'))
    folders.push(path)
    return path
  }
  const start = async (dataFolder: string, flags: Record<string, string | boolean> = {}) => {
    const broker = await startBroker(configOf(dataFolder, flags))
    brokers.push(broker)
    return broker
  }
  return { folder, start }
}

async function json(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

test('a broker alone is a cluster: it stores, serves, stops, and comes back with everything', async (t) => {
  const { folder, start } = scene(t)
  const home = folder()
  const first = await start(home)
  await first.ready
  const posted = await fetch(`${first.publicUrl}/v1/topics/orders/records`, { method: 'POST', body: 'hello' })
  assert.equal(posted.status, 201)
  assert.equal((await json(posted))['offset'], 0)
  const metrics = await (await fetch(`${first.publicUrl}/metrics`)).text()
  assert.match(metrics, /^synod_digests_sent_total 0$/m, 'A broker alone has nobody to compare with.')
  assert.match(metrics, /^synod_digest_differences_total 0$/m)
  await first.stop()
  await first.done
  await assert.rejects(fetch(`${first.publicUrl}/readyz`))
  const second = await start(home)
  await second.ready
  const read = await fetch(`${second.publicUrl}/v1/topics/orders/partitions/0/records?from=0`)
  const { records } = await json(read)
  assert.deepEqual(
    (records as { text: string }[]).map(({ text }) => text),
    ['hello'],
  )
})

test('a broker that waits for its founders listens, says why it is not ready, and stops at once', async (t) => {
  const { folder, start } = scene(t)
  const [own, other] = await freePorts(2, '127.0.0.1', new Set())
  const seeds = `1=127.0.0.1:${own},2=127.0.0.1:${other}`
  const broker = await start(folder(), { seeds, 'internal.port': String(own) })
  const probe = await fetch(`${broker.publicUrl}/readyz`)
  assert.equal(probe.status, 503)
  assert.match(JSON.stringify(await json(probe)), /not part of a cluster yet/)
  assert.equal((await fetch(`${broker.publicUrl}/livez`)).status, 200)
  const posted = await fetch(`${broker.publicUrl}/v1/topics/orders/records`, { method: 'POST', body: 'x' })
  assert.equal(posted.status, 503)
  assert.equal((await json(posted))['sideEffects'], 'none')
  await broker.stop()
  await broker.done
})

test('two founders find each other over HTTP and agree', async (t) => {
  const { folder, start } = scene(t)
  const ports = await freePorts(2, '127.0.0.1', new Set())
  const seeds = ports.map((port, place) => `${place + 1}=127.0.0.1:${port}`).join(',')
  const brokers: RunningBroker[] = []
  for (const [place, port] of ports.entries())
    brokers.push(await start(folder(), { brokerId: String(place + 1), seeds, 'internal.port': String(port) }))
  await Promise.all(brokers.map((broker) => broker.ready))
  const [one, two] = brokers as [RunningBroker, RunningBroker]
  const posted = await fetch(`${one.publicUrl}/v1/topics/orders/records`, { method: 'POST', body: 'hello' })
  assert.equal(posted.status, 201)
  const read = await fetch(`${two.publicUrl}/v1/topics/orders/partitions/0/records?from=0&wait=5s`)
  assert.equal(((await json(read))['records'] as unknown[]).length, 1)
})

test('a broker whose disk fails confirms nothing more and ends with the reason', async (t) => {
  const { folder, start } = scene(t)
  const broker = await start(folder())
  await broker.ready
  const reason = new Error('The disk is gone.')
  // As the store tells it when a write fails.
  ;(broker as unknown as { fail(error: Error): void }).fail(reason)
  await assert.rejects(broker.done, reason)
  const probe = await fetch(`${broker.publicUrl}/readyz`)
  assert.equal(probe.status, 503)
})

test('a broker that cannot start says why in one sentence and leaves nothing behind', async (t) => {
  const { folder, start } = scene(t)
  const home = folder()
  const first = await start(home)
  await first.ready
  await assert.rejects(startBroker(configOf(home)), /is in use by another broker/)
  const taken = configOf(folder(), { 'public.port': String(first.publicPort) })
  await assert.rejects(startBroker(taken), /EADDRINUSE|in use|taken/)
  await first.stop()
  await assert.rejects(startBroker(configOf(home, { brokerId: '2' })), /belongs to broker 1/)
  // The folder was let go of by all who failed.
  const again = await start(home)
  await eventually(async () => assert.equal((await fetch(`${again.publicUrl}/readyz`)).status, 200))
})
