import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.ts'
import type { DevCluster } from '../support/dev-cluster.ts'
import { topicOf } from './api.ts'

/** Stops a broker as an operator does, and waits until it is back and all of the topic's replicas are in sync. */
export async function restartGently(cluster: DevCluster, id: string, topic: string): Promise<void> {
  const { pid } = cluster.broker(id)
  cluster.signal(id, 'SIGTERM')
  await eventually(
    async () => {
      assert.notEqual(cluster.broker(id).pid, pid, 'the broker runs again')
      const { partitions } = await topicOf(cluster.broker(id).url, topic)
      for (const { inSync } of partitions) assert.equal(inSync?.length, cluster.brokers().length)
    },
    { timeoutMs: 30_000 },
  )
}
