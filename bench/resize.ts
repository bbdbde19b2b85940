import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertStored } from '../test/system/assert-stored.ts'
import { call, json } from '../test/system/api.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import { benchOptions } from './options.ts'

/**
 * A cluster of three grows to five, all partitions move so that the new brokers carry their share, and it shrinks to three
 * again, under load: how long does it take, how much load is kept meanwhile, and is anything lost, repeated or out of order?
 * `npm run bench:resize [-- --partitions 200] [--kilobytes 100]`: so much is in each partition before.
 */
const TOPIC = 'resize'
/** Moves asked for at a time. */
const MOVES_MAX = 32
const VALUE_BYTES = 1_000
const QUIET_MS = 5_000

interface Scene {
  readonly cluster: DevCluster
  readonly producers: readonly LoadProducer[]
  readonly partitionCount: number
}

async function main(): Promise<void> {
  const { partitions, kilobytes } = benchOptions({ partitions: 200, kilobytes: 100 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-resize-'))
  const small = await launchDev({ folder })
  await call(small.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions }))
  await small.stop()
  const cluster = await launchDev({ folder, brokers: 5 })
  const urls = () => cluster.brokers().map(({ url }) => url)
  try {
    await fill(cluster, partitions, kilobytes)
    const producers = ['a', 'b', 'c', 'd'].map((name) => new LoadProducer({ urls, topic: TOPIC, name }))
    const scene: Scene = { cluster, producers, partitionCount: partitions }
    await acknowledgedBeyond(producers, 100)
    await phase(scene, 'nothing else', () => new Promise((resolve) => setTimeout(resolve, QUIET_MS)))
    await phase(scene, `${partitions} partitions moved, 3 to 5 brokers`, () => moveAll(scene))
    for (const id of ['5', '4']) await phase(scene, `broker ${id} removed`, () => remove(scene, id))
    await Promise.all(producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, partitions, producers)
    const count = acknowledged(producers)
    console.log(`${count} acknowledged: lost 0, repeated 0, out of order 0 on each of three brokers`)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Different values, so that each is known again. */
async function fill(cluster: DevCluster, partitionCount: number, kilobytes: number): Promise<void> {
  const { url } = cluster.broker('1')
  for (let partition = 0; partition < partitionCount; partition++) {
    const values = Array.from({ length: kilobytes }, (_, i) => `${partition}.${i}`.padEnd(VALUE_BYTES, '.'))
    const body = values.map((text) => JSON.stringify({ text, partition })).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    await eventually(
      async () => {
        const path = `/v1/topics/${TOPIC}/records`
        const answer = await call(url, path, {
          method: 'POST',
          body,
          headers: { ...headers, 'idempotency-key': `fill-${partition}` },
        })
        if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
      },
      { timeoutMs: 30_000 },
    )
  }
}

/** Runs one phase, and says how long it took and what the producers noticed. */
async function phase(scene: Scene, name: string, run: () => Promise<void>): Promise<void> {
  const { producers } = scene
  for (const producer of producers) producer.longestGapMs = 0
  const count = acknowledged(producers)
  const startMs = performance.now()
  await run()
  const seconds = (performance.now() - startMs) / 1_000
  const perSecond = Math.round((acknowledged(producers) - count) / seconds)
  const gapMs = Math.round(Math.max(...producers.map((producer) => producer.longestGapMs)))
  console.log(`${name}: ${seconds.toFixed(1)} s, ${perSecond} acknowledged/s, longest gap ${gapMs} ms`)
}

/** Each partition keeps one of its replicas and gets two others in turn, so that all five carry the same. */
async function moveAll(scene: Scene): Promise<void> {
  const { cluster, partitionCount } = scene
  const { url } = cluster.broker('1')
  const waiting = Array.from({ length: partitionCount }, (_, partition) => partition)
  const worker = async (): Promise<void> => {
    for (let partition = waiting.shift(); partition !== undefined; partition = waiting.shift()) {
      const replicas = [0, 1, 3].map((step) => String(((partition + step) % 5) + 1))
      const path = `/v1/topics/${TOPIC}/partitions/${partition}/replicas`
      await finish(url, path, json('POST', { replicas }))
    }
  }
  await Promise.all(Array.from({ length: MOVES_MAX }, worker))
}

async function remove({ cluster }: Scene, id: string): Promise<void> {
  await finish(cluster.broker('1').url, `/v1/brokers/${id}`, { method: 'DELETE' })
  await eventually(
    () => {
      if (cluster.brokers().some((broker) => broker.id === id)) throw new Error(`Broker ${id} still runs.`)
    },
    { timeoutMs: 60_000 },
  )
}

/** Starts an operation and waits for its end. */
async function finish(url: string, path: string, init: RequestInit): Promise<void> {
  const begun = await call(url, path, init)
  if (begun.status !== 202) throw new Error(`${path} answered ${begun.status}: ${JSON.stringify(begun.body)}`)
  for (;;) {
    const { body } = await call(url, `/v1/operations/${String(begun.body['id'])}`)
    if (body['state'] === 'done') return
    if (body['state'] !== 'running') throw new Error(JSON.stringify(body))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function acknowledged(producers: readonly LoadProducer[]): number {
  return producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
}

await main()
