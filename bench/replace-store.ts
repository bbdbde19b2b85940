import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertStored } from '../test/system/assert-stored.ts'
import { call, json } from '../test/system/api.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { launchDev, type DevCluster } from '../test/support/dev-cluster.ts'
import { benchOptions } from './options.ts'
import { acknowledged, fill, phase } from './partition-load.ts'

/**
 * A broker of three loses its disk under load and comes back with an empty one: how long until it votes in all partitions again,
 * how much load is kept meanwhile, and is anything lost? The time has in it the five seconds after which `synod dev` starts a
 * broker again. `npm run bench:replace-store [-- --partitions 100] [--kilobytes 100]`: so much is in each partition before.
 */
const TOPIC = 'replace'
const LOST = '3'
const QUIET_MS = 5_000

async function main(): Promise<void> {
  const { partitions, kilobytes } = benchOptions({ partitions: 100, kilobytes: 100 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-replace-'))
  const cluster = await launchDev({ folder })
  const urls = () => cluster.brokers().map(({ url }) => url)
  try {
    const { url } = cluster.broker('1')
    await call(url, `/v1/topics/${TOPIC}`, json('PUT', { partitions }))
    await fill(url, { topic: TOPIC, partitionCount: partitions, kilobytes })
    const producers = ['a', 'b', 'c', 'd'].map((name) => new LoadProducer({ urls, topic: TOPIC, name }))
    await acknowledgedBeyond(producers, 100)
    await phase(producers, 'nothing else', () => new Promise((resolve) => setTimeout(resolve, QUIET_MS)))
    await phase(producers, `from an empty disk to a vote in ${partitions} partitions`, () => replace(cluster))
    await Promise.all(producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, partitions, producers)
    console.log(`${acknowledged(producers)} acknowledged: lost 0, repeated 0, out of order 0 on each broker`)
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Until the operation that gives the new store its votes has come to its end. */
async function replace(cluster: DevCluster): Promise<void> {
  cluster.kill(LOST)
  await rm(join(cluster.folder, `broker-${LOST}`), { recursive: true, force: true, maxRetries: 10 })
  for (;;) {
    const { body } = await call(cluster.broker('1').url, '/v1/operations')
    const [newest] = (body['items'] as Record<string, unknown>[]).filter(
      ({ kind }) => kind === 'replace-store',
    )
    if (newest?.['state'] === 'done') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

await main()
