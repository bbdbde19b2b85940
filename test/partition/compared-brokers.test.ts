import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXCHANGE_MS, FULL_EXCHANGE_EVERY, LOOKS_MAX, LOOK_EVERY_MS } from '../../src/partition/digests.ts'
import { TestCluster } from '../support/cluster.ts'

/** Until everything that was to be told of an idle group has been, or a difference is settled. */
const PERIOD_MS = EXCHANGE_MS * FULL_EXCHANGE_EVERY + LOOK_EVERY_MS * (LOOKS_MAX + 2)

async function withRecord(t: Parameters<typeof TestCluster.start>[0]) {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const { group } = topic.partitions[0]!
  const leader = cluster.leaderOf(topic)
  const [follower, other] = cluster.others(leader) as [number, number]
  const replica = (id: number) => cluster.broker(id).partition(group)!.replica
  return { cluster, topic, group, leader, follower, other, replica }
}

test('a follower that lost both final Learns of an idle group has caught up within a period, without new traffic', async (t) => {
  const { cluster, topic, group, leader, follower, other, replica } = await withRecord(t)
  let lost = 0
  cluster.network.loses = (_from, to, of, message) => {
    const isLost = to === follower && of === group && message.kind === 'learn'
    if (isLost) lost++
    return isLost
  }
  await cluster.finish(cluster.append(leader, topic, 'last'))
  await cluster.pass(1_000)
  cluster.network.loses = () => false
  assert.equal(lost, 2)
  const { commit } = replica(leader).paxos
  assert.equal(replica(other).paxos.commit, commit)
  assert.equal(replica(follower).paxos.commit, commit - 1)
  await cluster.pass(1_000)
  assert.equal(replica(follower).paxos.commit, commit - 1, 'Nothing but the exchange brings it there.')
  await cluster.until(() => assert.equal(replica(follower).appliedSlot, commit), { withinMs: PERIOD_MS })
  assert.deepEqual(await cluster.finish(cluster.read(follower, topic)), ['last'])
})

test('without the exchange such a follower stays behind', async (t) => {
  const { cluster, topic, group, leader, follower, replica } = await withRecord(t)
  for (const broker of cluster.brokers) broker.engine.digests.stop()
  cluster.network.loses = (_from, to, of, message) =>
    to === follower && of === group && message.kind === 'learn'
  await cluster.finish(cluster.append(leader, topic, 'last'))
  await cluster.pass(1_000)
  cluster.network.loses = () => false
  await cluster.pass(PERIOD_MS * 2)
  assert.equal(replica(follower).paxos.commit, replica(leader).paxos.commit - 1)
})

test('a broker whose state machine has gone astray stops, and the two that agree go on', async (t) => {
  const { cluster, topic, group, leader, follower, replica } = await withRecord(t)
  await cluster.finish(cluster.append(leader, topic, ['a', 'b']))
  const { machine } = replica(follower)
  const { nextOffset } = machine
  Object.defineProperty(machine, 'nextOffset', { get: () => nextOffset + 1 })
  await assert.rejects(
    cluster.pass(PERIOD_MS),
    /^InvariantError: I7: group \d+ at slot \d+ is chain .* No majority/,
  )
  const stopped = cluster.broker(follower)
  assert.ok(stopped.failures.every((error) => String(error).includes(`group ${group} at slot`)))
  await cluster.kill(follower)
  await cluster.pass(PERIOD_MS)
  for (const { failures, warnings, engine } of cluster.brokers) {
    assert.deepEqual(failures, [])
    assert.ok(engine.digests.differenceCount > 0)
    assert.equal(warnings.filter((sentence) => sentence.startsWith('I7: group')).length, 1)
  }
  await cluster.until(() => assert.ok(cluster.others(follower).includes(cluster.leaderOf(topic))))
  await cluster.finish(cluster.append(cluster.leaderOf(topic), topic, 'c'))
})

test('brokers in agreement fall silent', async (t) => {
  const { cluster, topic, leader } = await withRecord(t)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.pass(PERIOD_MS)
  const before = cluster.brokers.map(({ engine }) => engine.digests.sentCount)
  assert.ok(before.every((count) => count > 0))
  await cluster.pass(PERIOD_MS * 2)
  assert.deepEqual(
    cluster.brokers.map(({ engine }) => engine.digests.sentCount),
    before,
  )
})
