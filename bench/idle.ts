import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from '../test/system/api.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { cpuSeconds, pidsOf, residentMiB } from './processes.ts'
import { benchOptions } from './options.ts'
import { ledBy, metric } from './metrics.ts'

/**
 * What many idle topics cost: time to create them, then memory, CPU and messages between brokers while nothing happens; with
 * more brokers, what many of them on one machine cost. `npm run bench:idle [-- --topics 1000 --brokers 3]`.
 */
const CREATING_AT_ONCE = 16
const QUIET_MS = 15_000

async function main(): Promise<void> {
  const { topics, brokers } = benchOptions({ topics: 1_000, brokers: 3 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-idle-'))
  let cluster = await launchDev({ folder, brokers })
  try {
    const emptyMiB = residentMiB(pidsOf(cluster))
    const startMs = performance.now()
    await createTopics(cluster, topics)
    const createdMs = performance.now() - startMs
    await untilAllAreLed(cluster, topics)
    console.log(
      `${topics} topics created in ${seconds(createdMs)} s, all led after ${seconds(performance.now() - startMs)} s`,
    )
    await new Promise((done) => setTimeout(done, 5_000))
    await watchQuiet(cluster, emptyMiB)
    await cluster.stop()
    const restartMs = performance.now()
    cluster = await launchDev({ folder, brokers })
    await untilAllAreLed(cluster, topics)
    console.log(`started again: all led after ${seconds(performance.now() - restartMs)} s`)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function createTopics(cluster: DevCluster, topics: number): Promise<void> {
  let next = 0
  const worker = async (index: number) => {
    const { url } = cluster.brokers()[index % cluster.brokers().length]!
    while (next < topics) {
      const answer = await call(url, `/v1/topics/idle-${next++}`, { method: 'PUT' })
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
    }
  }
  await Promise.all(Array.from({ length: CREATING_AT_ONCE }, (_, index) => worker(index)))
}

async function untilAllAreLed(cluster: DevCluster, topics: number): Promise<void> {
  while ((await ledBy(cluster.brokers())) < topics) await new Promise((done) => setTimeout(done, 50))
}

async function watchQuiet(cluster: DevCluster, emptyMiB: number): Promise<void> {
  const cpuBefore = cpuSeconds(pidsOf(cluster))
  const framesBefore = await framesSent(cluster)
  const startMs = performance.now()
  await new Promise((done) => setTimeout(done, QUIET_MS))
  const elapsed = (performance.now() - startMs) / 1000
  const brokers = cluster.brokers().length
  const cpu = ((cpuSeconds(pidsOf(cluster)) - cpuBefore) / elapsed / brokers) * 100
  const frames = ((await framesSent(cluster)) - framesBefore) / elapsed
  console.log(
    `idle: ${cpu.toFixed(1)} % of a core and ${Math.round(residentMiB(pidsOf(cluster)) / brokers)} MiB a broker (${Math.round(emptyMiB / brokers)} MiB before)`,
  )
  console.log(`idle: ${Math.round(frames)} messages a second between all brokers`)
}

async function framesSent(cluster: DevCluster): Promise<number> {
  const names = ['ctl', 'data', 'bulk', 'fwd'].map((lane) => `synod_lane_${lane}_frames_sent_total`)
  const counts = cluster.brokers().flatMap((broker) => names.map((name) => metric(broker, name)))
  return (await Promise.all(counts)).reduce((a, b) => a + b, 0)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

await main()
