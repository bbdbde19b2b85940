import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call, produce } from '../test/system/api.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { memoryOf } from './processes.ts'
import { quantities } from './quantities.ts'
import type { Order, Report } from './subscriber-process.ts'
import { numberedValue } from './subscriber-sockets.ts'

/**
 * Many WebSocket subscribers on one broker of three, some of which do not read:
 * `npm run bench:subscribers [-- --sockets 10000 --not-reading 0.1 --per-second 5 --seconds 50]`.
 *
 * Four times so many seconds: without those that do not read, with them, without, with. They begin at the earliest record of
 * a backlog, so that each has more to get than it takes; at the end of their turn they read again. A turn of more than
 * 40 s lets the broker cut off those of which nothing is heard. Delays run from the sending of a produce to the arrival of its
 * frame, on one clock. Memory is what the broker holds itself, without the files that it has mapped.
 */
const PROCESSES = 4
const VALUE_BYTES = 256
const BACKLOG_RECORDS = 128
const BACKLOG_VALUE_BYTES = 64 * 1024
const CATCH_UP_MS_MAX = 60_000

interface Scene {
  readonly cluster: DevCluster
  readonly url: string
  readonly pid: number
  readonly processes: readonly ChildProcess[]
  readonly idleCount: number
  readonly turnMs: number
  readonly perSecond: number
  produced: number
}

