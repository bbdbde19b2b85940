import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect } from '../../src/paxos/effects.ts'
import type { PaxosTuning, VoterProgress } from '../../src/paxos/options.ts'
import { VirtualCluster } from './virtual-cluster.ts'

function ledCluster(size: number, tuning: Partial<PaxosTuning> = {}): VirtualCluster {
  const cluster = new VirtualCluster({ size, tuning })
  cluster.link()
  cluster.run(100)
  assert.equal(cluster.leader?.id, 1)
  return cluster
}

function refusals(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'refused' ? [effect.reason] : []))
}

function appendedSlots(effects: readonly Effect[]): number[] {
  return effects.flatMap((effect) => (effect.kind === 'appended' ? [effect.slot] : []))
}

function acceptsTo(cluster: VirtualCluster, id: number): number {
  return cluster.wire.filter(({ to, message }) => to === id && message.kind === 'accept').length
}

test('a replica that does not lead refuses proposals', () => {
  assert.deepEqual(refusals(ledCluster(3).propose(2, 'a')), ['not-leader'])
})

test('all proposals of one event are one persist and one Accept for each follower', () => {
  const cluster = ledCluster(3)
  const effects = cluster.propose(1, 'a', 'b', 'c')
  assert.deepEqual(appendedSlots(effects), [1, 2, 3])
  assert.equal(effects.filter((effect) => effect.kind === 'persist').length, 1)
  assert.equal(acceptsTo(cluster, 2), 1)
  assert.equal(acceptsTo(cluster, 3), 1)
})

test('a lone voter chooses what is on its disk, and not before', () => {
  const cluster = new VirtualCluster({ size: 1 })
  cluster.run(10)
  cluster.propose(1, 'a')
  assert.deepEqual(cluster.replica(1).applied, [])
  cluster.makeDurable(1)
  assert.deepEqual(cluster.replica(1).applied, ['a'])
})

test('proposals beyond the slots that may be open are refused, those before are appended', () => {
  const cluster = ledCluster(3, { uncommittedSlotsMax: 2 })
  const effects = cluster.propose(1, 'a', 'b', 'c')
  assert.deepEqual(appendedSlots(effects), [1, 2])
  assert.deepEqual(refusals(effects), ['full'])
  cluster.stabilize()
  assert.deepEqual(appendedSlots(cluster.propose(1, 'd')), [3])
})

test('proposals beyond the bytes that may be open are refused, but a lone one always fits', () => {
  const cluster = ledCluster(3, { uncommittedBytesMax: 10 })
  assert.deepEqual(appendedSlots(cluster.propose(1, 'longer than ten bytes')), [1])
  assert.deepEqual(refusals(cluster.propose(1, 'b')), ['full'])
})

test('with a full window new entries wait, and go as one Accept when there is room', () => {
  const cluster = ledCluster(3, { windowMessagesMax: 2 })
  for (const text of ['a', 'b', 'c', 'd']) cluster.propose(1, text)
  assert.equal(acceptsTo(cluster, 2), 2)
  cluster.stabilize()
  cluster.run(100)
  assert.deepEqual(cluster.replica(2).applied, ['a', 'b', 'c', 'd'])
})

test('a window is also bounded by bytes', () => {
  const cluster = ledCluster(3, { windowBytesMax: 100 })
  for (const text of ['a', 'b', 'c']) cluster.propose(1, text)
  assert.equal(acceptsTo(cluster, 2), 1)
})

test('a proposal is refused when fewer voters are in sync than a majority', () => {
  const cluster = ledCluster(3)
  cluster.crash(2)
  cluster.crash(3)
  cluster.link()
  assert.deepEqual(refusals(cluster.propose(1, 'a')), ['not-enough-in-sync'])
})

test('minInSync asks for more than a majority', () => {
  const cluster = ledCluster(3, { minInSync: 3 })
  assert.deepEqual(refusals(cluster.propose(1, 'a')), [])
  cluster.stabilize()
  cluster.crash(3)
  cluster.link()
  assert.deepEqual(refusals(cluster.propose(1, 'b')), ['not-enough-in-sync'])
})

