import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from '../paxos/lone-replica.ts'
import { seeded } from '../paxos/random.ts'
import { VirtualCluster } from '../paxos/virtual-cluster.ts'

const OLD = ballot(1, 1)
const NEW = ballot(2, 3)

/** A follower whose slots 2 and 3 were never chosen, and which has promised the next leader's ballot. */
function divergedFollower(): LoneReplica {
  const log = logOf(['a', OLD], ['lost', OLD], ['lost too', OLD])
  return new LoneReplica({ state: { promised: NEW, acceptedBallot: OLD }, log, commit: 1 })
}

function texts(replica: LoneReplica): string[] {
  return replica.applied.map(({ body }) => Buffer.from(body).toString())
}

/*
 * KAFKA-14704 (PR #13230), KIP-101, KAFKA-6361: a follower raised its high watermark by the new leader's word before it had
 * cut what the old leader had left, so records that were never committed were read, and logs differed for ever.
 */
test('bug 10: a follower takes no commit from a leader whose log it does not hold yet', () => {
  const replica = divergedFollower()
  const answers = replica.receive(3, { kind: 'learn', ballot: NEW, commit: slot(3) })
  assert.deepEqual([replica.paxos.commit, texts(replica)], [1, []])
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ['prepareRequest'],
  )
  const [, , next] = logOf(['a', OLD], ['b', NEW], ['c', NEW])
  replica.receive(3, { kind: 'accept', ballot: NEW, previous: slot(2), entries: [next!], commit: slot(3) })
  assert.deepEqual([replica.paxos.commit, texts(replica)], [1, []])
})

test('bug 10: commit that comes with the new log is of the new log', () => {
  const replica = divergedFollower()
  const [first, ...entries] = logOf(['a', OLD], ['b', NEW])
  const chainAtBase = first!.chain
  replica.receive(3, {
    kind: 'acceptSync',
    ballot: NEW,
    base: slot(1),
    chainAtBase,
    entries,
    commit: slot(3),
  })
  // The leader knows more to be chosen than it sent here: only what was sent counts.
  assert.deepEqual([replica.paxos.commit, replica.paxos.through, texts(replica)], [2, 2, ['b']])
})

test('bug 10: after each of many elections under load all replicas hold the same log', () => {
  const random = seeded(10)
  const cluster = new VirtualCluster({ size: 3, random })
  let valueCount = 0
  cluster.link()
  cluster.run(500)
  for (let election = 0; election < 25; election++) {
    const leader = cluster.leader?.id ?? 1
    for (let count = 0; count < 4; count++) cluster.propose(leader, `v${++valueCount}`)
    // Some of it arrives somewhere, then the leader is gone with the rest.
    for (const { id } of cluster.replicas) if (random() < 0.7) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) if (random() < 0.5) cluster.deliver(letter)
    cluster.crash(leader)
    cluster.link()
    cluster.run(2_500)
    assert.notEqual(cluster.leader?.id, leader)
    cluster.start(leader)
    cluster.link()
    cluster.run(2_000)
    const logs = cluster.replicas.map(({ applied }) => applied.join(' '))
    assert.equal(new Set(logs).size, 1, logs.join('\n'))
  }
  assert.equal(new Set(cluster.replica(1).applied).size, cluster.replica(1).applied.length)
  assert.ok(cluster.replica(1).applied.length >= 25)
})
