import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { groupId } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'

test('every broker tells the same of a topic: what the leaders of its partitions say', async (t) => {
  const cluster = await TestCluster.start(t, { size: 4 })
  const topic = await cluster.topic('orders', {}, 6)
  await cluster.finish(cluster.append(1, topic, ['a', 'b'], { partition: 3 }))
  for (const id of cluster.ids) {
    const states = await cluster.finish(cluster.services(id).inspector.topic(topic))
    assert.equal(states.length, 6)
    for (const [partition, state] of states.entries()) {
      // Also from a broker without a replica and without a hint, which asks the preferred leader first.
      assert.equal(state?.role, 'leader')
      assert.equal(Number(state.answeredBy), cluster.leaderOf(topic, partition))
      assert.equal(state.highWatermark, partition === 3 ? 2 : 0)
      assert.equal(state.replicas.filter((replica) => replica.inSync).length, 3)
    }
  }
})

test('a leader tells how far everybody is, and says who cannot be reached', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [follower, dead] = cluster.others(leader) as [number, number]
  await cluster.finish(cluster.append(leader, topic, 'a', { acks: 'all' }))
  await cluster.kill(dead)
  await cluster.finish(cluster.append(leader, topic, 'b'))
  await cluster.pass(1_500)
  const state = await cluster.finish(cluster.services(follower).inspector.partition(topic, 0))
  assert.deepEqual([state.role, Number(state.answeredBy), state.chosen], ['leader', leader, 2])
  const byBroker = new Map(state.replicas.map((replica) => [Number(replica.broker), replica]))
  assert.equal(byBroker.get(leader)!.state, 'leader')
  assert.deepEqual([byBroker.get(follower)!.state, byBroker.get(follower)!.lagSlots], ['synced', 0])
  assert.deepEqual([byBroker.get(dead)!.state, byBroker.get(dead)!.inSync], ['unreachable', false])
})

test('a broker that reaches nobody tells its own view', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const follower = cluster.others(leader)[0]!
  cluster.isolate(follower)
  const state = await cluster.finish(cluster.services(follower).inspector.partition(topic, 0))
  assert.deepEqual([Number(state.answeredBy), state.role], [follower, 'follower'])
})

test('groups that are not here have no state, and a question is bounded', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const { inspector } = cluster.services(1)
  assert.deepEqual(inspector.statesHere([groupId(99)]), [null])
  const many = Array.from({ length: 1_001 }, (_, index) => groupId(index))
  assert.throws(
    () => inspector.statesHere(many),
    (error) => error instanceof SynodError && error.code === 'malformed-request',
  )
})
