import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertStored } from '../test/system/assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { busiestLeader, call, json, topicOf } from '../test/system/api.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import { quantile } from './http-load.ts'
import { countOption } from './count-option.ts'

/**
 * The leader of a topic is killed (kill -9) under load, again and again: how long is nothing acknowledged, and is anything
 * lost, repeated or out of order at the end? `npm run bench:failover [-- --times 20]`.
 */
const TOPIC = 'failover'
const BROKERS = 3

async function main(): Promise<void> {
  const times = countOption('times', 20)
  const folder = await mkdtemp(join(tmpdir(), 'synod-failover-'))
  const cluster = await launchDev({ folder, brokers: BROKERS })
  const gaps: number[] = []
  try {
    await call(cluster.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
    const producers = startProducers(cluster)
    await acknowledgedBeyond(producers, 100)
    for (let i = 0; i < times; i++) gaps.push(await killOnce(cluster, producers))
    await Promise.all(producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, 1, producers)
    report(gaps, producers)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function startProducers(cluster: DevCluster): readonly LoadProducer[] {
  const urls = () => cluster.brokers().map((broker) => broker.url)
  return ['a', 'b', 'c', 'd'].map((name) => new LoadProducer({ urls, topic: TOPIC, name }))
}

/** Kills the leader and returns the longest time in which no producer was answered. */
async function killOnce(cluster: DevCluster, producers: readonly LoadProducer[]): Promise<number> {
  const alive = cluster.brokers()[0]!.url
  const leader = await busiestLeader(alive, TOPIC)
  for (const producer of producers) producer.longestGapMs = 0
  cluster.kill(leader)
  const count = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  await acknowledgedBeyond(producers, count + 200)
  const gapMs = Math.max(...producers.map((producer) => producer.longestGapMs))
  const survivor = cluster.brokers().find((broker) => broker.id !== leader)!
  await eventually(
    async () => {
      const inSync = (await topicOf(survivor.url, TOPIC)).partitions[0]?.inSync
      if (inSync?.length !== BROKERS) throw new Error(`In sync: ${inSync?.join()}`)
    },
    { timeoutMs: 60_000 },
  )
  console.log(`killed broker ${leader}: nothing acknowledged for ${Math.round(gapMs)} ms`)
  return gapMs
}

function report(gaps: readonly number[], producers: readonly LoadProducer[]): void {
  const sorted = [...gaps].sort((a, b) => a - b)
  const acknowledged = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  const [p50, p99, worst] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1)!].map(Math.round)
  console.log(`${gaps.length} kills: gap p50 ${p50} ms, p99 ${p99} ms, longest ${worst} ms`)
  console.log(`${acknowledged} acknowledged: lost 0, repeated 0, out of order 0 on every broker`)
}

await main()
