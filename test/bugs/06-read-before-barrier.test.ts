import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualCluster } from '../paxos/virtual-cluster.ts'

/*
 * etcd #7331, RedisRaft #18 and #19, redpanda #5090: a new leader answered reads before it knew what its predecessor had
 * committed. Accepted is held back here, so that the new leader does not know it for as long as possible.
 */
test('bug 6: a new leader answers no read before it knows all that was acknowledged before it', () => {
  const cluster = new VirtualCluster({ size: 3 })
  cluster.link()
  cluster.run(200)
  assert.equal(cluster.leader?.id, 1)
  cluster.propose(1, 'a', 'acknowledged')
  // Both followers store it and the leader acknowledges; that it is chosen reaches nobody.
  for (let round = 0; round < 4; round++) {
    for (const { id } of cluster.replicas) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) {
      if (letter.message.kind === 'accept' || letter.message.kind === 'accepted') cluster.deliver(letter)
    }
  }
  assert.deepEqual(cluster.replica(1).applied, ['a', 'acknowledged'])
  assert.deepEqual(cluster.replica(2).applied, [])
  cluster.crash(1)
  cluster.wire = []
  cluster.link()
  elect(cluster)
  const next: number = cluster.leader?.id ?? 0
  assert.ok([2, 3].includes(next))
  assert.equal(cluster.paxos(next).commit, 0, 'It leads and does not know yet what is chosen.')
  assert.equal(cluster.paxos(next).canServeReads, false)
  assert.deepEqual(cluster.step(next, { kind: 'readIndex', token: 7 }), [{ kind: 'readRefused', token: 7 }])
  cluster.stabilize()
  assert.equal(cluster.paxos(next).canServeReads, true)
  cluster.step(next, { kind: 'readIndex', token: 8 })
  assert.deepEqual(cluster.replica(next).applied, ['a', 'acknowledged'])
})

/** Time passes and all moves but Accepted, until there is a leader. */
function elect(cluster: VirtualCluster): void {
  for (let passed = 0; passed < 5_000 && cluster.leader === undefined; passed += 5) {
    cluster.pass(5)
    for (const { id } of cluster.replicas) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) {
      if (letter.to !== 1 && letter.message.kind !== 'accepted') cluster.deliver(letter)
    }
  }
}
