import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect, Moment, PaxosEvent } from '../../src/paxos/effects.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import type { Replica } from '../../src/types/ids.ts'
import { replicaOf, VirtualCluster, type VirtualClusterOptions } from './virtual-cluster.ts'

/** Three replicas of which 1 leads, with a value chosen. */
function ledCluster(options: Partial<VirtualClusterOptions> = {}): VirtualCluster {
  const cluster = new VirtualCluster({ size: 3, ...options })
  cluster.link()
  cluster.run(100)
  cluster.propose(1, 'a')
  cluster.run(100)
  assert.equal(cluster.leader?.id, 1)
  return cluster
}

const voters = (...ids: number[]): readonly Replica[] => ids.map(replicaOf)

/** What came of an order to the leader: the number that it was told, or the reason. */
function order(cluster: VirtualCluster, ids: readonly number[], after?: number): number | string | undefined {
  const answers: Effect[] = []
  const before = cluster.onEffect
  cluster.onEffect = (replica, effect) => {
    answers.push(effect)
    before(replica, effect)
  }
  cluster.step(cluster.leader!.id, { kind: 'reconfigure', token: 9, voters: voters(...ids), after })
  cluster.run(100)
  cluster.onEffect = before
  for (const answer of answers) {
    if (answer.kind === 'reconfigured') return answer.number
    if (answer.kind === 'reconfigureRefused') return answer.reason
  }
  return undefined
}

const numbers = (cluster: VirtualCluster) => [1, 2, 3].map((id) => cluster.paxos(id).configuration.number)

/** An order that comes late ends whatever configuration it finds. */
class ForgetsWhatWasMeant extends Paxos {
  override step(event: PaxosEvent, moment: Moment): readonly Effect[] {
    return super.step(event.kind === 'reconfigure' ? { ...event, after: undefined } : event, moment)
  }
}

function lateOrder(cluster: VirtualCluster): number | string | undefined {
  assert.equal(order(cluster, [1, 2], 1), 2)
  return order(cluster, [1], 1)
}

test('reconfigure: an order ends the configuration that it names and no other', () => {
  const cluster = ledCluster()
  assert.equal(lateOrder(cluster), 'outdated')
  assert.equal(order(cluster, [1], 3), 'outdated')
  assert.deepEqual(numbers(cluster), [2, 2, 2])
  assert.deepEqual(cluster.paxos(1).configuration.voters, voters(1, 2))
})

test('reconfigure: a core that forgets which one was meant carries out what is late', () => {
  const cluster = ledCluster({ paxos: (...parts) => new ForgetsWhatWasMeant(...parts) })
  assert.equal(lateOrder(cluster), 3)
})

test('reconfigure: asked for again, what is in force already is confirmed', () => {
  const cluster = ledCluster()
  assert.equal(order(cluster, [2, 1], 1), 2)
  assert.equal(order(cluster, [1, 2], 1), 2)
  assert.equal(order(cluster, [1, 2]), 2)
  assert.deepEqual(numbers(cluster), [2, 2, 2])
})

test('reconfigure: the end of the present configuration begins another one, even with the same voters', () => {
  const cluster = ledCluster()
  assert.equal(order(cluster, [1, 2, 3], 1), 2)
  assert.deepEqual(numbers(cluster), [2, 2, 2])
  assert.equal(order(cluster, [1, 2], 1), 'outdated')
  cluster.propose(cluster.leader!.id, 'b')
  cluster.run(100)
  for (const id of [1, 2, 3]) assert.ok(cluster.replica(id).applied.includes('b'))
})
