import { test } from 'node:test'
import { startDev } from '../support/dev-cluster.ts'
import { call, json } from './api.ts'
import { assertStored } from './assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from './producers.ts'
import { restartGently } from './rolling.ts'

const PARTITIONS = 6

test('Loses nothing and refuses nothing for good while each broker is restarted in turn', async (t) => {
  const cluster = await startDev(t)
  await call(cluster.brokers()[0]!.url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  const urls = () => cluster.brokers().map((broker) => broker.url)
  const producers = [
    ...['a', 'b'].map((name) => new LoadProducer({ urls, topic: 'orders', name })),
    ...['c', 'd'].map((name) => new LoadProducer({ urls, topic: 'orders', name, form: 'sequence' })),
  ]
  await acknowledgedBeyond(producers, 50)
  for (const { id } of cluster.brokers()) await restartGently(cluster, id, 'orders')
  const count = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  await acknowledgedBeyond(producers, count + 50)
  await Promise.all(producers.map((producer) => producer.stop()))
  await assertStored(cluster, 'orders', PARTITIONS, producers)
})
