import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call, json } from '../test/system/api.ts'
import { assertStored } from '../test/system/assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from '../test/system/producers.ts'
import { launchDev } from '../test/support/dev-cluster.ts'
import { benchOptions } from './options.ts'

/**
 * All brokers are killed at once (kill -9) under load and started again, several times; at the end each broker must serve
 * everything that was acknowledged. `npm run bench:kill-all [-- --times 10]`.
 */
const TOPIC = 'kill-all'
const PARTITIONS = 3

async function main(): Promise<void> {
  const { times } = benchOptions({ times: 10 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-kill-all-'))
  let cluster = await launchDev({ folder, args: ['--no-restart'] })
  try {
    await call(cluster.brokers()[0]!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions: PARTITIONS }))
    const urls = () => cluster.brokers().map((broker) => broker.url)
    const producers = ['a', 'b', 'c', 'd'].map((name) => new LoadProducer({ urls, topic: TOPIC, name }))
    for (let i = 0; i < times; i++) {
      await acknowledgedBeyond(producers, count(producers) + 200)
      await cluster.killAll()
      const startMs = performance.now()
      cluster = await launchDev({ folder, args: ['--no-restart'] })
      console.log(
        `killed all at ${count(producers)} acknowledgements; ready again after ${Math.round(performance.now() - startMs)} ms`,
      )
    }
    await acknowledgedBeyond(producers, count(producers) + 200)
    await Promise.all(producers.map((producer) => producer.stop()))
    await assertStored(cluster, TOPIC, PARTITIONS, producers)
    console.log(
      `${times} times: all of ${count(producers)} acknowledged records are on every broker, once, where their producers were told`,
    )
  } finally {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function count(producers: readonly LoadProducer[]): number {
  return producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
}

await main()
