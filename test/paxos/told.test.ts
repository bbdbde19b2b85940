import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'
import { VirtualCluster } from './virtual-cluster.ts'

const A = ballot(1, 1)
const LOG = logOf(['a', A], ['b', A])

function told(replica: LoneReplica, from: number, commit: number) {
  replica.step({ kind: 'told', from: brokerId(from), commit: slot(commit) })
  return replica.sentTo(from)
}

function openFollower(): LoneReplica {
  return new LoneReplica({ state: { promised: A, acceptedBallot: A }, log: LOG, commit: 1 })
}

test('a replica in which nothing moves fetches what another one tells it to be chosen', () => {
  const replica = openFollower()
  assert.deepEqual(told(replica, 3, 2), [{ kind: 'syncRequest', fromSlot: 2, resetSlot: 0, part: 0 }])
  // One request at a time; what it knows already it does not ask for.
  assert.deepEqual(told(replica, 1, 2), [])
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(2), entries: LOG.slice(1), commit: slot(2) })
  assert.equal(replica.paxos.commit, 2)
  assert.deepEqual(told(replica, 3, 2), [])
})

test('a replica in which slots are being chosen leaves the rest to its leader', () => {
  const replica = openFollower()
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(2) })
  assert.equal(replica.paxos.commit, 2)
  assert.deepEqual(told(replica, 3, 3), [])
  replica.nowMs += DEFAULT_TUNING.retransmitMs
  assert.deepEqual(told(replica, 3, 3), [{ kind: 'syncRequest', fromSlot: 3, resetSlot: 0, part: 0 }])
})

test('while who is known to have more does not answer, all others are asked in turn', () => {
  const replica = new LoneReplica({ size: 5, log: LOG, commit: 1 })
  const links = new Set([1, 2, 3, 4, 5].map(brokerId))
  const view = { alive: true, bootId: '1', stalled: false, draining: false, full: false, links }
  const peers = new Map([1, 3, 4, 5].map((id) => [brokerId(id), view]))
  replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull: false, peers } })
  // Its replica is deleted in the moment after it said so.
  const asked = told(replica, 5, 3).map(() => 5)
  while (asked.length < 6) {
    replica.nowMs += DEFAULT_TUNING.retransmitMs
    replica.step({ kind: 'tick' })
    asked.push(...[1, 3, 4, 5].filter((id) => replica.sentTo(id).some(({ kind }) => kind === 'syncRequest')))
  }
  assert.deepEqual(asked, [5, 1, 3, 4, 5, 1])
})

test('a replica whose voters are all gone asks who tells it that more is chosen, whoever that is', () => {
  const replica = openFollower()
  assert.equal(told(replica, 1, 2).length, 1)
  // Broker 1 does not answer and broker 3 is asked; as long as one of them may, nobody else is.
  assert.deepEqual(told(replica, 4, 2), [])
  replica.nowMs += DEFAULT_TUNING.retransmitMs
  replica.step({ kind: 'tick' })
  assert.deepEqual(told(replica, 4, 2), [{ kind: 'syncRequest', fromSlot: 2, resetSlot: 0, part: 0 }])
  replica.receive(4, { kind: 'syncChunk', fromSlot: slot(2), entries: LOG.slice(1), commit: slot(2) })
  assert.equal(replica.paxos.commit, 2)
})

test('a leader counts for itself and fetches nothing', () => {
  const cluster = new VirtualCluster({ size: 3 })
  cluster.link()
  cluster.run(2_000)
  const leader = cluster.leader!
  const other = leader.id === 1 ? 2 : 1
  const effects = cluster.step(leader.id, { kind: 'told', from: brokerId(other), commit: slot(9) })
  assert.deepEqual(effects, [])
  assert.equal(leader.paxos?.role, 'leader')
})

test('a follower that lost both final Learns stays behind in an idle group until it is told', () => {
  const cluster = new VirtualCluster({ size: 3 })
  cluster.link()
  cluster.run(2_000)
  const leader = cluster.leader!.id
  const [follower] = [1, 2, 3].filter((id) => id !== leader)
  cluster.propose(leader, 'last')
  let lost = 0
  for (let passed = 0; passed < 1_000; passed += 5) {
    cluster.pass(5)
    const before = cluster.wire.length
    cluster.wire = cluster.wire.filter(({ to, message }) => to !== follower || message.kind !== 'learn')
    lost += before - cluster.wire.length
    cluster.stabilize()
  }
  assert.equal(lost, 2, 'The Learn after the slot was chosen, and the one of the group going idle.')
  cluster.run(60_000)
  assert.deepEqual([cluster.paxos(leader).commit, cluster.paxos(follower!).commit], [1, 0])
  cluster.step(follower!, { kind: 'told', from: brokerId(leader), commit: slot(1) })
  cluster.run(100)
  assert.equal(cluster.paxos(follower!).commit, 1)
  cluster.run(2_000)
  assert.equal(cluster.paxos(follower!).deadlineMs, undefined, 'It sleeps again.')
})
