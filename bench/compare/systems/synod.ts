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
    const topic = `bench-${partitions}`
    await call(cluster.brokers()[0]!.url, `/v1/topics/${topic}`, json('PUT', { partitions }))
    const url = () => urlOf(cluster, topic)
    return {
      name: `Synod, ${partitions.toLocaleString('en')} partition${partitions === 1 ? '' : 's'}`,
      pids,
      load: async (work) => load(await url(), bodies, work),
      deliver: async (work) => deliveryTimes(await url(), work),
      session: async (work) => sessionLoad(await url(), work),
      follow: async (reading) =>
        startFollowers(process.execPath, [FOLLOWER, ...followed(await url(), reading)]),
      stop: () => Promise.resolve(),
    }
  }
  const one = await on(1)
  const end = (): void => endAtOnce(cluster)
  // Before the folder goes.
  process.prependOnceListener('exit', end)
  const stop = async (): Promise<void> => {
    await cluster.stop()
    process.off('exit', end)
  }
  return { ...one, name: 'Synod', on, stop }
}

/** The command first, or it would start the brokers again. */
function endAtOnce(cluster: DevCluster): void {
  cluster.killCommand()
  for (const { id } of cluster.brokers()) cluster.kill(id)
}

/** The address of a topic at the broker that leads most of it now: leaderships go back to the preferred leaders in time. */
async function urlOf(cluster: DevCluster, topic: string): Promise<string> {
  const leader = await busiestLeader(cluster.brokers()[0]!.url, topic)
  return `${cluster.broker(leader).url}/v1/topics/${topic}`
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
