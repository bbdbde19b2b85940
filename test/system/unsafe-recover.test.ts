import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAIN, startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json, produce, topicOf } from './api.ts'
import { readAll } from './read-all.ts'

const PARTITIONS = 3
const VALUES = 60

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command as an operator types it, with the settings that the broker is started with. */
function recover(folder: string, id: string, ...args: readonly string[]): Promise<Run> {
  const file = JSON.parse(readFileSync(join(folder, 'cluster.json'), 'utf8')) as {
    readonly clusterSecret: string
  }
  const settings = ['--broker-id', id, '--data-folder', join(folder, `broker-${id}`)]
  const env = { ...process.env, SYNOD_CLUSTER_SECRET: file.clusterSecret }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'unsafe-recover', ...settings, ...args],
      { env },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

async function valuesAt(url: string): Promise<readonly string[]> {
  const stored = await readAll(url, 'orders', PARTITIONS)
  return stored.map(({ value }) => value)
}

async function ended(url: string, id: string): Promise<void> {
  await eventually(
    async () => assert.equal((await call(url, `/v1/operations/${id}`)).body['state'], 'done'),
    { timeoutMs: 60_000 },
  )
}

/** Operations of before are on record; then each partition gets three replicas by a move. */
async function growBack(cluster: DevCluster): Promise<void> {
  const { url } = cluster.broker('1')
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const moved = await eventually(
      async () => {
        const path = `/v1/topics/orders/partitions/${partition}/replicas`
        const answer = await call(url, path, json('PUT', { brokers: ['1', '2', '3'] }))
        assert.equal(answer.status, 202, JSON.stringify(answer.body))
        return String(answer.body['id'])
      },
      { timeoutMs: 30_000 },
    )
    await ended(url, moved)
  }
  await eventually(
    async () => {
      const { body } = await call(url, '/v1/operations')
      const kinds = (body['items'] as Record<string, unknown>[]).map(
        ({ kind, state }) => `${String(kind)} ${String(state)}`,
      )
      assert.equal(kinds.filter((kind) => kind === 'replace-store done').length, 2, kinds.join())
      const { partitions } = await topicOf(url, 'orders')
      for (const { inSync } of partitions) assert.equal(inSync?.length, PARTITIONS)
    },
    { timeoutMs: 60_000 },
  )
}

test('one of three brokers goes on alone when the disks of the others are lost, and grows back to three', async (t) => {
  const first = await startDev(t)
  const { folder } = first
  const one = first.broker('1').url
  await call(one, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  const values = Array.from({ length: VALUES }, (_, index) => `value-${index}`)
  for (const value of values) assert.equal((await produce(one, 'orders', value)).status, 201)
  await eventually(async () => assert.deepEqual([...(await valuesAt(one))].sort(), [...values].sort()))

  const inUse = await recover(folder, '1', '--yes-lose-data')
  assert.equal(inUse.code, 73, inUse.stderr)
  // It is started again a while after each time.
  const alive = await eventually(
    async () => {
      first.signal('1', 'SIGKILL')
      const refused = await recover(folder, '1', '--yes-lose-data')
      assert.doesNotMatch(refused.stderr, /in use/)
      return refused
    },
    { timeoutMs: 60_000 },
  )
  assert.equal(alive.code, 1, alive.stderr)
  assert.match(alive.stderr, /is a majority of 1, 2, 3: nothing is lost/)
  await first.killAll()
  for (const id of ['2', '3']) rmSync(join(folder, `broker-${id}`), { recursive: true })

  const looked = await recover(folder, '1')
  assert.equal(looked.code, 1)
  assert.match(looked.stdout, /orders\/2 +\d \d \d +1 +20 +20 +20/)
  assert.match(looked.stderr, /Nothing was changed/)
  const done = await recover(folder, '1', '--yes-lose-data')
  assert.equal(done.code, 0, done.stderr)
  const again = await recover(folder, '1', '--yes-lose-data')
  assert.match(again.stderr, /is a majority of 1: nothing is lost/)

  const cluster = await startDev(t, { folder })
  const { url } = cluster.broker('1')
  assert.deepEqual([...(await valuesAt(url))].sort(), [...values].sort())
  const told = (await call(url, '/v1/operations')).body['items'] as Record<string, unknown>[]
  const record = told.find(({ kind }) => kind === 'unsafe-recover')
  assert.equal(record?.['state'], 'done')
  assert.match(String(record?.['problem']), /made broker 1 go on alone with 4 groups of the brokers 1, 2, 3/)
  await eventually(async () => assert.equal((await produce(url, 'orders', 'after')).status, 201))

  await growBack(cluster)
  cluster.signal('1', 'SIGSTOP')
  const two = cluster.broker('2').url
  await eventually(async () => assert.equal((await produce(two, 'orders', 'without one')).status, 201), {
    timeoutMs: 30_000,
  })
  cluster.signal('1', 'SIGCONT')
  const all = [...values, 'after']
  for (const { url: each } of cluster.brokers())
    await eventually(async () => {
      const found = await valuesAt(each)
      assert.deepEqual([...new Set(found)].filter((value) => value !== 'without one').sort(), all.toSorted())
      assert.ok(found.includes('without one'))
    })
})
