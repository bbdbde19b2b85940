import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launchDev, type DevCluster } from '../../../test/support/dev-cluster.ts'
import { busiestLeader, call, json } from '../../../test/system/api.ts'
import { pidsOf } from '../../processes.ts'
import type { Bodies } from '../bodies.ts'
import { deliveryTimes } from '../delivery-times.ts'
import { startFollowers } from '../followers.ts'
import { sessionLoad } from '../session-load.ts'
import type { LoadResult, Reading, System, Work } from '../system.ts'
import { wrk } from '../wrk.ts'

const FOLLOWER = fileURLToPath(new URL('../follower-process.js', import.meta.url))

/** One cluster; `on` takes a topic of so many partitions for a system of its own, which need not be stopped. */
export interface Synod extends System {
  on(partitions: number): Promise<System>
}

/** Three brokers as `synod dev` starts them, and a topic of one partition, asked at the broker that leads it. */
export async function startSynod(folder: string, bodies: Bodies): Promise<Synod> {
  const cluster = await launchDev({ folder: join(folder, 'synod') })
  const pids = pidsOf(cluster)
  const on = async (partitions: number): Promise<System> => {
    const topicUrl = await topicOf(cluster, partitions)
    return {
      name: `Synod, ${partitions.toLocaleString('en')} partition${partitions === 1 ? '' : 's'}`,
      pids,
      load: (work) => load(topicUrl, bodies, work),
      deliver: (work) => deliveryTimes(topicUrl, work),
      session: (work) => sessionLoad(topicUrl, work),
      follow: (reading) => startFollowers(process.execPath, [FOLLOWER, ...followed(topicUrl, reading)]),
      stop: () => Promise.resolve(),
    }
  }
  const one = await on(1)
  return { ...one, name: 'Synod', on, stop: async () => void (await cluster.stop()) }
}

/** The address of a topic, made if it is not there, at the broker that leads most of it. */
async function topicOf(cluster: DevCluster, partitions: number): Promise<string> {
  const topic = `bench-${partitions}`
  const any = cluster.brokers()[0]!.url
  await call(any, `/v1/topics/${topic}`, json('PUT', { partitions }))
  return `${cluster.broker(await busiestLeader(any, topic)).url}/v1/topics/${topic}`
}

function followed(topicUrl: string, { subscribers, isBinary, bytes }: Reading): string[] {
  const { origin, pathname } = new URL(topicUrl)
  return isBinary
    ? [`${origin}/v1/ws`, String(subscribers), pathname.split('/').at(-1)!, String(bytes)]
    : [`${topicUrl}/subscribe?values=only&from=latest`, String(subscribers)]
}

async function load(topicUrl: string, bodies: Bodies, work: Work): Promise<LoadResult> {
  const text = 'x'.repeat(work.bytes)
  if (work.records === 1) {
    const bodyFile = await bodies.file(`value-${work.bytes}`, () => text)
    return wrk({ url: `${topicUrl}/records`, bodyFile, contentType: 'application/octet-stream' }, work)
  }
  const records = Array.from({ length: work.records }, () => ({ text }))
  const bodyFile = await bodies.file(`synod-${work.records}-${work.bytes}`, () => JSON.stringify({ records }))
  return wrk({ url: `${topicUrl}/batches`, bodyFile, contentType: 'application/json' }, work)
}
