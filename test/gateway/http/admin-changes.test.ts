import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openGateway } from '../support/open-gateway.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

interface OperationBody {
  readonly id: string
  readonly state: string
}

test('a partition is moved, and the answer says where to look', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('orders', 2)
  const path = '/v1/topics/orders/partitions/1/replicas'
  const body = { headers: JSON_TYPE, body: '{"brokers":["3","1"]}' }
  const answer = await call('PUT', path, body)
  assert.equal(answer.status, 202)
  assert.equal(answer.headers.get('location'), '/v1/operations/op1')
  assert.deepEqual(answer.json(), {
    id: 'op1',
    kind: 'move-replicas',
    state: 'running',
    topic: 'orders',
    partition: 1,
    replicas: ['3', '1'],
    stepsDone: 0,
    stepsTotal: 2,
    startedAt: '1970-01-01T00:00:01.000Z',
  })
  await refused('invalid-field', 'PUT', path, { headers: JSON_TYPE, body: '{"brokers":[]}' })
  for (const [field, hint] of [
    ['replicas', 'The fields of each body are in /openapi.yaml.'],
    ['borkers', "Did you mean 'brokers'?"],
  ] as const) {
    const unknown = { headers: JSON_TYPE, body: `{"brokers":["1"],"${field}":["1"]}` }
    assert.equal((await refused('unknown-field', 'PUT', path, unknown)).hint, hint)
  }
  await refused('not-enough-brokers', 'PUT', path, { headers: JSON_TYPE, body: '{"brokers":["70000"]}' })
  await refused('partition-not-found', 'PUT', '/v1/topics/orders/partitions/9/replicas', body)
})

test('a broker is drained, taken back and removed', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  assert.equal((await call('POST', '/v1/brokers/2/drain')).status, 202)
  assert.equal((await call('DELETE', '/v1/brokers/2/drain')).status, 204)
  assert.deepEqual(ports.operations.activated, [2])
  assert.equal((await call('DELETE', '/v1/brokers/2')).status, 202)
  assert.equal((await call('DELETE', '/v1/brokers/3?force=true')).status, 202)
  assert.deepEqual(
    ports.operations.all.map(({ subject }) => subject),
    [
      { kind: 'drain-broker', broker: 2 },
      { kind: 'remove-broker', broker: 2, isForced: false },
      { kind: 'remove-broker', broker: 3, isForced: true },
    ],
  )
  await refused('not-found', 'POST', '/v1/brokers/9/drain')
  await refused('not-found', 'DELETE', '/v1/brokers/0')
  await refused('invalid-parameter', 'DELETE', '/v1/brokers/3?force=yes')
})

test('operations are listed, shown and cancelled', async (t) => {
  const { call, refused } = await openGateway(t)
  for (const broker of [1, 2, 3]) await call('POST', `/v1/brokers/${broker}/drain`)
  const list = (await call('GET', '/v1/operations?limit=2')).json() as { items: OperationBody[] }
  assert.deepEqual(
    list.items.map(({ id }) => id),
    ['op3', 'op2'],
  )
  assert.equal(((await call('GET', '/v1/operations/op1')).json() as OperationBody).state, 'running')
  await refused('not-found', 'GET', '/v1/operations/op9')
  await refused('invalid-parameter', 'GET', '/v1/operations/nine')
  const cancelled = await call('POST', '/v1/operations/op1/cancel')
  assert.deepEqual((cancelled.json() as { problem: string }).problem, 'It was cancelled.')
  await refused('operation-ended', 'POST', '/v1/operations/op1/cancel')
})
