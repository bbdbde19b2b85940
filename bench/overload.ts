import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import { call, json, topicOf } from '../test/system/api.ts'
import { httpLoad } from './http-load.ts'
import { OpenLoadRun, type OpenLoadResult } from './open-load.ts'
import { benchOptions } from './options.ts'
import { MemoryWatch } from './processes.ts'
import { produceLoad } from './produce-loads.ts'

/**
 * What becomes of more than a broker can store? Finds how much it takes (`--in-flight` requests of `--records` of 1 KiB, closed
 * loop), then offers `--times` as much at a fixed rate for `--seconds`, from clients that wait for nothing; and again the first
 * load, to see that nothing is left of it. The load takes processor time from the brokers of this machine.
 * `npm run bench:overload [-- --times 3 --records 100 --in-flight 16 --seconds 10 --connections 2000]`
 */
const WARM_UP_MS = 6_000
const PEAK_MS = 5_000
const MIB = 2 ** 20
const TOPIC = 'overload'

async function main(): Promise<void> {
  const usual = { times: 3, records: 100, 'in-flight': 16, seconds: 10, connections: 2_000 }
  const { counts } = benchOptions(usual)
  const folder = await mkdtemp(join(tmpdir(), 'synod-overload-'))
  const cluster = await launchDev({ folder: join(folder, 'data') })
  try {
    const leader = await leaderOf(cluster)
    const load = produceLoad(`${leader.url}/v1/topics/${TOPIC}`, counts.records)
    const closed = { ...load, inFlight: counts['in-flight'] }
    await httpLoad({ ...closed, durationMs: WARM_UP_MS })
    const peak = await httpLoad({ ...closed, durationMs: PEAK_MS })
    tell(`peak: ${round(peak.perSecond * counts.records)} records/s, p99 ${round(peak.p99Ms)} ms`)
    const memory = new MemoryWatch(leader.pid)
    const cpu = process.cpuUsage()
    const perSecond = peak.perSecond * counts.times
    const { seconds, connections } = counts
    tellOpen(
      await new OpenLoadRun({ ...load, perSecond, connections, seconds }).run(),
      { perSecond, peakPerSecond: peak.perSecond },
      counts,
    )
    const { user, system } = process.cpuUsage(cpu)
    tell(`the load itself took ${Math.round((user + system) / 1e4 / counts.seconds)} % of a processor`)
    const { first, most } = memory.stop()
    tell(`the leader's own memory: ${round(first / MIB)} MiB before, at most ${round(most / MIB)} MiB`)
    const after = await httpLoad({ ...closed, durationMs: PEAK_MS })
    tell(
      `afterwards: ${round(after.perSecond * counts.records)} records/s (${ratio(after.perSecond, peak.perSecond)} of the peak), p99 ${round(after.p99Ms)} ms`,
    )
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The leader of a new topic, once it is the preferred one, which it then stays. */
async function leaderOf(cluster: DevCluster): Promise<{ readonly url: string; readonly pid: number }> {
  const any = cluster.brokers()[0]!.url
  await call(any, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
  return eventually(
    async () => {
      const [{ leader, replicas } = {}] = (await topicOf(any, TOPIC)).partitions
      if (leader === undefined || leader !== replicas?.[0])
        throw new Error('The preferred leader does not lead.')
      return cluster.broker(leader)
    },
    { timeoutMs: 120_000 },
  )
}

function tellOpen(
  result: OpenLoadResult,
  rates: { readonly perSecond: number; readonly peakPerSecond: number },
  { records, times }: { readonly records: number; readonly times: number },
): void {
  tell(`offered: ${times} times that, ${round(rates.perSecond)} requests/s for ${round(result.seconds)} s`)
  for (const [status, { count, inTimeCount, p50Ms, p99Ms }] of [...result.byStatus].sort(
    ([a], [b]) => a - b,
  )) {
    const perSecond = inTimeCount / result.seconds
    const share =
      status === 201
        ? `, ${round(perSecond * records)} records/s, ${ratio(perSecond, rates.peakPerSecond)} of the peak`
        : ''
    tell(
      `${status}: ${count} (${round(perSecond)}/s${share}), p50 ${round(p50Ms)} ms, p99 ${round(p99Ms)} ms`,
    )
  }
  const { brokenCount, notSentCount, connectionCount, withoutRetryAfter } = result
  tell(
    `broken connections ${brokenCount}, not sent for want of one ${notSentCount}, opened ${connectionCount}, 503 without Retry-After ${withoutRetryAfter}`,
  )
}

function ratio(value: number, of: number): string {
  return (value / of).toFixed(2)
}

function round(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function tell(line: string): void {
  console.log(line)
}

await main()
