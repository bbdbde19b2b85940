import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError, type ErrorCode } from '../../src/errors.ts'
import { Registry } from '../../src/partition/registry.ts'
import { Router } from '../../src/partition/router.ts'
import { PeerLost, type Transport } from '../../src/transport/transport.ts'
import { brokerId, groupId } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'
import { openGateway } from '../gateway/support/open-gateway.ts'
import { accepted, OnePartition } from './one-partition.ts'
import { batch } from '../partition/entries.ts'

/** A router without replicas of its own, whose calls end as `answers` say, one after the other. */
async function route(answers: readonly unknown[]): Promise<unknown> {
  const clock = new VirtualClock()
  const left = [...answers]
  const transport: Pick<Transport, 'request'> = { request: () => Promise.reject(left.shift()) }
  const router = new Router({
    self: brokerId(1),
    registry: new Registry(),
    transport: transport as Transport,
    clock,
    isAlive: () => true,
  })
  const call = {
    kind: 'append',
    changes: 'once' as const,
    local: () => Promise.reject(new Error('It leads nothing.')),
    body: () => new Uint8Array(0),
    decode: () => 'done',
  }
  let outcome: { readonly error: unknown } | undefined
  router
    .atLeader({ group: groupId(7), replicas: [brokerId(2), brokerId(3)] }, call, 1_000)
    .catch((error: unknown) => {
      outcome = { error }
    })
  while (outcome === undefined) {
    await turns(2)
    clock.advance(50)
  }
  return outcome.error
}

function codeOf(error: unknown): ErrorCode {
  assert.ok(error instanceof SynodError, String(error))
  return error.code
}

test('a refusal of the second attempt does not speak for the first one, which was lost', async () => {
  for (const code of [
    'producer-fenced',
    'etag-mismatch',
    'replica-behind',
    'overloaded',
    'disk-full',
  ] as const) {
    const refusal = new SynodError(code, 'Refused.')
    assert.equal(codeOf(await route([refusal])), code)
    assert.equal(codeOf(await route([new PeerLost('Gone.'), refusal])), 'outcome-unknown')
  }
})

test('of several failed partitions the one that may be stored decides what the answer says', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 3)
  ports.log.beforeAppend = ({ partition }) => {
    if (partition === 0) throw new SynodError('internal', 'Something broke.')
    throw new SynodError('no-leader', 'No leader.')
  }
  const records = [
    { partition: 0, text: 'a' },
    { partition: 1, text: 'b' },
  ]
  const answer = await call('POST', '/v1/topics/t/batches', {
    body: JSON.stringify({ records }),
    headers: { 'Content-Type': 'application/json' },
  })
  const problem = answer.json() as { readonly code: string; readonly sideEffects: string }
  assert.equal(problem.sideEffects, 'possible')
  assert.equal(problem.code, 'internal')
})

test('a change that this broker has not learned in time is not called undone', async (t) => {
  const cluster = await TestCluster.start(t)
  const controller = Number(cluster.services(1).status.controller())
  const asker = cluster.others(controller)[0]!
  const { registry } = cluster.broker(asker).engine
  // The asker hears answers of other brokers, but takes no part in the controller's group for a while.
  const receive = registry.receive.bind(registry)
  registry.receive = () => {}
  const creating = cluster.services(asker).directory.create('orders', {
    partitions: undefined,
    replicationFactor: undefined,
    config: {},
  })
  await cluster.refused(creating, 'outcome-unknown')
  registry.receive = receive
  const found = await cluster.finish(cluster.services(controller).directory.find('orders'))
  assert.equal(found?.name, 'orders')
})

test('acks=all is not confirmed by a broker that has just lost its leadership', async () => {
  const one = await OnePartition.open()
  const ballot = await one.lead()
  assert.ok(one.partition.replica.isLeader)
  let outcome: unknown = 'open'
  one.partition
    .append(batch({ values: ['a'] }), { acks: 'all', timeoutMs: 5_000 })
    .then((stored) => (outcome = stored))
    .catch((error: unknown) => (outcome = error))
  await turns(6)
  assert.equal(one.take('accept').length, 2)
  // A majority has it and the leadership ends in the same turn; the third replica, in sync, does not have it.
  const higher = { ...ballot, round: ballot.round + 1, broker: brokerId(3) }
  await one.receive([2, accepted(ballot, 1)], [3, { kind: 'nack', promised: higher }])
  assert.ok(!one.partition.replica.isLeader)
  await turns(4)
  assert.equal(codeOf(outcome), 'outcome-unknown')
  assert.deepEqual(one.failures, [])
})
