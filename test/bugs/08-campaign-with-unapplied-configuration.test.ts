import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBallot } from '../../src/paxos/ballot.ts'
import { VirtualCluster } from '../paxos/virtual-cluster.ts'

/** Syncs and delivers among these alone; what else is on the wire is lost. */
function settleAmong(cluster: VirtualCluster, ids: readonly number[]): void {
  for (let round = 0; round < 20; round++) {
    for (const id of ids) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) {
      if (ids.includes(letter.to) && ids.includes(letter.from)) cluster.deliver(letter)
      else cluster.wire.splice(cluster.wire.indexOf(letter), 1)
    }
  }
}

/*
 * etcd #12133, raft #469: a replica that held a committed change of the members, and had not applied it, campaigned by the old
 * members and won, while others already led by the new ones: two leaders that chose apart.
 */
test('bug 8: who holds a stop-sign that it does not know to be chosen leads nobody past it', () => {
  const cluster = new VirtualCluster({ size: 3, spares: 2 })
  const leaders = new Map<string, number>()
  cluster.onEffect = ({ id }, effect) => {
    if (effect.kind !== 'role' || effect.role !== 'leader') return
    const ballot = formatBallot(effect.ballot)
    assert.equal(leaders.get(ballot) ?? id, id, `two lead at ${ballot}`)
    leaders.set(ballot, id)
  }
  cluster.link()
  cluster.run(100)
  cluster.propose(1, 'a')
  cluster.run(100)
  cluster.learn(4, 5)
  cluster.run(50)
  // 3 has the stop-sign on disk. 1 and 2 know it chosen and go on with 4 and 5; 3 hears nothing of that.
  cluster.reconfigure(1, 1, 4, 5)
  cluster.makeDurable(1)
  for (const letter of cluster.wire.slice()) if (letter.to === 3) cluster.deliver(letter)
  cluster.makeDurable(3)
  const others = [1, 2, 4, 5]
  cluster.link((a, b) => others.includes(a) && others.includes(b), [3])
  settleAmong(cluster, others)
  assert.deepEqual(
    [1, 2, 3].map((id) => cluster.paxos(id).configuration.number),
    [2, 2, 1],
  )
  assert.equal(cluster.leader?.id, 1)
  cluster.propose(1, 'new')
  settleAmong(cluster, others)
  assert.equal(cluster.paxos(1).commit, 3)
  // 3 misses its leader and asks the old voters, of whom 2 voted beside it and votes no more.
  cluster.link((a, b) => [2, 3].includes(a) && [2, 3].includes(b))
  for (let passed = 0; passed < 5_000; passed += 50) {
    cluster.pass(50)
    settleAmong(cluster, [2, 3])
    assert.notEqual(cluster.paxos(3).role, 'leader', 'the old configuration is led again')
  }
  assert.equal(cluster.paxos(3).configuration.number, 2)
  assert.deepEqual(cluster.replica(3).applied, ['a', 'stop-sign(2: 1 4 5)'])
})
