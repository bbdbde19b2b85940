import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { busiestLeader, call, json, topicOf } from './api.ts'
import { acknowledgedBeyond, LoadProducer, type Acknowledged } from './producers.ts'
import { restartGently } from './rolling.ts'
import { SessionProducer } from './session-producer.ts'
import { SessionReader } from './session-reader.ts'

const TOPIC = 'orders'
const PARTITIONS = 3

test('rule 6: sessions of the other brokers see nothing of a leader that is killed but every record, once', async (t) => {
  const cluster = await startTopic(t)
  const leader = await busiestLeader(cluster.brokers()[0]!.url, TOPIC)
  const others = cluster.brokers().filter(({ id }) => id !== leader)
  const readers = [
    readFrom(t, cluster, others[0]!.id, 'synod.v1.json'),
    readFrom(t, cluster, others[1]!.id, 'synod.v1.bin'),
  ]
  const producers = produceTo(t, cluster)
  const overSession = await SessionProducer.open(others[0]!.url, TOPIC, 'session')
  t.after(() => overSession.terminate())
  await acknowledgedBeyond(producers, 60)
  cluster.kill(leader)
  await acknowledgedBeyond(producers, 200)
  await Promise.all([...producers, overSession].map((producer) => producer.stop()))
  assert.ok(overSession.acknowledged.length > 0)
  const acknowledged = [...producers, overSession].flatMap((producer) => producer.acknowledged)
  for (const reader of readers) {
    await assertRead(reader, acknowledged)
    assert.deepEqual(reader.closeCodes, [])
  }
})

test('A reader goes on at another broker with its cursor when its own is killed, and when it says moving and stops', async (t) => {
  const cluster = await startTopic(t)
  const [killed, stopped] = cluster.brokers().map(({ id }) => id) as [string, string]
  const ofKilled = readFrom(t, cluster, killed, 'synod.v1.bin')
  const ofStopped = readFrom(t, cluster, stopped, 'synod.v1.json')
  const producers = produceTo(t, cluster)
  await acknowledgedBeyond(producers, 60)
  await eventually(() => assert.ok(ofKilled.places.length > 0))
  const { pid } = cluster.broker(killed)
  cluster.kill(killed)
  await eventually(() => assert.deepEqual(ofKilled.closeCodes, [1006]))
  await eventually(
    async () => {
      assert.notEqual(cluster.broker(killed).pid, pid, 'the killed broker is back')
      const { partitions } = await topicOf(cluster.broker(stopped).url, TOPIC)
      for (const { inSync } of partitions) assert.equal(inSync?.length, 3)
    },
    { timeoutMs: 30_000 },
  )
  const before = ofStopped.movingCount
  await restartGently(cluster, stopped, TOPIC)
  assert.equal(before, 0)
  assert.equal(ofStopped.movingCount, 1)
  assert.deepEqual(ofStopped.closeCodes, [1001])
  await Promise.all(producers.map((producer) => producer.stop()))
  const acknowledged = producers.flatMap((producer) => producer.acknowledged)
  for (const reader of [ofKilled, ofStopped]) await assertRead(reader, acknowledged)
})

async function startTopic(t: TestContext): Promise<DevCluster> {
  const cluster = await startDev(t)
  const created = await call(
    cluster.brokers()[0]!.url,
    `/v1/topics/${TOPIC}`,
    json('PUT', { partitions: PARTITIONS }),
  )
  assert.equal(created.status, 201)
  return cluster
}

function produceTo(t: TestContext, cluster: DevCluster): readonly LoadProducer[] {
  const urls = () => cluster.brokers().map((broker) => broker.url)
  const producers = [
    new LoadProducer({ urls, topic: TOPIC, name: 'a' }),
    new LoadProducer({ urls, topic: TOPIC, name: 'b', form: 'sequence' }),
  ]
  t.after(() => {
    for (const producer of producers) producer.abandon()
  })
  return producers
}

/** Reads at that broker, and at the next ones when it is gone. */
function readFrom(
  t: TestContext,
  cluster: DevCluster,
  id: string,
  protocol: 'synod.v1.json' | 'synod.v1.bin',
): SessionReader {
  const urls = () => {
    const brokers = cluster.brokers()
    const first = brokers.findIndex((broker) => broker.id === id)
    return [...brokers.slice(first), ...brokers.slice(0, Math.max(0, first))].map((broker) => broker.url)
  }
  const reader = new SessionReader({ urls, topic: TOPIC, protocol })
  t.after(() => reader.stop())
  return reader
}

/** It got every value that was acknowledged, where its producer was told, each once, in order, and nothing but records. */
async function assertRead(reader: SessionReader, acknowledged: readonly Acknowledged[]): Promise<void> {
  await eventually(() => assert.equal(reader.places.length, acknowledged.length), { timeoutMs: 20_000 })
  const next = new Map<number, number>()
  const placeOf = new Map<string, string>()
  for (const { partition, offset, value } of reader.places) {
    assert.equal(offset, next.get(partition) ?? 0, `partition ${partition} has no gap and nothing twice`)
    next.set(partition, offset + 1)
    placeOf.set(value, `${partition}@${offset}`)
  }
  for (const { value, partition, offset } of acknowledged)
    assert.equal(placeOf.get(value), `${partition}@${offset}`, value)
  assert.deepEqual(reader.surprises, [])
}
