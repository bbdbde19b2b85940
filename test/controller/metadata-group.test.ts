import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

test('one broker leads the metadata, and only there commands are taken', async (t) => {
  const cluster = await TestCluster.start(t)
  const groups = cluster.brokers.map((broker) => broker.control.group)
  assert.equal(groups.filter((group) => group.isController).length, 1)
  for (const group of groups) {
    assert.deepEqual(group.voters, [1, 2, 3])
    assert.equal(group.metadata.clusterId, cluster.broker(1).store.identity.clusterId)
  }
  const command = { kind: 'formCluster' as const, clusterId: 'another' }
  const follower = groups.find((group) => !group.isController)!
  await cluster.refused(follower.submit(command, 1_000), 'no-leader')
  const leader = groups.find((group) => group.isController)!
  const { outcome, slot } = await cluster.finish(leader.submit(command, 1_000))
  assert.equal(outcome.kind, 'already-formed')
  for (const group of groups) {
    await cluster.finish(group.reached(slot, 3_000))
    assert.ok(group.replica.appliedSlot >= slot)
  }
})

test('a broker that cannot learn what was decided says that it is behind', async (t) => {
  const cluster = await TestCluster.start(t)
  const { group } = cluster.broker(1).control
  const ahead = group.replica.appliedSlot + 5
  await cluster.refused(group.reached(ahead, 1_000), 'replica-behind')
})
