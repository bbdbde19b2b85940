import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuSeconds, residentMiB } from '../processes.ts'
import { Bodies } from './bodies.ts'
import { deliverTo } from './followers.ts'
import { startCeiling } from './systems/ceiling.ts'
import { startEtcd } from './systems/etcd.ts'
import { startNats } from './systems/nats.ts'
import { startSynod } from './systems/synod.ts'
import { syncsPer1000 } from './syncs.ts'
import type { LoadResult, System, Work } from './system.ts'
import { tableOf, type Round, type Rounds } from './table.ts'
import { WORKLOADS, type Workload } from './workloads.ts'

const PEERS: Readonly<Record<string, (folder: string, bodies: Bodies) => Promise<System | undefined>>> = {
  nats: startNats,
  etcd: startEtcd,
}
const USAGE = `npm run bench -- [${WORKLOADS.map(({ name }) => name).join(' ')}] [--peers nats,etcd] [--rounds 3] [--seconds 4] [--syncs]
Synod, its ceiling and its peers on this machine, in turn, under the same work. bench/README.md says what to distrust.`
/** So long it takes until the engine has compiled what is hot, under a shared processor. */
const WARM_UP_SECONDS = 8

interface Wish {
  readonly workloads: readonly Workload[]
  readonly peers: readonly string[]
  readonly rounds: number
  readonly seconds: number
  /** Count what is synced, too. */
  readonly syncs: boolean
}

async function main(): Promise<number> {
  const wish = readWish()
  if (wish === undefined) {
    console.error(USAGE)
    return 2
  }
  const folder = await mkdtemp(join(tmpdir(), 'synod-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const systems: System[] = []
  try {
    const bodies = new Bodies(folder)
    const synod = await startSynod(folder, bodies)
    systems.push(synod, await startCeiling(folder, bodies))
    for (const name of wish.peers) {
      const peer = await PEERS[name]!(folder, bodies)
      if (peer === undefined) console.log(`${name} is missing: sh bench/peers/install.sh`)
      else systems.push(peer)
    }
    const results = []
    for (const workload of wish.workloads) {
      const { name, question, partitions } = workload
      const taking =
        partitions === undefined
          ? systems.filter((system) => canTake(system, workload))
          : await Promise.all(partitions.map(synod.on))
      const rounds = await compare(taking, workload, wish)
      const [first, ...others] = taking.map((system) => system.name) as [string, ...string[]]
      const pairs = others.map((other): [string, string] =>
        partitions === undefined ? [first, other] : [other, first],
      )
      console.log(['', `${name}: ${question}`, ...tableOf(rounds, pairs)].join('\n'))
      if (wish.syncs && partitions === undefined && workload.reading === undefined)
        await tellSyncs(taking, workload, wish.seconds, folder)
      results.push({ workload: workload.name, systems: Object.fromEntries(rounds) })
    }
    await keep(results)
    return 0
  } finally {
    for (const system of systems) await system.stop()
  }
}

function readWish(): Wish | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peers: { type: 'string', default: Object.keys(PEERS).join(',') },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '4' },
      syncs: { type: 'boolean', default: false },
    },
  })
  const names = positionals.length === 0 ? WORKLOADS.map(({ name }) => name) : positionals
  const workloads = WORKLOADS.filter(({ name }) => names.includes(name))
  const peers = values.peers.split(',').filter((name) => name !== '')
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  const isKnown = workloads.length === new Set(names).size && peers.every((name) => name in PEERS)
  const isCounted = [rounds, seconds].every((count) => Number.isInteger(count) && count > 0)
  return isKnown && isCounted ? { workloads, peers, rounds, seconds, syncs: values.syncs } : undefined
}

/** Every system has its turn in every round, so that none has the machine's good minutes for itself. */
async function compare(systems: readonly System[], workload: Workload, wish: Wish): Promise<Rounds> {
  for (const system of systems) await loadOf(system, workload)({ ...workload.work, seconds: WARM_UP_SECONDS })
  const rounds = new Map<string, Round[]>(systems.map(({ name }) => [name, []]))
  for (let round = 0; round < wish.rounds; round++)
    for (const system of systems) rounds.get(system.name)!.push(await measure(system, workload, wish.seconds))
  return rounds
}

function canTake(system: System, { reading }: Workload): boolean {
  if (reading === undefined) return true
  return reading === 'times' ? system.deliver !== undefined : system.follow !== undefined
}

function loadOf({ load, session }: System, { isBySession }: Workload): System['load'] {
  return isBySession === true && session !== undefined ? session : load
}

async function measure(system: System, workload: Workload, forSeconds: number): Promise<Round> {
  const cpuBefore = cpuSeconds(system.pids)
  const { load, records, seconds } = await take(system, workload, { ...workload.work, seconds: forSeconds })
  const { p50Ms, p99Ms, failed } = load
  return {
    recordsPerSecond: records / seconds,
    p50Ms,
    p99Ms,
    cpuSecondsPer1000: ((cpuSeconds(system.pids) - cpuBefore) * 1000) / records,
    residentMiB: residentMiB(system.pids),
    failed,
  }
}

/** `records` are those that were acknowledged, or delivered, where that is the question. */
async function take(
  system: System,
  workload: Workload,
  work: Work,
): Promise<{ readonly load: LoadResult; readonly records: number; readonly seconds: number }> {
  const { deliver, follow } = system
  const { reading } = workload
  const load = loadOf(system, workload)
  if (typeof reading === 'object' && follow !== undefined) {
    const { deliveries, ...delivered } = await deliverTo(reading, { load, follow }, work)
    return { ...delivered, records: deliveries }
  }
  const result = await (reading === 'times' && deliver !== undefined ? deliver(work) : load(work))
  return { load: result, records: result.ok * work.records, seconds: result.seconds }
}

async function tellSyncs(
  systems: readonly System[],
  workload: Workload,
  seconds: number,
  folder: string,
): Promise<void> {
  for (const system of systems) {
    const load = loadOf(system, workload)
    const count = await syncsPer1000({ ...system, load }, { ...workload.work, seconds }, folder)
    if (count === undefined) return console.log('syncs are not counted: strace is missing')
    console.log(`${system.name}: ${Math.round(count)} syncs for 1,000 records that were acknowledged`)
  }
}

async function keep(results: unknown): Promise<void> {
  const folder = new URL('../../../bench/results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL('compare.json', folder), `${JSON.stringify(results, null, 2)}\n`)
}

// Servers would outlive a process that a signal stops; at an orderly exit none is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
