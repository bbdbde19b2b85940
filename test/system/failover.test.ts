import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { busiestLeader, call, json, topicOf } from './api.ts'
import { assertStored } from './assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from './producers.ts'

const PARTITIONS = 3

test('Loses, repeats and reorders nothing when the leader is killed in the middle of a load', async (t) => {
  const cluster = await startDev(t)
  const url = cluster.brokers()[0]!.url
  assert.equal((await call(url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))).status, 201)
  const producers = startProducers(cluster)
  await acknowledgedBeyond(producers, 100)
  const leader = await busiestLeader(url, 'orders')
  cluster.kill(leader)
  await acknowledgedBeyond(producers, 400)
  const survivor = cluster.brokers().find((broker) => broker.id !== leader)!
  await eventually(
    async () => {
      assert.equal(cluster.brokers().length, 3, 'the killed broker is said to be back')
      const { partitions } = await topicOf(survivor.url, 'orders')
      for (const { inSync } of partitions)
        assert.equal(inSync?.length, 3, 'the killed broker comes back and is in sync')
    },
    { timeoutMs: 30_000 },
  )
  await Promise.all(producers.map((producer) => producer.stop()))
  await assertStored(cluster, 'orders', PARTITIONS, producers)
})

test('Keeps everything that was acknowledged when all brokers are killed at once and started again', async (t) => {
  const first = await startDev(t, { args: ['--no-restart'] })
  const url = first.brokers()[0]!.url
  await call(url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  const producers = startProducers(first)
  await acknowledgedBeyond(producers, 200)
  await first.killAll()
  const told = producers.flatMap((producer) => [...producer.acknowledged])
  const second = await startDev(t, { folder: first.folder })
  for (const producer of producers) producer.redirect(() => second.brokers().map((broker) => broker.url))
  await acknowledgedBeyond(producers, 300)
  await Promise.all(producers.map((producer) => producer.stop()))
  assert.ok(told.length >= 200)
  await assertStored(second, 'orders', PARTITIONS, producers)
})

function startProducers(cluster: DevCluster): readonly LoadProducer[] {
  const urls = () => cluster.brokers().map((broker) => broker.url)
  return [
    ...['a', 'b', 'c'].map((name) => new LoadProducer({ urls, topic: 'orders', name })),
    ...['d', 'e'].map((name) => new LoadProducer({ urls, topic: 'orders', name, form: 'sequence' })),
  ]
}
