import assert from 'node:assert/strict'
import { test } from 'node:test'
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
  const lost = cluster.append(leader, topic, 'into the full disk').catch((error: unknown) => error)
  for (let turn = 0; failed.failures.length === 0 && turn < 1_000; turn++) {
    cluster.clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.match(String(failed.failures[0]), /No space left/)
  const { durableLsn } = failed.store
  cluster.clock.advance(50)
  assert.equal(failed.store.durableLsn, durableLsn, 'Nothing becomes durable after the error.')
  await cluster.kill(leader)
  void lost
  await electedAmong(scene, followers, 5_000)
  await cluster.finish(cluster.append(followers[0], topic, 'after'))
  await cluster.open(leader)
  await cluster.allReady()
  const stored = await cluster.finish(cluster.read(followers[0], topic))
  assert.equal(stored[0], 'before')
  assert.equal(stored.at(-1), 'after')
  await assertStored(scene, stored)
})