async function main(): Promise<void> {
  const usual = { sockets: '10000', 'not-reading': '0.1', 'per-second': '5', seconds: '50' }
  const wish = quantities(usual)
  const idleCount = Math.round(wish.sockets * wish['not-reading'])
  requireFiles(wish.sockets)
  const folder = await mkdtemp(join(tmpdir(), 'synod-subscribers-'))
  const cluster = await launchDev({ folder })
  const child = fileURLToPath(new URL('subscriber-process.js', import.meta.url))
  const processes = Array.from({ length: PROCESSES }, () => fork(child))
  try {
    const { url, pid } = cluster.brokers()[0]!
    const turnMs = wish.seconds * 1000
    const perSecond = wish['per-second']
    const scene: Scene = { cluster, url, pid, processes, idleCount, turnMs, perSecond, produced: 0 }
    await fillBacklog(scene)
    await measureIdle(scene, wish.sockets - idleCount)
    for (const isWith of [false, true, false, true]) await takeTurn(scene, isWith)
    await judge(scene)
  } finally {
    for (const each of processes) each.disconnect()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Brokers inherit the limit of this process. */
function requireFiles(sockets: number): void {
  const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? NaN)
  if (limit >= sockets + 1_000) return
  console.error(
    `A process may open ${limit} files, and the broker needs ${sockets + 1_000}: ulimit -n ${sockets + 1_000}.`,
  )
  process.exit(2)
}

async function fillBacklog(scene: Scene): Promise<void> {
  const created = await call(scene.url, '/v1/topics/fan', { method: 'PUT' })
  if (created.status !== 201) throw new Error(JSON.stringify(created.body))
  for (let count = 0; count < BACKLOG_RECORDS; count++) await send(scene, BACKLOG_VALUE_BYTES)
}

async function send(scene: Scene, bytes: number): Promise<void> {
  const answer = await produce(scene.url, 'fan', numberedValue(scene.produced, bytes))
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  scene.produced++
}

async function measureIdle(scene: Scene, readerCount: number): Promise<void> {
  const before = memoryOf(scene.pid).own
  const startMs = performance.now()
  await open(scene, readerCount, 'latest', true)
  const elapsedMs = performance.now() - startMs
  const perSubscriber = (memoryOf(scene.pid).own - before) / readerCount
  console.log(
    `${readerCount} readers subscribed in ${(elapsedMs / 1000).toFixed(1)} s: the broker has ${mib(before)} before, ` +
      `${mib(memoryOf(scene.pid).own)} after, ${(perSubscriber / 1024).toFixed(1)} KiB a subscriber`,
  )
}

async function open(scene: Scene, count: number, from: string, isReading: boolean): Promise<void> {
  const url = `${scene.url}/v1/topics/fan/subscribe?values=only&from=${from}`
  const share = Math.ceil(count / PROCESSES)
  await Promise.all(
    scene.processes.map((each, index) =>
      order(each, {
        do: 'open',
        url,
        count: Math.max(0, Math.min(share, count - index * share)),
        isReading,
        localAddress: `127.0.0.${2 + index}`,
      }),
    ),
  )
}

async function takeTurn(scene: Scene, isWithIdlers: boolean): Promise<void> {
  const before = memoryOf(scene.pid).own
  if (isWithIdlers) await open(scene, scene.idleCount, 'earliest', false)
  await all(scene, { do: 'report' })
  let most = 0
  const startMs = performance.now()
  for (let count = 0; performance.now() - startMs < scene.turnMs; count++) {
    await until(startMs + (count * 1000) / scene.perSecond)
    await send(scene, VALUE_BYTES)
    most = Math.max(most, memoryOf(scene.pid).own)
  }
  await readersAreThere(scene)
  const { p50, p99, count } = delaysOf(await all(scene, { do: 'report' }))
  console.log(
    `${isWithIdlers ? `B, ${scene.idleCount} do not read` : 'A, all read'}: ${count} deliveries, p50 ${p50} ms, p99 ${p99} ms; ` +
      `the broker has ${mib(before)} before, ${mib(most)} at most, ${mib(memoryOf(scene.pid).own)} after`,
  )
  if (isWithIdlers) await tellOfIdlers(scene)
}

/** What became of those that did not read: whoever is still there reads all it has missed, the others were cut off. */
async function tellOfIdlers(scene: Scene): Promise<void> {
  const cutOffBefore = sum(await all(scene, { do: 'report' }), ({ idlers }) => idlers.closedCount)
  await all(scene, { do: 'read-all' })
  const endMs = performance.now() + CATCH_UP_MS_MAX
  let reports = await all(scene, { do: 'report' })
  while (!reports.every(({ idlers }) => isThere(idlers, scene.produced)) && performance.now() < endMs) {
    await until(performance.now() + 200)
    reports = await all(scene, { do: 'report' })
  }
  const closed = sum(reports, ({ idlers }) => idlers.closedCount)
  const faults = sum(reports, ({ idlers }) => idlers.faultCount)
  const codes = [...new Set(reports.flatMap(({ idlers }) => idlers.closeCodes))]
  const isAll = reports.every(({ idlers }) => isThere(idlers, scene.produced))
  console.log(
    `   they read again: ${scene.idleCount - closed} went on and ${isAll ? 'got everything' : 'did NOT get everything'}, ` +
      `${closed} had been cut off${codes.length > 0 ? ` (close codes ${codes.join()})` : ''}, ${faults} gaps or repetitions`,
  )
  // Whoever was cut off is noticed when the bytes that waited before the end are read.
  if (!isAll || faults > 0 || closed < cutOffBefore) process.exitCode = 1
  await all(scene, { do: 'end-idle' })
}

async function readersAreThere(scene: Scene): Promise<void> {
  const endMs = performance.now() + CATCH_UP_MS_MAX
  for (;;) {
    const reports = await all(scene, { do: 'look' })
    if (reports.every(({ readers }) => isThere(readers, scene.produced)) || performance.now() > endMs) return
    await until(performance.now() + 100)
  }
}

function isThere(group: Report['readers'], produced: number): boolean {
  return group.closedCount === group.count || group.nextLeast === produced
}

async function judge(scene: Scene): Promise<void> {
  const reports = await all(scene, { do: 'report' })
  const count = sum(reports, ({ readers }) => readers.count)
  const closed = sum(reports, ({ readers }) => readers.closedCount)
  const faults = sum(reports, ({ readers }) => readers.faultCount)
  const isAll =
    reports.every(({ readers }) => isThere(readers, scene.produced)) && closed === 0 && faults === 0
  console.log(
    `${count} readers: ${isAll ? 'each got every record once, in order' : `NOT all got everything: ${closed} closed, ${faults} gaps`}`,
  )
  if (!isAll) process.exitCode = 1
}

async function order(to: ChildProcess, what: Order): Promise<Report> {
  const answered = once(to, 'message') as Promise<[Report]>
  to.send(what)
  const [report] = await answered
  return report
}

function all(scene: Scene, what: Order): Promise<Report[]> {
  return Promise.all(scene.processes.map((each) => order(each, what)))
}

function delaysOf(reports: readonly Report[]): { p50: string; p99: string; count: number } {
  const counts = new Map<number, number>()
  for (const { delays } of reports)
    for (const [tenths, count] of delays) counts.set(tenths, (counts.get(tenths) ?? 0) + count)
  const sorted = [...counts].toSorted(([a], [b]) => a - b)
  const count = sorted.reduce((total, [, each]) => total + each, 0)
  const at = (share: number): string => {
    let seen = 0
    return ((sorted.find(([, each]) => (seen += each) >= share * count)?.[0] ?? NaN) / 10).toFixed(1)
  }
  return { p50: at(0.5), p99: at(0.99), count }
}

function sum(reports: readonly Report[], of: (report: Report) => number): number {
  return reports.reduce((total, report) => total + of(report), 0)
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

async function until(atMs: number): Promise<void> {
  await new Promise((done) => setTimeout(done, Math.max(0, atMs - performance.now())))
}

await main()
