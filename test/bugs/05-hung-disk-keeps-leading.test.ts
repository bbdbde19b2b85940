import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertStored, electedAmong, openScene, paxosOf } from './scene.ts'

/*
 * hashicorp/raft #503, #612, #666: a leader whose disk hung went on with its heartbeats, so nobody replaced it and the
 * cluster stood still. SIGSTOP is another fault: there the heartbeats stop too.
 */
test('bug 5: a leader whose disk hangs is replaced within 5 s while its heartbeats go on', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader, followers } = scene
  await cluster.finish(cluster.append(leader, topic, 'before'))
  cluster.disk(leader).journal.pause()
  const startedMs = cluster.clock.nowMs()
  // A write has to be under way for its delay to show; a majority stores it without the leader.
  const hung = cluster.append(followers[0], topic, 'while it hangs')
  const next = await electedAmong(scene, followers, 5_000)
  assert.ok(cluster.clock.nowMs() - startedMs <= 5_000)
  await cluster.finish(hung)
  const receipt = await cluster.finish(cluster.append(followers[0], topic, 'after'))
  assert.equal(receipt.leader, next)
  cluster.disk(leader).journal.resume()
  await cluster.until(() => assert.equal(paxosOf(scene, leader).role, 'follower'))
  await assertStored(scene, ['before', 'while it hangs', 'after'])
})
