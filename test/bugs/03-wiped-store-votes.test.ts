import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import { slot, storeId } from '../../src/types/ids.ts'
import { ballot, LoneReplica } from '../paxos/lone-replica.ts'
import { configurationOf } from '../paxos/virtual-cluster.ts'
import { assertStored, openScene, paxosOf } from './scene.ts'

/*
 * nats-server #2792 and dragonboat #256: a node whose disk was wiped came back and voted as if it remembered; together with
 * one that lagged it made a majority that knew nothing of what had been acknowledged. Replacing a store is not there yet
 * (README.md): a wiped broker keeps no vote. The mutant of this bug is M5.
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
