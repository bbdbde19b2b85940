import { join } from 'node:path'
import { launchDev } from '../../../test/support/dev-cluster.ts'
import { busiestLeader, call, json } from '../../../test/system/api.ts'
import { pidsOf } from '../../processes.ts'
import type { Bodies } from '../bodies.ts'
import type { System } from '../system.ts'
import { wrk } from '../wrk.ts'

const TOPIC = 'bench'

/** Three brokers as `synod dev` starts them, and a topic of one partition, asked at the broker that leads it. */
export async function startSynod(folder: string, bodies: Bodies): Promise<System> {
  const cluster = await launchDev({ folder: join(folder, 'synod') })
  const any = cluster.brokers()[0]!.url
  await call(any, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
  const topicUrl = `${cluster.broker(await busiestLeader(any, TOPIC)).url}/v1/topics/${TOPIC}`
  return {
    name: 'Synod',
    pids: pidsOf(cluster),
    load: async (work) => {
      const text = 'x'.repeat(work.bytes)
      if (work.records === 1) {
        const bodyFile = await bodies.file(`value-${work.bytes}`, () => text)
        return wrk({ url: `${topicUrl}/records`, bodyFile, contentType: 'application/octet-stream' }, work)
      }
      const records = Array.from({ length: work.records }, () => ({ text }))
      const bodyFile = await bodies.file(`synod-${work.records}-${work.bytes}`, () =>
        JSON.stringify({ records }),
      )
      return wrk({ url: `${topicUrl}/batches`, bodyFile, contentType: 'application/json' }, work)
    },
    stop: async () => void (await cluster.stop()),
  }
}
