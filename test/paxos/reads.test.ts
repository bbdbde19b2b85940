import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect } from '../../src/paxos/effects.ts'
import { WAITING_READS_MAX } from '../../src/paxos/reads.ts'
import { VirtualCluster } from './virtual-cluster.ts'

function ledCluster(size = 3): { readonly cluster: VirtualCluster; readonly answers: string[] } {
  const answers: string[] = []
  const onEffect = (_: unknown, effect: Effect): void => {
    if (effect.kind === 'readReady') answers.push(`${effect.token} at ${effect.slot}`)
    if (effect.kind === 'readRefused') answers.push(`${effect.token} refused`)
  }
  const cluster = new VirtualCluster({ size, onEffect })
  cluster.link()
  cluster.run(100)
  return { cluster, answers }
}

function probes(cluster: VirtualCluster): number {
  return cluster.wire.filter(({ message }) => message.kind === 'readProbe').length
}

test('a read is answered with commit as of its arrival once a quorum confirms the leader', () => {
  const { cluster, answers } = ledCluster()
  cluster.propose(1, 'a')
  cluster.stabilize()
  cluster.step(1, { kind: 'readIndex', token: 7 })
  cluster.propose(1, 'b')
  assert.deepEqual(answers, [])
  cluster.stabilize()
  assert.deepEqual(answers, ['7 at 1'])
})

test('reads that arrive while a probe is under way share the next one', () => {
  const { cluster, answers } = ledCluster()
  cluster.step(1, { kind: 'readIndex', token: 1 })
  assert.equal(probes(cluster), 2)
  cluster.step(1, { kind: 'readIndex', token: 2 })
  cluster.step(1, { kind: 'readIndex', token: 3 })
  assert.equal(probes(cluster), 2)
  cluster.stabilize()
  assert.deepEqual(answers, ['1 at 0', '2 at 0', '3 at 0'])
})

test('an acknowledgement of an earlier probe confirms nothing', () => {
  const { cluster, answers } = ledCluster()
  cluster.step(1, { kind: 'readIndex', token: 1 })
  for (const letter of cluster.wire.slice()) cluster.deliver(letter)
  const late = cluster.wire.filter(({ message }) => message.kind === 'readAck')
  cluster.wire = []
  assert.equal(late.length, 2)
  cluster.pass(600)
  cluster.wire = []
  for (const letter of late) {
    cluster.wire.push(letter)
    cluster.deliver(letter)
  }
  assert.deepEqual(answers, [])
  cluster.run(600)
  assert.deepEqual(answers, ['1 at 0'])
})

test('who does not lead refuses a read, and so does a leader that steps down', () => {
  const { cluster, answers } = ledCluster()
  cluster.step(2, { kind: 'readIndex', token: 1 })
  cluster.step(1, { kind: 'readIndex', token: 2 })
  cluster.step(1, { kind: 'resign' })
  assert.deepEqual(answers, ['1 refused', '2 refused'])
})

test('a new leader refuses reads until what it took over is chosen', () => {
  const { cluster, answers } = ledCluster()
  cluster.propose(1, 'a')
  cluster.stabilize()
  cluster.crash(1)
  cluster.link()
  for (let step = 0; step < 1000 && cluster.paxos(2).role !== 'leader'; step++) {
    cluster.pass(5)
    for (const { id } of cluster.replicas) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) if (cluster.paxos(2).role !== 'leader') cluster.deliver(letter)
  }
  assert.equal(cluster.paxos(2).canServeReads, false)
  cluster.step(2, { kind: 'readIndex', token: 1 })
  cluster.stabilize()
  assert.equal(cluster.paxos(2).canServeReads, true)
  cluster.step(2, { kind: 'readIndex', token: 2 })
  cluster.stabilize()
  assert.deepEqual(answers, ['1 refused', '2 at 1'])
})

test('a lone voter answers at once', () => {
  const { cluster, answers } = ledCluster(1)
  cluster.step(1, { kind: 'readIndex', token: 1 })
  assert.deepEqual(answers, ['1 at 0'])
})

test('reads that no quorum confirms are refused in the end', () => {
  const { cluster, answers } = ledCluster()
  cluster.step(1, { kind: 'readIndex', token: 1 })
  for (let count = 0; count < 12; count++) {
    cluster.wire = []
    cluster.pass(500)
  }
  assert.deepEqual(answers, ['1 refused'])
})

test('more reads than may wait are refused', () => {
  const { cluster, answers } = ledCluster()
  for (let token = 0; token <= WAITING_READS_MAX; token++) cluster.step(1, { kind: 'readIndex', token })
  assert.deepEqual(answers, [`${WAITING_READS_MAX} refused`])
})
