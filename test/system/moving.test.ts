import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json, topicOf } from './api.ts'
import { assertStored } from './assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from './producers.ts'

const PARTITIONS = 6

/** Waits for an operation at any broker that answers; gives what it ended as. */
async function ended(cluster: DevCluster, id: string): Promise<Record<string, unknown>> {
  return eventually(
    async () => {
      const answers = await Promise.allSettled(
        cluster.brokers().map(({ url }) => call(url, `/v1/operations/${id}`)),
      )
      const found = answers.flatMap((answer) =>
        answer.status === 'fulfilled' && answer.value.status === 200 ? [answer.value.body] : [],
      )
      const last = found.find(({ state }) => state !== 'running')
      assert.ok(last !== undefined, `${id} has not ended: ${JSON.stringify(found[0])}`)
      return last
    },
    { timeoutMs: 60_000 },
  )
}

/** Starts an operation at a broker; it may need some tries while a controller is elected. */
async function started(url: string, path: string, init: RequestInit): Promise<string> {
  return eventually(
    async () => {
      const { status, body } = await call(url, path, init)
      assert.equal(status, 202, JSON.stringify(body))
      return String(body['id'])
    },
    { timeoutMs: 20_000 },
  )
}

async function replicasOf(url: string): Promise<readonly (readonly string[])[]> {
  const { partitions } = await topicOf(url, 'orders')
  return (partitions as unknown as { replicas: readonly string[] }[]).map(({ replicas }) => replicas)
}

test('a cluster grows from three brokers to five and shrinks to three under load, and loses nothing', async (t) => {
  const first = await startDev(t)
  await call(first.brokers()[0]!.url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  assert.equal(await first.stop(), 0)
  const cluster = await startDev(t, { folder: first.folder, brokers: 5 })
  const urls = () => cluster.brokers().map(({ url }) => url)
  const producers = [
    ...['a', 'b'].map((name) => new LoadProducer({ urls, topic: 'orders', name })),
    new LoadProducer({ urls, topic: 'orders', name: 'c', form: 'sequence' }),
  ]
  // However the test ends, nobody goes on producing.
  t.after(() => producers.forEach((producer) => producer.abandon()))
  await acknowledgedBeyond(producers, 50)

  const { url } = cluster.broker('1')
  const move = await started(
    url,
    '/v1/topics/orders/partitions/0/replicas',
    json('PUT', { brokers: ['4', '5', '1'] }),
  )
  assert.equal((await ended(cluster, move))['state'], 'done')
  // Another broker may have told of its end first.
  await eventually(async () => assert.deepEqual((await replicasOf(url))[0], ['4', '5', '1']))

  // The controller dies in the middle of a drain: whoever follows it goes on.
  const { body } = await call(url, '/v1/cluster')
  const controller = String(body['controller'])
  const leaving = ['1', '2', '3'].find((id) => id !== controller)!
  const witness = cluster.broker(['1', '2', '3'].find((id) => id !== controller && id !== leaving)!)
  const drain = await started(witness.url, `/v1/brokers/${leaving}/drain`, { method: 'POST' })
  cluster.kill(controller)
  assert.equal((await ended(cluster, drain))['state'], 'done')
  await eventually(async () => {
    for (const replicas of await replicasOf(witness.url)) assert.ok(!replicas.includes(leaving))
  })

  await eventually(() => assert.equal(cluster.brokers().length, 5, 'the broker that was killed is back'), {
    timeoutMs: 30_000,
  })
  for (const id of [leaving, '5']) {
    const remove = await started(witness.url, `/v1/brokers/${id}`, { method: 'DELETE' })
    assert.equal((await ended(cluster, remove))['state'], 'done')
    await eventually(
      () =>
        assert.ok(
          cluster.brokers().every((broker) => broker.id !== id),
          `broker ${id} has stopped`,
        ),
      { timeoutMs: 30_000 },
    )
  }
  const count = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  await acknowledgedBeyond(producers, count + 50)
  await Promise.all(producers.map((producer) => producer.stop()))
  assert.equal(cluster.brokers().length, 3)
  const left = cluster.brokers().map(({ id }) => id)
  await eventually(async () => {
    for (const replicas of await replicasOf(witness.url))
      assert.deepEqual([...replicas].sort(), [...left].sort())
  })
  await assertStored(cluster, 'orders', PARTITIONS, producers)
})
