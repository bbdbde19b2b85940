import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { call, topicOf } from '../test/system/api.ts'
import { launchDev, MAIN, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import type { Passage } from './gigabyte-client.ts'
import { MemoryWatch } from './processes.ts'
import { quantities } from './quantities.ts'

/**
 * Many bytes in through `ingest` and out through `stream`, a binary session and `synod topic export`, each by a process of its
 * own at one broker of three: `npm run bench:gigabyte [-- --bytes 1GiB --value 16KiB]`. What comes out must be what went in;
 * what a process holds itself must not grow with the number of bytes. LevelDB maps its files, which the system counts as
 * resident while nobody else wants the room; they are shown apart.
 */
const TOPIC = 'bytes'
const CLIENT = fileURLToPath(new URL('gigabyte-client.js', import.meta.url))

async function main(): Promise<void> {
  const { bytes, value } = quantities({ bytes: '1GiB', value: '16KiB' })
  const count = Math.ceil(bytes / value)
  const folder = await mkdtemp(join(tmpdir(), 'synod-gigabyte-'))
  const cluster = await launchDev({ folder })
  try {
    const { url } = cluster.brokers()[0]!
    const topicUrl = `${url}/v1/topics/${TOPIC}`
    const created = await call(url, `/v1/topics/${TOPIC}`, { method: 'PUT' })
    if (created.status !== 201) throw new Error(JSON.stringify(created.body))
    const client = (way: string): ChildProcess => start([CLIENT, way, topicUrl, String(count), String(value)])
    const sent = await pass(cluster, 'ingest', client('ingest'))
    await caughtUp(cluster, count)
    for (const way of ['stream', 'ws binary', 'export']) {
      const lines = client(way === 'export' ? 'lines' : way)
      const source = way === 'export' ? exporting(url, lines) : undefined
      const got = await pass(cluster, way, lines, source)
      const isEqual = got.hash === sent.hash && got.count === count
      console.log(`   ${isEqual ? 'equal, by SHA-256 of all values in order' : 'NOT what was sent'}`)
      if (!isEqual) process.exitCode = 1
    }
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** `synod topic export` into the standard input of whoever counts its lines. */
function exporting(url: string, lines: ChildProcess): ChildProcess {
  const source = start([MAIN, 'topic', 'export', TOPIC, '--url', url])
  source.stdout!.pipe(lines.stdin!)
  // It has all that it was to count, and ends before the last newline has come.
  lines.stdin!.on('error', () => source.stdout!.resume())
  return source
}

/** Waits for the one line of the client, and tells how fast it was and what memory it took. `source`: whose memory counts. */
async function pass(
  cluster: DevCluster,
  way: string,
  client: ChildProcess,
  source?: ChildProcess,
): Promise<Passage> {
  const startMs = performance.now()
  const brokers = cluster
    .brokers()
    .map(({ id, pid }) => ({ name: `broker ${id}`, watch: new MemoryWatch(pid) }))
  // A program that has just been started grows by what it loads: its first figure is taken once it is at work.
  const watched = setTimeout(() => {
    brokers.push({
      name: source === undefined ? 'client' : 'synod topic export',
      watch: new MemoryWatch((source ?? client).pid!),
    })
  }, 1_000)
  let said = ''
  client.stdout!.on('data', (data: Buffer) => (said += data.toString()))
  await once(client, 'close')
  clearTimeout(watched)
  const seconds = (performance.now() - startMs) / 1000
  const memory = brokers.map(({ name, watch }) => ({ name, ...watch.stop() }))
  if (said.trim() === '') throw new Error(`The client of ${way} failed.`)
  const passage = JSON.parse(said) as Passage
  const rate = passage.bytes / 2 ** 20 / seconds
  console.log(
    `${way}: ${passage.count} records, ${mib(passage.bytes)} in ${seconds.toFixed(1)} s, ${rate.toFixed(1)} MiB/s`,
  )
  for (const { name, first, last, most, mapped } of memory)
    console.log(
      `   ${name}: ${mib(first)} first, ${mib(last)} last, ${mib(most)} at most; of files ${mib(mapped)}`,
    )
  return passage
}

async function caughtUp(cluster: DevCluster, count: number): Promise<void> {
  for (const { url } of cluster.brokers())
    await eventually(
      async () => {
        const { highWatermark, inSync } = (await topicOf(url, TOPIC)).partitions[0]!
        if (highWatermark !== count || inSync?.length !== 3)
          throw new Error(`${url} knows ${highWatermark} of ${count} records; in sync: ${inSync?.join()}`)
      },
      { timeoutMs: 120_000 },
    )
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

await main()
