import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import { slot, storeId } from '../../src/types/ids.ts'
import { ballot, LoneReplica } from '../paxos/lone-replica.ts'
import { configurationOf } from '../paxos/virtual-cluster.ts'
import { copyOf } from '../support/test-broker.ts'
import { assertStored, cutPower, openScene, paxosOf } from './scene.ts'

/*
 * nats-server #2792 and dragonboat #256: a node whose disk was wiped came back and voted as if it remembered; together with
 * one that lagged it made a majority that knew nothing of what had been acknowledged. Here the vote of a
 * store is never another one's: a wiped broker is given one in a new configuration, by a majority of the others. The mutant of
 * this bug is M5.
 */
test('bug 3: a broker that comes back with an empty disk makes no majority with one that lags', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader, followers } = scene
  const [lagging, other] = followers
  cluster.isolate(lagging)
  await cluster.finish(cluster.append(leader, topic, 'only two have it'))
  await cluster.kill(other)
  cluster.wipe(other)
  await cluster.kill(leader)
  cluster.network.healAll()
  const wiped = await cluster.open(other)
  // Nobody of both may lead, and so nothing else can be stored in the slot of what was acknowledged.
  await cluster.refused(cluster.append(lagging, topic, 'instead'), 'no-quorum', { withinMs: 15_000 })
  assert.notEqual(paxosOf(scene, lagging).role, 'leader')
  assert.equal(wiped.partition(topic.partitions[0]!.group)?.replica.paxos.role ?? 'follower', 'follower')
  await cluster.open(leader)
  await cluster.finish(cluster.append(lagging, topic, 'after it'), { withinMs: 15_000 })
  await cluster.kill(other)
  await assertStored(scene, ['only two have it', 'after it'])
})

test('bug 3: a replica in another store than the one that was given a vote promises and endorses nothing', () => {
  const { voters, ...rest } = configurationOf(3)
  const lost = storeId('f'.repeat(32))
  const configuration = {
    ...rest,
    voters: voters.map((voter) => (voter.broker === 2 ? { ...voter, store: lost } : voter)),
  }
  const replica = new LoneReplica({ self: 2, state: { configuration } })
  const log = { accepted: NO_BALLOT, through: slot(0), commit: slot(0) }
  assert.deepEqual(replica.receive(3, { kind: 'prepare', ballot: ballot(1, 3), ...log }), [])
  assert.deepEqual(replica.receive(3, { kind: 'canvass', configNumber: 1, ...log, attempt: 1 }), [])
  assert.deepEqual(replica.written, [])
})

test('bug 3: a broker whose disk is an old copy votes in nothing, and the others go on without it', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader, followers } = scene
  const [old, other] = followers
  await cluster.finish(cluster.append(leader, topic, 'before the copy'))
  const group = topic.partitions[0]!.group
  await cluster.until(() => assert.equal(cluster.broker(old).partition(group)?.highWatermark, 1))
  await cluster.kill(old)
  const copy = copyOf(cluster.disk(old))
  await cluster.open(old)
  await cluster.allReady()
  // The copy is known to be old only by what the others were told since: nothing of it is in the copy itself.
  await cluster.kill(other)
  await cluster.finish(cluster.append(leader, topic, 'only two have it'), { withinMs: 15_000 })
  await cluster.pass(200)
  await cluster.kill(old)
  cluster.putBack(old, copy)
  const forgetful = await cluster.open(old)
  await cluster.until(() =>
    assert.match(forgetful.engine.vouching.reason ?? '', /has lost writes that it had confirmed/),
  )
  await cluster.refused(cluster.append(leader, topic, 'without a majority'), 'no-quorum', {
    withinMs: 15_000,
  })
  assert.notEqual(forgetful.partition(group)?.replica.paxos.role, 'leader')
  await cluster.open(other)
  await cluster.finish(cluster.append(leader, topic, 'after it'), { withinMs: 15_000 })
  assert.deepEqual(await cluster.finish(cluster.read(leader, topic)), [
    'before the copy',
    'only two have it',
    'after it',
  ])
  assert.equal(forgetful.isReady && forgetful.engine.vouching.reason === undefined, false)
})

test('bug 3: a whole cluster that is killed at one moment starts as before', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cutPower(scene)
  await cluster.finish(cluster.append(leader, topic, 'b'), { withinMs: 15_000 })
  await assertStored(scene, ['a', 'b'])
  for (const { engine } of cluster.brokers) assert.equal(engine.vouching.reason, undefined)
})

test('bug 3: a wiped broker learns all that is stored, and votes only in a configuration that names its new store', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader, followers } = scene
  const [wiped, other] = followers
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.kill(wiped)
  cluster.wipe(wiped)
  await cluster.finish(cluster.append(leader, topic, 'b'), { withinMs: 15_000 })
  await cluster.kill(other)
  const fresh = await cluster.open(wiped)
  const { storeId } = fresh.store.identity
  const group = topic.partitions[0]!.group
  // There are two, and no majority: neither does the new store count, nor can it be given a vote.
  await cluster.refused(cluster.append(leader, topic, 'c'), 'no-quorum', { withinMs: 15_000 })
  assert.equal(fresh.control.group.replica.paxos.isVoter, false)
  assert.match(fresh.engine.vouching.reason ?? '', /^$|takes part in no vote until its store is replaced/)
  await cluster.open(other)
  await cluster.until(() => {
    const { configuration } = fresh.partition(group)!.replica.paxos
    assert.ok(configuration.number > 1)
    assert.ok(configuration.voters.some(({ broker, store }) => broker === fresh.id && store === storeId))
    assert.equal(fresh.partition(group)?.replica.paxos.isVoter, true)
    assert.equal(fresh.engine.vouching.reason, undefined)
  })
  assert.equal(fresh.partition(group)?.highWatermark, 2)
  await cluster.kill(other)
  await cluster.finish(cluster.append(leader, topic, 'd'), { withinMs: 15_000 })
  await cluster.until(() => assert.equal(fresh.partition(group)?.highWatermark, 3))
  assert.deepEqual(await cluster.finish(cluster.read(wiped, topic)), ['a', 'b', 'd'])
})
