import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'
import { turns } from '../support/virtual-clock.ts'

test('the index never knows of a partition whose first state record is not on disk', async (t) => {
  const cluster = await TestCluster.start(t, { tuning: { indexDelayMs: 5 } })
  const follower = cluster.others(Number(cluster.services(1).status.controller()))[0]!
  const { journal } = cluster.disk(follower)
  journal.pause()
  const creating = cluster.services(cluster.others(follower)[0]!).directory.create('orders', {
    partitions: undefined,
    replicationFactor: undefined,
    config: {},
  })
  const { topic } = await cluster.finish(creating)
  const { group } = topic.partitions[0]!
  await cluster.until(() => assert.ok(cluster.broker(follower).partition(group)))
  // The batch under way, with the metadata's own entry, reaches the disk; what was queued behind it does not.
  journal.resume()
  journal.pause()
  await turns(10)
  await cluster.pass(100)
  await cluster.kill(follower)
  await cluster.open(follower)
  await cluster.allReady()
  assert.ok(cluster.broker(follower).partition(group), 'It holds its replica again.')
})
