import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestCluster } from '../support/cluster.ts'
import { assertStored, electedAmong, openScene } from './scene.ts'

/*
 * LevelDB 1.20 (db_impl.cc): after one failed write, such as ENOSPC, later synced writes were acknowledged and were gone
 * after the next start. Here the first error of a write is the last write of a process.
 */
test('bug 4: a broker whose disk failed once acknowledges nothing more, and finds all it acknowledged at its next start', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader, followers } = scene
  await cluster.finish(cluster.append(leader, topic, 'before'))
  const failed = cluster.broker(leader)
  const { journal } = cluster.disk(leader)
  journal.breakWith(Object.assign(new Error('No space left on device'), { code: 'ENOSPC' }))
  const tried = (value: string) => void cluster.append(leader, topic, value).catch(() => undefined)
  tried('into the full disk')
  await spin(cluster, () => failed.failures.length > 0)
  assert.match(String(failed.failures[0]), /No space left/)
  // There is space again, as there was for LevelDB; this process does not use it.
  journal.breakWith(undefined)
  const { durableLsn } = failed.store
  const { batchCount } = journal
  tried('after the error')
  await spin(cluster, () => false)
  assert.equal(failed.store.durableLsn, durableLsn, 'Nothing becomes durable after the error.')
  assert.equal(journal.batchCount, batchCount, 'Nothing is written after the error.')
  await cluster.kill(leader)
  await electedAmong(scene, followers, 5_000)
  await cluster.finish(cluster.append(followers[0], topic, 'after'))
  await cluster.open(leader)
  await cluster.allReady()
  const stored = await cluster.finish(cluster.read(followers[0], topic))
  assert.equal(stored[0], 'before')
  assert.equal(stored.at(-1), 'after')
  await assertStored(scene, stored)
})

/** Lets a little time pass, or until it happens; `until` would throw what the broker reports. */
async function spin({ clock }: TestCluster, hasHappened: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !hasHappened(); turn++) {
    clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