test('MaxLag: a follower beyond it is out of sync, and back at half of it only', () => {
  const cluster = ledCluster(3, { maxLagSlots: 4, windowMessagesMax: 1 })
  const isThirdInSync = (): boolean | undefined =>
    cluster.paxos(1).progress({ nowMs: cluster.nowMs, random: 0 })[2]?.inSync
  assert.equal(isThirdInSync(), true)
  for (const text of ['a', 'b', 'c', 'd', 'e']) {
    cluster.propose(1, text)
    for (const { id } of cluster.replicas) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice())
      if (letter.to !== 3 && letter.from !== 3) cluster.deliver(letter)
    cluster.makeDurable(2)
    for (const letter of cluster.wire.slice())
      if (letter.to !== 3 && letter.from !== 3) cluster.deliver(letter)
  }
  assert.equal(cluster.paxos(1).commit, 5)
  assert.equal(isThirdInSync(), false)
  assert.equal(cluster.paxos(1).inSyncCount, 2)
  cluster.stabilize()
  assert.equal(isThirdInSync(), true)
})

test('MaxLag: a follower that lacks a slot for longer than maxLagMs is out of sync', () => {
  const cluster = ledCluster(3, { maxLagMs: 200, retransmitMs: 100_000 })
  cluster.propose(1, 'a')
  cluster.wire = cluster.wire.filter(({ to }) => to !== 3)
  cluster.stabilize()
  const third = (): VoterProgress | undefined =>
    cluster.paxos(1).progress({ nowMs: cluster.nowMs, random: 0 })[2]
  cluster.pass(150)
  assert.equal(third()?.inSync, true)
  cluster.pass(100)
  assert.deepEqual(third(), {
    broker: 3,
    acceptedSlot: 0,
    lagSlots: 1,
    lagMs: 250,
    inSync: false,
    state: 'synced',
  })
  assert.equal(cluster.paxos(1).inSyncCount, 2)
})

test('the memory tail stays under its bound while a follower is behind, and is empty when the group is idle', () => {
  const cluster = ledCluster(3, { tailBytesMax: 1000 })
  cluster.crash(3)
  cluster.link()
  for (let count = 0; count < 20; count++) {
    cluster.propose(1, `value ${count}`)
    cluster.stabilize()
    assert.ok(cluster.paxos(1).memoryBytes <= 1000)
  }
  assert.ok(cluster.paxos(1).memoryBytes > 0)
  cluster.run(1000)
  assert.equal(cluster.paxos(1).memoryBytes, 0)
  assert.equal(cluster.paxos(2).memoryBytes, 0)
})

test('an idle group wants no ticks', () => {
  const cluster = ledCluster(3)
  cluster.propose(1, 'a')
  cluster.run(2000)
  assert.deepEqual(
    cluster.replicas.map(({ paxos }) => paxos?.deadlineMs),
    [undefined, undefined, undefined],
  )
})

test('a leader whose proposal stays undecided resigns', () => {
  const cluster = ledCluster(3)
  cluster.propose(1, 'a')
  for (let second = 0; second < 6; second++) {
    cluster.pass(1000)
    cluster.wire = []
  }
  assert.notEqual(cluster.paxos(1).role, 'leader')
})

test('a leader with a stalled disk resigns at once, and another one takes over', () => {
  const cluster = ledCluster(3)
  const links = { selfStalled: true, selfDraining: false, selfFull: false, peers: new Map() }
  const effects = cluster.step(1, { kind: 'links', links })
  assert.equal(cluster.paxos(1).role, 'follower')
  assert.ok(effects.some((effect) => effect.kind === 'send' && effect.message.kind === 'resign'))
  cluster.run(2000)
  assert.equal(cluster.leader?.id, 2)
})

test('a leader that is told to resign lets another one lead', () => {
  const cluster = ledCluster(3)
  cluster.step(1, { kind: 'resign' })
  cluster.run(2000)
  assert.equal(cluster.leader?.id, 2)
})
