import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, json } from '../test/system/api.ts'
import { restartGently } from '../test/system/rolling.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { quantile } from './http-load.ts'
import { benchOptions } from './options.ts'

/**
 * Each broker is stopped gently and started again under load, again and again: does a request to a live broker fail, and how
 * long does the slowest one take? Producers do not retry. `npm run bench:rolling-restart [-- --rounds 3]`.
 */
const TOPIC = 'rolling'
const PARTITIONS = 6
const PRODUCERS = 6

interface Load {
  /** The broker that is being restarted: nothing is sent to it. */
  stopping: string | undefined
  isOver: boolean
  readonly latenciesMs: number[]
  readonly failures: string[]
}

async function main(): Promise<void> {
  const { rounds } = benchOptions({ rounds: 3 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-rolling-'))
  const cluster = await launchDev({ folder })
  const load: Load = { stopping: undefined, isOver: false, latenciesMs: [], failures: [] }
  try {
    await call(cluster.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions: PARTITIONS }))
    const producers = Array.from({ length: PRODUCERS }, (_, turn) => produce(cluster, load, turn))
    for (let round = 0; round < rounds; round++) {
      for (const { id } of cluster.brokers()) await restartOne(cluster, load, id)
    }
    load.isOver = true
    await Promise.all(producers)
    report(load)
  } finally {
    load.isOver = true
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function restartOne(cluster: DevCluster, load: Load, id: string): Promise<void> {
  const before = load.latenciesMs.length
  const failed = load.failures.length
  load.stopping = id
  // What was sent to it before is answered first.
  await new Promise((resolve) => setTimeout(resolve, 500))
  await restartGently(cluster, id, TOPIC)
  load.stopping = undefined
  await new Promise((resolve) => setTimeout(resolve, 500))
  const slowest = Math.round(Math.max(...load.latenciesMs.slice(before)))
  console.log(`broker ${id}: ${load.failures.length - failed} failed, slowest request ${slowest} ms`)
}

async function produce(cluster: DevCluster, load: Load, first: number): Promise<void> {
  for (let turn = first; !load.isOver; turn++) {
    const live = cluster.brokers().filter((broker) => broker.id !== load.stopping)
    const { url } = live[turn % live.length]!
    const startMs = performance.now()
    try {
      const path = `${url}/v1/topics/${TOPIC}/records`
      const response = await fetch(path, {
        method: 'POST',
        body: `${turn}`,
        headers: { 'content-type': 'text/plain' },
      })
      const text = await response.text()
      if (!response.ok) load.failures.push(`${response.status} ${text}`)
    } catch (error) {
      load.failures.push(String(error))
    }
    load.latenciesMs.push(performance.now() - startMs)
  }
}

function report({ latenciesMs, failures }: Load): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const [p50, p99, longest] = [quantile(sorted, 0.5), quantile(sorted, 0.99), sorted.at(-1)!].map(Math.round)
  console.log(
    `${sorted.length} requests, ${failures.length} failed; p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms`,
  )
  for (const failure of failures.slice(0, 5)) console.log(failure)
}

await main()
