import assert from 'node:assert/strict'
import type { DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import type { Acknowledged, LoadProducer } from './producers.ts'
import { readAll, type StoredValue } from './read-all.ts'

/** Each broker serves each acknowledged value at its offset, each value once, and offsets without a gap. */
export async function assertStored(
  cluster: DevCluster,
  topic: string,
  partitionCount: number,
  producers: readonly LoadProducer[],
): Promise<void> {
  const acknowledged = producers.flatMap((producer) => producer.acknowledged)
  for (const { id, url } of cluster.brokers()) {
    await eventually(
      async () => {
        const stored = await readAll(url, topic, partitionCount)
        assertAcknowledged(stored, acknowledged, id)
      },
      { timeoutMs: 15_000 },
    )
  }
}

function assertAcknowledged(
  stored: readonly StoredValue[],
  acknowledged: readonly Acknowledged[],
  broker: string,
): void {
  const place = new Map<string, string>()
  const next = new Map<number, number>()
  for (const { partition, offset, value } of stored) {
    assert.equal(
      offset,
      next.get(partition) ?? 0,
      `broker ${broker}: offsets of partition ${partition} have no gap`,
    )
    next.set(partition, offset + 1)
    assert.ok(!place.has(value), `broker ${broker}: ${value} is stored once`)
    place.set(value, `${partition}@${offset}`)
  }
  for (const { value, partition, offset } of acknowledged) {
    assert.equal(
      place.get(value),
      `${partition}@${offset}`,
      `broker ${broker}: ${value} is where its producer was told`,
    )
  }
}
