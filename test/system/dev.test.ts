import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAIN, startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { folderBytes } from '../support/folder-bytes.ts'
import { tempDir } from '../support/temp-dir.ts'
import { call, json, produce } from './api.ts'

test('Stops cleanly, leaves no process behind, and finds its data at the next start', async (t) => {
  const first = await startDev(t)
  assert.equal((await produce(first.brokers()[0]!.url, 'greetings', 'hello')).status, 201)
  const pids = first.brokers().map((broker) => broker.pid)
  assert.equal(await first.stop(), 0)
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  const second = await startDev(t, { folder: first.folder })
  for (const { url } of second.brokers()) {
    await eventually(async () => {
      const page = await call(url, '/v1/topics/greetings/partitions/0/records?from=earliest')
      assert.deepEqual(
        (page.body as { records: { text: string }[] }).records.map((record) => record.text),
        ['hello'],
      )
    })
  }
  await second.stop()
})

test('Takes its brokers with it when it is killed', async (t) => {
  const cluster = await startDev(t)
  const pids = cluster.brokers().map((broker) => broker.pid)
  cluster.killCommand()
  await eventually(
    () => {
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    },
    { timeoutMs: 15_000 },
  )
})

test('Starts a broker that died again, and it takes part as before', async (t) => {
  const cluster = await startDev(t)
  const { id, url, pid } = cluster.brokers()[1]!
  cluster.kill(id)
  await eventually(() => assert.notEqual(cluster.broker(id).pid, pid), { timeoutMs: 20_000 })
  await eventually(async () => assert.equal((await call(url, '/readyz')).status, 200), { timeoutMs: 20_000 })
  await eventually(async () => assert.equal((await produce(url, 'greetings', 'again')).status, 201), {
    timeoutMs: 10_000,
  })
})

test('Says in one sentence that a port is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await run(['dev', '--brokers', '1', '--port', String(port), '--data', tempDir(t)])
  assert.equal(code, 69)
  assert.match(stderr, new RegExp(`${port}.*taken|taken.*${port}`))
  assert.doesNotMatch(stderr, /\n\s+at /, 'no stack')
})

test('Keeps the cluster secret readable by its owner only, and answers a Prepare typed by hand', async (t) => {
  const cluster = await startDev(t)
  assert.equal((await produce(cluster.brokers()[0]!.url, 'greetings', 'hello')).status, 201)
  const path = join(cluster.folder, 'cluster.json')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    clusterSecret: string
    brokers: { internalPort: number }[]
  }
  const message = { ballot: '1.1.2', accepted: '0', through: 0, commit: 0 }
  const prepare = { group: 1, from: 2, message }
  const internal = `http://127.0.0.1:${file.brokers[0]!.internalPort}`
  const refused = await fetch(`${internal}/internal/v1/paxos/prepare`, {
    method: 'POST',
    body: JSON.stringify(prepare),
  })
  assert.equal(refused.status, 401)
  const answer = await call(
    internal,
    '/internal/v1/paxos/prepare',
    json('POST', prepare, { authorization: `Bearer ${file.clusterSecret}` }),
  )
  assert.equal(answer.status, 200)
  assert.match(JSON.stringify(answer.body), /"(promise|nack)"/)
})

test('Frees the disk of a deleted topic', async (t) => {
  const cluster = await startDev(t)
  const { url } = cluster.brokers()[0]!
  const value = 'x'.repeat(500_000)
  const bytesOf = (id: string): Promise<number> => folderBytes(join(cluster.folder, `broker-${id}`))
  for (let i = 0; i < 20; i++) assert.equal((await produce(url, 'big', value)).status, 201)
  assert.equal((await produce(url, 'small', 'stays')).status, 201)
  for (const { id } of cluster.brokers())
    await eventually(async () => assert.ok((await bytesOf(id)) > 10_000_000, `broker ${id} holds the topic`))
  assert.equal((await call(url, '/v1/topics/big', { method: 'DELETE' })).status, 204)
  for (const broker of cluster.brokers()) {
    await eventually(async () => assert.equal((await call(broker.url, '/v1/topics/big')).status, 404))
    await eventually(
      async () => {
        const bytes = await bytesOf(broker.id)
        assert.ok(bytes < 2_000_000, `the folder of broker ${broker.id} has ${bytes} bytes`)
      },
      { timeoutMs: 20_000 },
    )
  }
  await cluster.killAll()
  const again = await startDev(t, { folder: cluster.folder })
  for (const broker of again.brokers()) {
    const page = await call(broker.url, '/v1/topics/small/partitions/0/records?from=earliest')
    assert.match(JSON.stringify(page.body), /stays/)
    assert.equal((await call(broker.url, '/v1/topics/big')).status, 404)
  }
  await again.stop()
})

async function run(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stderr }
}
