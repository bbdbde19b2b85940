import { ClassicLevel } from 'classic-level'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { fanOut } from './fan-out.ts'
import { httpLoad, quantile } from './http-load.ts'
import { cpuSeconds, pidsOf, residentMiB } from './processes.ts'
import { benchOptions } from './options.ts'

/**
 * A first baseline of three brokers on this machine, clients included: `npm run bench:baseline [-- --rounds 3]`.
 * Absolute figures of a shared machine mean little; the fsync time beside them says how fast its disk was at that moment.
 */
const ROUND_MS = 4_000
const WARM_UP_MS = 2_000
const KIB = 'x'.repeat(1024)
const ONE = { body: Buffer.from(KIB), contentType: 'text/plain' }
const HUNDRED = {
  body: Buffer.from(JSON.stringify({ records: Array.from({ length: 100 }, () => ({ text: KIB })) })),
  contentType: 'application/json',
}

interface Figure {
  readonly name: string
  readonly unit: string
  readonly perRound: number[]
}

async function main(): Promise<void> {
  const { rounds } = benchOptions({ rounds: 3 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-bench-'))
  const cluster = await launchDev({ folder: join(folder, 'data') })
  try {
    const figures = await measure(cluster, folder, rounds)
    print(figures)
    await keep(figures)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(cluster: DevCluster, folder: string, rounds: number): Promise<readonly Figure[]> {
  const figures = new Map<string, Figure>()
  const add = (name: string, unit: string, value: number) => {
    const figure = figures.get(name) ?? { name, unit, perRound: [] }
    figures.set(name, figure)
    figure.perRound.push(value)
  }
  const url = await leaderUrl(cluster, 'bench')
  await httpLoad({ url: `${url}/records`, ...ONE, inFlight: 64, durationMs: WARM_UP_MS })
  for (let round = 0; round < rounds; round++) {
    add('fsync of one LevelDB value, p50', 'ms', await syncedPutMs(folder))
    const before = cpuSeconds(pidsOf(cluster))
    const many = await httpLoad({ url: `${url}/records`, ...ONE, inFlight: 64, durationMs: ROUND_MS })
    add('W1 records of 1 KiB, 64 in flight', '/s', many.perSecond)
    add('W1 p50', 'ms', many.p50Ms)
    add('W1 p99', 'ms', many.p99Ms)
    add('W1 failed', '', many.failedCount)
    add(
      'W1 CPU of all brokers per 1,000 records',
      's',
      ((cpuSeconds(pidsOf(cluster)) - before) * 1000) / many.okCount,
    )
    const batches = await httpLoad({ url: `${url}/batches`, ...HUNDRED, inFlight: 8, durationMs: ROUND_MS })
    add('W3 batches of 100, 8 in flight', 'records/s', batches.perSecond * 100)
    add('W3 failed', '', batches.failedCount)
    const single = await httpLoad({ url: `${url}/records`, ...ONE, inFlight: 1, durationMs: ROUND_MS })
    add('W4 one in flight, p50', 'ms', single.p50Ms)
    add('W4 one in flight, p99', 'ms', single.p99Ms)
    const fan = await fanOut({
      topicUrl: url,
      subscriberCount: 100,
      inFlight: 16,
      durationMs: ROUND_MS,
      body: KIB,
    })
    add('W6 deliveries to 100 WebSocket subscribers', '/s', fan.deliveriesPerSecond)
    add('W6 not delivered', '', fan.missing)
    add('memory of all brokers', 'MiB', residentMiB(pidsOf(cluster)))
  }
  return [...figures.values()]
}

/** Creates the topic with one partition and returns its URL at the broker that leads it. */
async function leaderUrl(cluster: DevCluster, topic: string): Promise<string> {
  const any = cluster.brokers()[0]!.url
  await fetch(`${any}/v1/topics/${topic}`, { method: 'PUT' })
  for (;;) {
    const answer = (await (await fetch(`${any}/v1/topics/${topic}`)).json()) as {
      partitions: { leader?: string }[]
    }
    const leader = answer.partitions[0]?.leader
    if (leader) return `${cluster.broker(leader).url}/v1/topics/${topic}`
  }
}

async function syncedPutMs(folder: string): Promise<number> {
  const db = new ClassicLevel<string, string>(join(folder, 'fsync'))
  const times: number[] = []
  for (let i = 0; i < 300; i++) {
    const startMs = performance.now()
    await db.put(`key-${i}`, KIB, { sync: true })
    times.push(performance.now() - startMs)
  }
  await db.close()
  return quantile(
    times.sort((a, b) => a - b),
    0.5,
  )
}

function print(figures: readonly Figure[]): void {
  for (const { name, unit, perRound } of figures) {
    const sorted = [...perRound].sort((a, b) => a - b)
    const shown = (value: number) =>
      value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
    console.log(
      `${name.padEnd(46)} ${shown(quantile(sorted, 0.5)).padStart(10)} ${unit.padEnd(10)} (${perRound.map(shown).join(', ')})`,
    )
  }
}

async function keep(figures: readonly Figure[]): Promise<void> {
  const folder = new URL('../../bench/results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('baseline.json', folder), `${JSON.stringify(figures, null, 2)}\n`)
}

await main()
