import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json } from './api.ts'
import { assertStored } from './assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from './producers.ts'

const PARTITIONS = 12

interface BrokerBody {
  readonly id: string
  readonly state: string
  readonly pendingStore?: string
}

async function underLoad(t: TestContext): Promise<{ cluster: DevCluster; producers: LoadProducer[] }> {
  const cluster = await startDev(t)
  await call(cluster.brokers()[0]!.url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  const urls = () => cluster.brokers().map(({ url }) => url)
  const producers = [
    ...['a', 'b'].map((name) => new LoadProducer({ urls, topic: 'orders', name })),
    new LoadProducer({ urls, topic: 'orders', name: 'c', form: 'sequence' }),
  ]
  // However the test ends, nobody goes on producing.
  t.after(() => producers.forEach((producer) => producer.abandon()))
  await acknowledgedBeyond(producers, 200)
  return { cluster, producers }
}

async function controllerOf(cluster: DevCluster): Promise<string> {
  return eventually(async () => {
    const { body } = await call(cluster.brokers()[0]!.url, '/v1/cluster')
    assert.ok(cluster.brokers().some(({ id }) => id === body['controller']))
    return String(body['controller'])
  })
}

/** The broker dies and its disk with it; it is started again by itself, on an empty folder. */
async function loseDisk(cluster: DevCluster, id: string): Promise<void> {
  const { pid } = cluster.broker(id)
  cluster.kill(id)
  rmSync(join(cluster.folder, `broker-${id}`), { recursive: true, force: true, maxRetries: 10 })
  await backAgain(cluster, id, pid)
}

async function backAgain(cluster: DevCluster, id: string, pid: number): Promise<void> {
  await eventually(
    () => {
      const found = cluster.brokers().find((broker) => broker.id === id)
      assert.ok(found !== undefined && found.pid !== pid, `broker ${id} has been started again`)
    },
    { timeoutMs: 30_000 },
  )
}

/** Every broker says that this one takes part in votes again, and its replacement has come to its end. */
async function votesAgain(cluster: DevCluster, id: string): Promise<void> {
  await eventually(
    async () => {
      for (const { url } of cluster.brokers()) {
        const { body } = await call(url, '/v1/brokers')
        const broker = (body['items'] as BrokerBody[]).find((each) => each.id === id)
        assert.deepEqual([broker?.state, broker?.pendingStore], ['alive', undefined], JSON.stringify(broker))
        const operations = (await call(url, '/v1/operations')).body['items'] as Record<string, unknown>[]
        const [newest] = operations.filter(({ kind }) => kind === 'replace-store')
        assert.deepEqual([newest?.['state'], newest?.['broker']], ['done', id])
      }
    },
    { timeoutMs: 60_000 },
  )
}

/** With another broker dead the new store's votes are needed in every partition. */
async function goesOnWithout(cluster: DevCluster, id: string, producers: LoadProducer[]): Promise<void> {
  const { pid } = cluster.broker(id)
  cluster.signal(id, 'SIGSTOP')
  const before = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  await acknowledgedBeyond(producers, before + 100)
  cluster.signal(id, 'SIGCONT')
  assert.equal(cluster.broker(id).pid, pid)
}

async function nothingLost(cluster: DevCluster, producers: LoadProducer[]): Promise<void> {
  await Promise.all(producers.map((producer) => producer.stop()))
  await assertStored(cluster, 'orders', PARTITIONS, producers)
}

test('a broker that lost its disk under load votes again with a new one, and another may then be lost', async (t) => {
  const { cluster, producers } = await underLoad(t)
  const controller = await controllerOf(cluster)
  const [lost, other] = ['1', '2', '3'].filter((id) => id !== controller)
  await loseDisk(cluster, lost!)
  await votesAgain(cluster, lost!)
  await goesOnWithout(cluster, other!, producers)
  await nothingLost(cluster, producers)
})

test('the replacement of a disk goes on when the controller is killed in the middle', async (t) => {
  const { cluster, producers } = await underLoad(t)
  const controller = await controllerOf(cluster)
  const lost = ['1', '2', '3'].find((id) => id !== controller)!
  await loseDisk(cluster, lost)
  const witness = cluster.broker(lost).url
  await eventually(
    async () => {
      const { body } = await call(witness, '/v1/operations')
      assert.equal((body['items'] as Record<string, unknown>[])[0]?.['kind'], 'replace-store')
    },
    { timeoutMs: 30_000 },
  )
  const { pid } = cluster.broker(controller)
  cluster.kill(controller)
  await backAgain(cluster, controller, pid)
  await votesAgain(cluster, lost)
  const before = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  await acknowledgedBeyond(producers, before + 100)
  await nothingLost(cluster, producers)
})
