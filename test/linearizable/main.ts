import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ChaosCluster } from '../chaos/chaos-cluster.ts'
import { inflict } from '../chaos/faults.ts'
import { untilInSync } from '../chaos/final-state.ts'
import { DAMAGE_KINDS, DISK_KINDS, schedule, showFault } from '../chaos/schedule.ts'
import { Random } from '../sim/random.ts'
import { eventually } from '../support/eventually.ts'
import { call, json } from '../system/api.ts'
import { Client } from './client.ts'
import { EndClients } from './end-clients.ts'
import { History } from './history.ts'
import { TopicClients } from './topic-clients.ts'

/*
 * Are topics, and the ends of partitions that are asked for linearizably, linearizable while brokers die, pause and lose each
 * other? Porcupine (Go) judges the histories. `npm run linearizable -- --minutes 2 [--brokers 3] [--seed S] [--keep]`.
 */
const CHECKER = fileURLToPath(new URL('../../../test/linearizable/checker', import.meta.url))
const TOPIC = 'ends'
const PARTITIONS = 4
const NAMES = 4
const TOPIC_CLIENTS = 5
const APPENDERS = 4
const LOOKERS = 4
const DURATION_MS = { min: 1_500, max: 5_000 }
const QUIET_MS = { min: 1_000, max: 3_000 }
const HEAL_MS_MAX = 90_000

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      brokers: { type: 'string', default: '3' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      keep: { type: 'boolean', default: false },
    },
  })
  if (spawnSync('go', ['version']).status !== 0) {
    console.error('The checker is written in Go, which is not there (Debian: apt-get install golang-go).')
    return 2
  }
  // The checker proves that it finds each anomaly before it is believed.
  if (
    spawnSync('go', ['test', './...'], { cwd: CHECKER, stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0
  )
    return 2
  const folder = mkdtempSync(join(tmpdir(), 'synod-linearizable-'))
  const minutes = Number(values.minutes)
  console.log(`seed ${values.seed}, ${values.brokers} brokers, ${minutes} minutes, in ${folder}`)
  const histories = await load(
    folder,
    Number(values.brokers),
    minutes * 60_000,
    new Random(Number(values.seed)),
  )
  const codes = histories.map(
    ({ kind, path }) =>
      spawnSync('go', ['run', '.', kind, path], { cwd: CHECKER, stdio: ['ignore', 'inherit', 'inherit'] })
        .status ?? 2,
  )
  const worst = Math.max(...codes)
  if (worst === 0 && !values.keep) rmSync(folder, { recursive: true })
  else console.log(`The histories are in ${folder}.`)
  return worst
}

async function load(
  folder: string,
  brokers: number,
  faultsMs: number,
  random: Random,
): Promise<readonly { readonly kind: 'topic' | 'end'; readonly path: string }[]> {
  const cluster = await ChaosCluster.start({ folder, brokers })
  try {
    const { urls } = cluster
    await eventually(
      async () => {
        const { status } = await call(
          urls[0]!,
          `/v1/topics/${TOPIC}`,
          json('PUT', { partitions: PARTITIONS }),
        )
        if (status !== 200 && status !== 201) throw new Error(`The topic was answered with ${status}.`)
      },
      { timeoutMs: 30_000 },
    )
    const [topics, ends] = [
      new History(join(folder, 'topics.jsonl')),
      new History(join(folder, 'ends.jsonl')),
    ]
    const topicClients = new TopicClients(topics, { urls, random: random.fork('topics'), names: NAMES })
    const endClients = new EndClients(ends, {
      urls,
      topic: TOPIC,
      partitions: PARTITIONS,
      random: random.fork('ends'),
      appendsMax: 1_000,
    })
    const running = [
      ...Array.from({ length: TOPIC_CLIENTS }, () => topicClients.run(new Client())),
      ...Array.from({ length: APPENDERS }, (_, index) =>
        endClients.append(new Client(), `appender-${index}`),
      ),
      ...Array.from({ length: LOOKERS }, () => endClients.look(new Client())),
    ]
    await spoil(cluster, random.fork('faults'), faultsMs)
    await untilInSync(urls, TOPIC, { replicas: Math.min(brokers, 3), timeoutMs: HEAL_MS_MAX })
    topicClients.stop()
    endClients.stop()
    await Promise.all(running)
    const { stored, absent } = await endClients.resolveUnknown()
    await Promise.all([topics.close(), ends.close()])
    console.log(`appends without an answer: ${stored} were stored, ${absent} were not`)
    return [
      { kind: 'topic', path: topics.path },
      { kind: 'end', path: ends.path },
    ]
  } finally {
    await cluster.stop()
  }
}

async function spoil(cluster: ChaosCluster, random: Random, faultsMs: number): Promise<void> {
  const endMs = performance.now() + faultsMs
  const episodes = schedule({
    random,
    ids: cluster.ids,
    durationMs: DURATION_MS,
    quietMs: QUIET_MS,
    without: [...DISK_KINDS, ...DAMAGE_KINDS, 'move-replicas'],
  })
  for (const { faults, durationMs, quietMs } of episodes) {
    if (performance.now() > endMs) return
    console.log(faults.map(showFault).join(' and '))
    const heals = await Promise.all(
      faults.map((fault) => inflict(cluster, fault, { topic: TOPIC, partitions: PARTITIONS })),
    )
    await pause(durationMs)
    await Promise.all(heals.map((heal) => heal()))
    await pause(quietMs)
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
