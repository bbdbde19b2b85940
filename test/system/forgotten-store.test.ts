import assert from 'node:assert/strict'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json, produce, topicOf } from './api.ts'

const OLD = '3'
const PATIENT = { timeoutMs: 60_000 }

/** Stops the broker, does something to its folder, and waits until the command has started it again. */
async function whileStopped(
  cluster: DevCluster,
  signal: NodeJS.Signals,
  work: () => Promise<void>,
): Promise<void> {
  const { pid } = cluster.broker(OLD)
  cluster.signal(OLD, signal)
  await eventually(() => assert.throws(() => process.kill(pid, 0), 'still there'), PATIENT)
  await work()
  await eventually(async () => {
    assert.notEqual(cluster.brokers().find(({ id }) => id === OLD)?.pid ?? pid, pid)
    await call(cluster.broker(OLD).url, '/livez')
  }, PATIENT)
}

async function stateOf(cluster: DevCluster) {
  const { body } = await call(cluster.broker('1').url, `/v1/brokers/${OLD}`)
  return body as { readonly state: string; readonly reason?: string; readonly pendingStore?: string }
}

test('A broker that is started from an old copy of its folder votes in nothing, and nothing is lost', async (t) => {
  const cluster = await startDev(t)
  const { url } = cluster.broker('1')
  const folder = join(cluster.folder, `broker-${OLD}`)
  const copy = join(cluster.folder, 'copy')
  await call(url, '/v1/topics/orders', json('PUT', {}))
  assert.equal((await produce(url, 'orders', 'before the copy')).status, 201)
  await whileStopped(cluster, 'SIGTERM', () => cp(folder, copy, { recursive: true }))
  await eventually(
    async () => assert.equal((await topicOf(url, 'orders')).partitions[0]!.inSync?.length, 3),
    PATIENT,
  )
  assert.equal((await produce(url, 'orders', 'after the copy')).status, 201)
  await whileStopped(cluster, 'SIGTERM', async () => {
    await rm(folder, { recursive: true })
    await cp(copy, folder, { recursive: true })
  })

  await eventually(async () => {
    const ready = await call(cluster.broker(OLD).url, '/readyz')
    assert.equal(ready.status, 503)
    assert.match(String(ready.body['reason']), /has lost writes that it had confirmed/)
    const { state, reason } = await stateOf(cluster)
    assert.equal(state, 'outsider')
    assert.match(reason ?? '', /takes part in no vote/)
    assert.deepEqual((await call(url, '/v1/cluster')).body['outsiders'], [OLD])
  }, PATIENT)
  await eventually(
    async () => assert.equal((await produce(url, 'orders', 'without it')).status, 201),
    PATIENT,
  )

  await whileStopped(cluster, 'SIGKILL', async () => {})
  await eventually(async () => {
    const { state, pendingStore } = await stateOf(cluster)
    assert.equal(state, 'outsider')
    assert.match(pendingStore ?? '', /^[0-9a-f]{32}$/)
    const page = await call(cluster.broker(OLD).url, '/v1/topics/orders/partitions/0/records')
    const values = (page.body as { records: { text: string }[] }).records.map(({ text }) => text)
    assert.deepEqual(values, ['before the copy', 'after the copy', 'without it'])
  }, PATIENT)
  assert.equal((await readdir(folder)).filter((name) => name.startsWith('damaged-')).length, 1)
})
