import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '../../src/paxos/messages.ts'
import { brokerId } from '../../src/types/ids.ts'
import { VirtualCluster } from '../paxos/virtual-cluster.ts'

/** Answers to reads among effects, by token. */
function answers(effects: ReturnType<VirtualCluster['step']>): readonly string[] {
  return effects.flatMap((effect) =>
    effect.kind === 'readReady' || effect.kind === 'readRefused' ? [`${effect.kind} ${effect.token}`] : [],
  )
}

/*
 * etcd #20418: the answer to a read probe that the network delivered twice was taken for one to a later probe, so a leader
 * that had been replaced went on to answer reads.
 */
test('bug 7: repeated and late read acknowledgements confirm no later read of a leader that was replaced', () => {
  const cluster = new VirtualCluster({ size: 3 })
  cluster.link()
  cluster.run(300)
  assert.equal(cluster.leader?.id, 1)
  const acks: { readonly from: number; readonly message: Message }[] = []
  for (const token of [1, 2, 3]) {
    cluster.step(1, { kind: 'readIndex', token })
    for (const letter of cluster.wire.slice()) cluster.deliver(letter)
    for (const { from, message } of cluster.wire) if (message.kind === 'readAck') acks.push({ from, message })
    cluster.stabilize()
  }
  assert.equal(acks.length, 6)
  // Nothing reaches or leaves 1 any more, and its detector has not noticed: it still leads, in its own eyes.
  cluster.link((from, to) => from !== 1 && to !== 1, [1])
  for (let passed = 0; passed < 5_000 && cluster.leader?.id === 1; passed += 5) {
    for (const id of [2, 3])
      if ((cluster.paxos(id).deadlineMs ?? Infinity) <= cluster.nowMs) cluster.step(id, { kind: 'tick' })
    cluster.nowMs += 5
    settleWithout(cluster, 1)
  }
  const next = cluster.leader?.id ?? 0
  assert.notEqual(next, 1)
  cluster.propose(next, 'newer')
  settleWithout(cluster, 1)
  assert.deepEqual(cluster.replica(next).applied, ['newer'])
  assert.equal(cluster.paxos(1).role, 'leader')
  cluster.step(1, { kind: 'readIndex', token: 4 })
  for (let copy = 0; copy < 3; copy++) {
    for (const { from, message } of acks) {
      const effects = cluster.step(1, { kind: 'message', from: brokerId(from), message })
      assert.deepEqual(answers(effects), [], 'An old acknowledgement confirms nothing.')
    }
  }
})

function settleWithout(cluster: VirtualCluster, away: number): void {
  for (let hasMoved = true; hasMoved;) {
    hasMoved = cluster.replicas.some(({ id }) => id !== away && cluster.makeDurable(id))
    for (const letter of cluster.wire.slice()) {
      if (letter.from === away || letter.to === away) cluster.wire.splice(cluster.wire.indexOf(letter), 1)
      else cluster.deliver(letter)
      hasMoved = true
    }
  }
}
