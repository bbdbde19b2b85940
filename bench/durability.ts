import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, json, produce, topicOf } from '../test/system/api.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { benchOptions } from './options.ts'

/**
 * Does an acknowledgement ever precede the fdatasync of a majority? Records are produced one after the other while `strace`
 * watches every broker; between the sending of each record and the system call that writes its 201, at least two of the three
 * brokers must have begun and ended an fdatasync. `npm run bench:durability [-- --records 200]`. Needs strace.
 */
const TOPIC = 'durability'
const MAJORITY = 2

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

async function main(): Promise<void> {
  const { records } = benchOptions({ records: 200 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-durability-'))
  requireStrace()
  const cluster = await launchDev({ folder: join(folder, 'data') })
  const tracers: ChildProcess[] = []
  try {
    await call(cluster.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
    const leader = await leaderOf(cluster)
    for (const { id, pid } of cluster.brokers()) tracers.push(await trace(pid, join(folder, `trace-${id}`)))
    const sent = await produceOneByOne(cluster.broker(leader).url, records)
    for (const tracer of tracers) tracer.kill('SIGINT')
    await Promise.all(tracers.map((tracer) => once(tracer, 'exit')))
    report(folder, cluster, leader, sent)
  } finally {
    for (const tracer of tracers) tracer.kill('SIGKILL')
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function requireStrace(): void {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' })
  } catch {
    throw new Error('This check needs strace (Debian: apt-get install strace).')
  }
}

async function leaderOf(cluster: DevCluster): Promise<string> {
  for (;;) {
    const leader = (await topicOf(cluster.brokers()[0]!.url, TOPIC)).partitions[0]?.leader
    if (leader) return leader
  }
}

async function trace(pid: number, file: string): Promise<ChildProcess> {
  const calls = 'trace=fdatasync,write,writev,sendto,sendmsg'
  const tracer = spawn(
    'strace',
    ['-f', '-ttt', '-T', '-s', '24', '-e', calls, '-o', file, '-p', String(pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  // It says 'attached' on standard error when it watches.
  await once(tracer.stderr!, 'data')
  return tracer
}

async function produceOneByOne(url: string, records: number): Promise<readonly number[]> {
  const sent: number[] = []
  for (let i = 0; i < records; i++) {
    sent.push(performance.timeOrigin + performance.now())
    const answer = await produce(url, TOPIC, `record-${i}`)
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  }
  return sent
}

function report(folder: string, cluster: DevCluster, leader: string, sent: readonly number[]): void {
  const syncs = cluster
    .brokers()
    .map(({ id }) => syncSpans(readFileSync(join(folder, `trace-${id}`), 'utf8')))
  const acknowledged = acknowledgements(readFileSync(join(folder, `trace-${leader}`), 'utf8'))
  if (acknowledged.length !== sent.length)
    throw new Error(`${sent.length} records, but ${acknowledged.length} acknowledgements were seen.`)
  const holders = sent.map((fromMs, index) => {
    const toMs = acknowledged[index]!
    return syncs.filter((spans) => spans.some((span) => span.fromMs >= fromMs && span.toMs <= toMs)).length
  })
  const early = holders.filter((count) => count < MAJORITY).length
  const syncCount = syncs.reduce((sum, spans) => sum + spans.length, 0)
  console.log(`${sent.length} acknowledgements, ${syncCount} fdatasyncs on ${syncs.length} brokers`)
  console.log(`acknowledged before ${MAJORITY} brokers had synced: ${early}`)
  if (early > 0) process.exitCode = 1
}

/** From the call to its return; a call that another thread interrupts is printed in two lines. */
function syncSpans(text: string): readonly Span[] {
  const open = new Map<string, number>()
  const spans: Span[] = []
  for (const line of text.split('\n')) {
    const [, thread, seconds, rest] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line) ?? []
    if (thread === undefined || seconds === undefined || rest === undefined || !rest.includes('fdatasync'))
      continue
    const atMs = Number(seconds) * 1000
    const tookMs = Number(/<(\d+\.\d+)>$/.exec(rest)?.[1] ?? NaN) * 1000
    if (rest.includes('<unfinished')) open.set(thread, atMs)
    else if (rest.includes('resumed')) spans.push({ fromMs: open.get(thread) ?? NaN, toMs: atMs })
    else spans.push({ fromMs: atMs, toMs: atMs + tookMs })
  }
  return spans
}

/** When the system calls that write '201' to a client began. */
function acknowledgements(text: string): readonly number[] {
  return text
    .split('\n')
    .filter((line) => line.includes('"HTTP/1.1 201'))
    .map((line) => Number(/^\d+ +(\d+\.\d+)/.exec(line)?.[1]) * 1000)
}

await main()
