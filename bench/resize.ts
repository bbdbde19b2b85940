import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertStored } from '../test/system/assert-stored.ts'
import { call, json } from '../test/system/api.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { eventually } from '../test/support/eventually.ts'
import { benchOptions } from './options.ts'
import { acknowledged, fill, phase } from './partition-load.ts'

/**
 * A cluster of three grows to five, all partitions move so that the new brokers carry their share, and it shrinks to three
 * again, under load: how long does it take, how much load is kept meanwhile, and is anything lost, repeated or out of order?
 * `npm run bench:resize [-- --partitions 200] [--kilobytes 100]`: so much is in each partition before.
 */
const TOPIC = 'resize'
/** Moves asked for at a time. */
const MOVES_MAX = 32
const QUIET_MS = 5_000

interface Scene {
  readonly cluster: DevCluster
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
    await fill(cluster.broker('1').url, { topic: TOPIC, partitionCount: partitions, kilobytes })
    const producers = ['a', 'b', 'c', 'd'].map((name) => new LoadProducer({ urls, topic: TOPIC, name }))
    const scene: Scene = { cluster, partitionCount: partitions }
    await acknowledgedBeyond(producers, 100)
    await phase(producers, 'nothing else', () => new Promise((resolve) => setTimeout(resolve, QUIET_MS)))
    await phase(producers, `${partitions} partitions moved, 3 to 5 brokers`, () => moveAll(scene))
    for (const id of ['5', '4']) await phase(producers, `broker ${id} removed`, () => remove(scene, id))
    await Promise.all(producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, partitions, producers)
    const count = acknowledged(producers)
    console.log(`${count} acknowledged: lost 0, repeated 0, out of order 0 on each of three brokers`)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
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
      await finish(url, path, json('PUT', { brokers: replicas }))
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

await main()
