import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { busiestLeader, call, json } from '../test/system/api.ts'
import { httpLoad } from './http-load.ts'
import { ledBy } from './metrics.ts'
import { pidsOf, residentMiB } from './processes.ts'
import { produceLoad } from './produce-loads.ts'
import { quantities } from './quantities.ts'

/**
 * Does what is retained slow down what comes? Fills a topic of `--partitions` up to `--bytes`, in `--steps`, and measures W1
 * (records of 1 KiB, 64 in flight) on the empty topic and after each step; the longest time without an answer; what the brokers
 * had written to their disks for each byte of a value that they hold; and how long all take to start again.
 * `npm run bench:retained [-- --bytes 10GiB --partitions 6 --steps 10]`
 */
const TOPIC = 'retained'
const FILL = { records: 100, inFlight: 16, durationMs: 2_000 }
const W1 = { records: 1, inFlight: 64, durationMs: 5_000 }
const WARM_UP_MS = 8_000
const VALUE_BYTES = 1024
const GIB = 2 ** 30

interface Progress {
  bytes: number
  longestSilenceMs: number
}

async function main(): Promise<void> {
  const { bytes, partitions, steps } = quantities({ bytes: '10GiB', partitions: '6', steps: '10' })
  const folder = await mkdtemp(join(tmpdir(), 'synod-retained-'))
  let cluster = await launchDev({ folder })
  try {
    await call(cluster.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions }))
    const before = pidsOf(cluster).map(bytesWritten)
    const progress: Progress = { bytes: 0, longestSilenceMs: 0 }
    await produce(cluster, { ...W1, durationMs: WARM_UP_MS }, progress)
    const empty = await produce(cluster, W1, progress)
    console.log(`empty: W1 ${Math.round(empty)} records/s`)
    for (let step = 1; step <= steps; step++) {
      const [startMs, startBytes] = [performance.now(), progress.bytes]
      progress.longestSilenceMs = 0
      while (progress.bytes < (bytes * step) / steps) await produce(cluster, FILL, progress)
      const rate = (progress.bytes - startBytes) / 2 ** 20 / ((performance.now() - startMs) / 1000)
      const filling = progress.longestSilenceMs
      progress.longestSilenceMs = 0
      const perSecond = await produce(cluster, W1, progress)
      const written = pidsOf(cluster).map((pid, index) => bytesWritten(pid) - before[index]!)
      const amplification = written.map((each) => (each / progress.bytes).toFixed(2)).join(' ')
      console.log(
        `${(progress.bytes / GIB).toFixed(1)} GiB: W1 ${Math.round(perSecond)} records/s (${(perSecond / empty).toFixed(2)}); filled at ${Math.round(rate)} MiB/s; longest silence ${Math.round(filling)} and ${Math.round(progress.longestSilenceMs)} ms; written for each byte ${amplification}; ${Math.round(residentMiB(pidsOf(cluster)))} MiB`,
      )
    }
    await cluster.stop()
    const restartMs = performance.now()
    cluster = await launchDev({ folder })
    const readyMs = performance.now() - restartMs
    while ((await ledBy(cluster.brokers())) < partitions) await new Promise((done) => setTimeout(done, 50))
    const ledMs = performance.now() - restartMs
    console.log(
      `started again: ready after ${(readyMs / 1000).toFixed(1)} s, all partitions led after ${(ledMs / 1000).toFixed(1)} s`,
    )
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Records a second. */
async function produce(
  cluster: DevCluster,
  load: { readonly records: number; readonly inFlight: number; readonly durationMs: number },
  progress: Progress,
): Promise<number> {
  const { url } = cluster.broker(await busiestLeader(cluster.brokers()[0]!.url, TOPIC))
  const result = await httpLoad({ ...produceLoad(`${url}/v1/topics/${TOPIC}`, load.records), ...load })
  if (result.failedCount > 0) console.log(`${result.failedCount} requests failed`)
  progress.bytes += result.okCount * load.records * VALUE_BYTES
  progress.longestSilenceMs = Math.max(progress.longestSilenceMs, result.longestSilenceMs)
  return result.perSecond * load.records
}

/** Bytes that a process caused to be written to disks so far. */
function bytesWritten(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

await main()
