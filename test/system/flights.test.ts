import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import {
  createSynodClient,
  type Receipt,
  type SynodClient,
  type SynodRecord,
} from '../../clients/typescript/src/client.ts'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { busiestLeader, topicOf } from './api.ts'

/** Real input: 20,000 flights as the package `vega-datasets` ships them, one JSON text each. */
interface Flight {
  readonly origin: string
  readonly json: string
}

const TOPIC = 'flights'
const PARTITIONS = 6
const BATCH_RECORDS = 200

test('Keeps 20,000 flights in order for readers on all brokers while the busiest leader is killed and comes back', async (t) => {
  const flights = readFlights()
  assert.equal(flights.length, 20_000)
  const cluster = await startDev(t)
  const client = clientOf(cluster.brokers().map((broker) => broker.url))
  await client.createTopic(TOPIC, { partitions: PARTITIONS })
  const stop = new AbortController()
  t.after(() => stop.abort())
  const readers = cluster.brokers().map((broker) => new Reader(broker.url, cluster, stop.signal))
  const killed = await busiestLeader(cluster.brokers()[0]!.url, TOPIC)
  const receipts = await produceAll(client, flights, () => cluster.kill(killed))
  for (const reader of readers) {
    await eventually(() => assert.equal(reader.records.length, flights.length), { timeoutMs: 60_000 })
  }
  assertReceipts(receipts, flights)
  for (const reader of readers) assertSeen(reader.records, flights, receipts)
  await eventually(() => assertInSync(cluster), { timeoutMs: 60_000 })
  await assertBytes(cluster, killed, flights, receipts)
})

function readFlights(): readonly Flight[] {
  const folder = dirname(createRequire(import.meta.url).resolve('vega-datasets'))
  const text = readFileSync(join(folder, '../data/flights-20k.json'), 'utf8')
  return (JSON.parse(text) as { origin: string }[]).map((flight) => ({
    origin: flight.origin,
    json: JSON.stringify(flight),
  }))
}

function clientOf(urls: readonly string[]): SynodClient {
  return createSynodClient(urls, { WebSocket })
}

/** Batch after batch, so that the order of the input is the order of the log; in the middle of it a broker dies. */
async function produceAll(
  client: SynodClient,
  flights: readonly Flight[],
  killLeader: () => void,
): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = []
  for (let at = 0; at < flights.length; at += BATCH_RECORDS) {
    if (at === flights.length / 2) killLeader()
    const records = flights
      .slice(at, at + BATCH_RECORDS)
      .map(({ origin, json }) => ({ key: origin, value: JSON.parse(json) as unknown }))
    receipts.push(...(await client.produce(TOPIC, records)))
  }
  return receipts
}

/** Reads along from one broker, and goes on at the others when that one dies. */
class Reader {
  readonly records: SynodRecord[] = []

  constructor(url: string, cluster: DevCluster, signal: AbortSignal) {
    const others = cluster.brokers().map((broker) => broker.url)
    void this.#read(clientOf([url, ...others.filter((other) => other !== url)]), signal)
  }

  async #read(client: SynodClient, signal: AbortSignal): Promise<void> {
    for await (const record of client.subscribe(TOPIC, { from: 'earliest', signal }))
      this.records.push(record)
  }
}

/** Every flight has a place of its own; places are dense within a partition and in the order of the input. */
function assertReceipts(receipts: readonly Receipt[], flights: readonly Flight[]): void {
  assert.equal(receipts.length, flights.length)
  const next = new Map<number, number>()
  const partitionOf = new Map<string, number>()
  receipts.forEach(({ partition, offset }, index) => {
    assert.equal(
      offset,
      next.get(partition) ?? 0,
      `flight ${index} follows the one before it in partition ${partition}`,
    )
    next.set(partition, offset + 1)
    const { origin } = flights[index]!
    assert.equal(
      partition,
      partitionOf.get(origin) ?? partition,
      `flights from ${origin} stay in one partition`,
    )
    partitionOf.set(origin, partition)
  })
}

function assertSeen(
  seen: readonly SynodRecord[],
  flights: readonly Flight[],
  receipts: readonly Receipt[],
): void {
  const expected = new Map(
    receipts.map((receipt, index) => [`${receipt.partition}@${receipt.offset}`, flights[index]!]),
  )
  const next = new Map<number, number>()
  for (const { partition, offset, key, value } of seen) {
    assert.equal(
      offset,
      next.get(partition) ?? 0,
      `partition ${partition} is read in order, without gap or repeat`,
    )
    next.set(partition, offset + 1)
    const flight = expected.get(`${partition}@${offset}`)
    assert.equal(key, flight?.origin)
    assert.equal(JSON.stringify(value), flight?.json)
  }
}

async function assertInSync(cluster: DevCluster): Promise<void> {
  assert.equal(cluster.brokers().length, 3, 'the broker that was killed is said to be back')
  const { partitions } = await topicOf(cluster.brokers()[0]!.url, TOPIC)
  for (const { partition, inSync } of partitions)
    assert.equal(inSync?.length, 3, `partition ${partition} has all replicas in sync`)
}

/** The broker that came back serves the very bytes from its own disk. */
async function assertBytes(
  cluster: DevCluster,
  id: string,
  flights: readonly Flight[],
  receipts: readonly Receipt[],
): Promise<void> {
  const { url } = cluster.broker(id)
  for (let index = 0; index < flights.length; index += 101) {
    const { partition, offset } = receipts[index]!
    const response = await fetch(`${url}/v1/topics/${TOPIC}/partitions/${partition}/records/${offset}`)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.equal(await response.text(), flights[index]!.json)
  }
}
