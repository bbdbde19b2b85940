import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertStored } from '../test/system/assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { busiestLeader, call, json, topicOf } from '../test/system/api.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import { quantile } from './http-load.ts'
import { ledBy } from './metrics.ts'
import { benchOptions } from './options.ts'

/**
 * The leader of a topic is taken away under load, again and again: how long is nothing acknowledged, and is anything lost,
 * repeated or out of order at the end?
 * `npm run bench:failover [-- --times 20] [--silent] [--led 1000]`: `--silent` stops the process (SIGSTOP) instead of killing it,
 * so that only its silence tells; `--led`: so many partitions at least are led by it.
 */
const TOPIC = 'failover'
const BROKERS = 3
/** By then no partition waits for the broker that fell silent. */
const SILENCE_MS = 5_000

interface Scene {
  readonly cluster: DevCluster
  readonly producers: readonly LoadProducer[]
  readonly isSilent: boolean
  readonly partitionCount: number
  /** The broker that is silent: clients that hold a connection to it see what their own timeout allows, so nobody asks it. */
  absent: string | undefined
}

async function main(): Promise<void> {
  const { counts, switches } = benchOptions({ times: 20, led: 1 }, ['silent'])
  const folder = await mkdtemp(join(tmpdir(), 'synod-failover-'))
  const cluster = await launchDev({ folder, brokers: BROKERS })
  const rounds: Round[] = []
  try {
    const first = cluster.brokers()[0]!.url
    await call(first, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
    const idleCount = counts.led > 1 ? counts.led : 0
    for (const name of idleCount > 0 ? ['idle-a', 'idle-b', 'idle-c'] : [])
      await call(first, `/v1/topics/${name}`, json('PUT', { partitions: idleCount }))
    const scene = startScene(cluster, switches.silent, 1 + 3 * idleCount)
    await acknowledgedBeyond(scene.producers, 100)
    for (let i = 0; i < counts.times; i++) rounds.push(await takeAway(scene))
    await Promise.all(scene.producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, 1, scene.producers)
    report(rounds, scene.producers)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function startScene(cluster: DevCluster, isSilent: boolean, partitionCount: number): Scene {
  const scene: Scene & { producers: LoadProducer[] } = {
    cluster,
    producers: [],
    isSilent,
    partitionCount,
    absent: undefined,
  }
  const urls = () =>
    cluster
      .brokers()
      .filter((broker) => broker.id !== scene.absent)
      .map((broker) => broker.url)
  for (const name of ['a', 'b', 'c', 'd'])
    scene.producers.push(new LoadProducer({ urls, topic: TOPIC, name }))
  return scene
}

interface Round {
  readonly gapMs: number
  /** Partitions that it led, and how long until others led all of them. */
  readonly led: number
  readonly allLedMs: number
}

/** Takes the leader away and waits until it is back and in sync. */
async function takeAway(scene: Scene): Promise<Round> {
  const { cluster, producers, isSilent, partitionCount } = scene
  const leader = await busiestLeader(cluster.brokers()[0]!.url, TOPIC)
  const others = cluster.brokers().filter((broker) => broker.id !== leader)
  const led = await ledBy([cluster.broker(leader)])
  if (isSilent) {
    scene.absent = leader
    // What was sent to it before is answered first.
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  for (const producer of producers) producer.longestGapMs = 0
  const startMs = performance.now()
  if (isSilent) cluster.signal(leader, 'SIGSTOP')
  else cluster.kill(leader)
  const count = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  const isServed = acknowledgedBeyond(producers, count + 200)
  while ((await ledBy(others)) < partitionCount && performance.now() < startMs + 60_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const allLedMs = performance.now() - startMs
  await isServed
  const gapMs = Math.max(...producers.map((producer) => producer.longestGapMs))
  if (isSilent) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, startMs + SILENCE_MS - performance.now())))
    cluster.signal(leader, 'SIGCONT')
    scene.absent = undefined
  }
  await eventually(
    async () => {
      const inSync = (await topicOf(others[0]!.url, TOPIC)).partitions[0]?.inSync
      if (inSync?.length !== BROKERS) throw new Error(`In sync: ${inSync?.join()}`)
    },
    { timeoutMs: 60_000 },
  )
  console.log(
    `${isSilent ? 'silenced' : 'killed'} broker ${leader}, which led ${led}: nothing acknowledged for ` +
      `${Math.round(gapMs)} ms, all led again after ${Math.round(allLedMs)} ms`,
  )
  return { gapMs, led, allLedMs }
}

function report(rounds: readonly Round[], producers: readonly LoadProducer[]): void {
  const acknowledged = producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
  const line = (name: string, values: readonly number[]) => {
    const sorted = values.toSorted((a, b) => a - b)
    const [p50, p99, worst] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1)!].map(Math.round)
    return `${name} p50 ${p50} ms, p99 ${p99} ms, longest ${worst} ms`
  }
  const led = rounds.map((round) => round.led)
  console.log(`${rounds.length} times, ${Math.min(...led)} to ${Math.max(...led)} partitions led`)
  console.log(
    line(
      'gap',
      rounds.map((round) => round.gapMs),
    ),
  )
  console.log(
    line(
      'all led again',
      rounds.map((round) => round.allLedMs),
    ),
  )
  console.log(`${acknowledged} acknowledged: lost 0, repeated 0, out of order 0 on every broker`)
}

await main()
