import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openGateway } from '../support/open-gateway.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const PATCH_TYPE = { 'Content-Type': 'application/merge-patch+json' }

interface TopicBody {
  readonly name: string
  readonly id: string
  readonly partitions: { readonly partition: number; readonly leader?: string; readonly replicas: string[] }[]
  readonly config: Record<string, unknown>
}

test('PUT creates a topic, and again says that it is so already', async (t) => {
  const { call } = await openGateway(t)
  const spec = {
    body: JSON.stringify({ partitions: 3, config: { closed: false, retentionMs: null } }),
    headers: JSON_TYPE,
  }
  const created = await call('PUT', '/v1/topics/orders', spec)
  assert.equal(created.status, 201)
  assert.equal(created.headers.get('etag'), '"1"')
  const topic = created.json() as TopicBody
  assert.deepEqual(
    topic.partitions.map(({ partition, leader, replicas }) => [partition, leader, replicas]),
    [
      [0, '1', ['1', '2', '3']],
      [1, '1', ['1', '2', '3']],
      [2, '1', ['1', '2', '3']],
    ],
  )
  assert.equal((await call('PUT', '/v1/topics/orders', spec)).status, 200)
  assert.equal((await call('PUT', '/v1/topics/orders')).status, 200)
})

test('PUT without a body, or with curl’s content type, needs no more', async (t) => {
  const { call } = await openGateway(t)
  assert.equal((await call('PUT', '/v1/topics/a')).status, 201)
  const curl = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const answer = await call('PUT', '/v1/topics/b', { body: '{"partitions":2}', headers: curl })
  assert.equal((answer.json() as TopicBody).partitions.length, 2)
})

test('PUT of a topic that is different tells the differences', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('orders', 3)
  const problem = await refused('topic-config-differs', 'PUT', '/v1/topics/orders', {
    body: '{"partitions":4}',
    headers: JSON_TYPE,
  })
  assert.deepEqual(problem['differences'], [{ field: 'partitions', actual: 3, asked: 4 }])
})

test('bodies that do not fit are refused, each fault with its pointer', async (t) => {
  const { refused, ports } = await openGateway(t)
  const put = (code: string, body: string) =>
    refused(code, 'PUT', '/v1/topics/x', { body, headers: JSON_TYPE })
  assert.ok((await put('unknown-field', '{"partition":3}')).hint.includes("'partitions'"))
  assert.ok((await put('unknown-field', '{"config":{"retentionms":3}}')).hint.includes('retentionMs'))
  assert.deepEqual((await put('unknown-field', '{"config":{"compact":1}}'))['errors'], [
    { pointer: '/config/compact', code: 'unknown-field', detail: "There is no field 'compact' here." },
  ])
  await put('unknown-field', '{"__proto__":{"partitions":7}}')
  await put('invalid-field', '{"partitions":"3"}')
  await put('invalid-field', '{"partitions":1.5}')
  await put('invalid-field', '[]')
  await put('invalid-config', '{"partitions":0}')
  await put('invalid-config', '{"partitions":1001}')
  await put('invalid-config', '{"config":{"recordBytesMax":0}}')
  await put('invalid-field', '{"config":{"recordBytesMax":null}}')
  await put('not-enough-brokers', '{"replicationFactor":5}')
  await put('malformed-json', '{')
  await put('batch-too-large', `{"partitions":1${' '.repeat(65_536)}}`)
  await refused('unsupported-media-type', 'PUT', '/v1/topics/x', {
    body: 'partitions: 3',
    headers: { 'Content-Type': 'application/yaml' },
  })
  for (const name of ['-x', '.x', 'x%2Fy', 'x'.repeat(250), '%C3%A9'])
    await refused('invalid-parameter', 'PUT', `/v1/topics/${name}`)
  assert.equal(ports.topics.list({ prefix: '', after: '', limit: 10 }).length, 0)
})

test('GET shows a topic and a missing one is near another', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('orders', 2, { closed: true })
  const answer = await call('GET', '/v1/topics/orders')
  assert.equal((answer.json() as TopicBody).config['closed'], true)
  assert.equal((await refused('topic-not-found', 'GET', '/v1/topics/ordes'))['suggestion'], 'orders')
})

test('PATCH changes what it names, and only at the ETag that it names', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t', 2, { minInSync: 2 })
  const patch = (body: object, headers: Record<string, string> = {}) => ({
    body: JSON.stringify(body),
    headers: { ...PATCH_TYPE, ...headers },
  })
  const changed = await call(
    'PATCH',
    '/v1/topics/t',
    patch({ partitions: 4, config: { minInSync: null, closed: true } }, { 'If-Match': '"1"' }),
  )
  assert.equal(changed.headers.get('etag'), '"2"')
  const topic = changed.json() as TopicBody
  assert.deepEqual(
    [topic.partitions.length, topic.config['minInSync'], topic.config['closed']],
    [4, null, true],
  )
  await refused('etag-mismatch', 'PATCH', '/v1/topics/t', patch({}, { 'If-Match': '"1"' }))
  await refused('etag-mismatch', 'PATCH', '/v1/topics/t', patch({}, { 'If-Match': 'W/"2"' }))
  assert.equal((await call('PATCH', '/v1/topics/t', patch({}, { 'If-Match': '*' }))).status, 200)
  await refused('invalid-config', 'PATCH', '/v1/topics/t', patch({ partitions: 3 }))
  await refused('unknown-field', 'PATCH', '/v1/topics/t', patch({ replicationFactor: 2 }))
  assert.equal((await call('PATCH', '/v1/topics/t', { body: '{}', headers: JSON_TYPE })).status, 200)
  await refused('topic-not-found', 'PATCH', '/v1/topics/u', patch({}))
})

test('DELETE removes a topic, at its ETag if one is named', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  await refused('etag-mismatch', 'DELETE', '/v1/topics/t', { headers: { 'If-Match': '"9"' } })
  assert.equal((await call('DELETE', '/v1/topics/t', { headers: { 'If-Match': '"1"' } })).status, 204)
  await refused('topic-not-found', 'DELETE', '/v1/topics/t')
})

test('the list comes in pages, in the order of the names', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  for (const name of ['b', 'a1', 'a3', 'a2', 'c']) ports.topics.add(name)
  interface List {
    readonly items: { readonly name: string }[]
    readonly nextPageToken?: string
  }
  const first = (await call('GET', '/v1/topics?prefix=a&limit=2')).json() as List
  assert.deepEqual(
    first.items.map(({ name }) => name),
    ['a1', 'a2'],
  )
  const second = (
    await call('GET', `/v1/topics?prefix=a&limit=2&pageToken=${first.nextPageToken}`)
  ).json() as List
  assert.deepEqual(
    second.items.map(({ name }) => name),
    ['a3'],
  )
  assert.equal(second.nextPageToken, undefined)
  assert.equal(((await call('GET', '/v1/topics')).json() as List).items.length, 5)
  await refused('invalid-cursor', 'GET', '/v1/topics?pageToken=nonsense!')
  await refused('invalid-parameter', 'GET', '/v1/topics?limit=0')
  await refused('unknown-parameter', 'GET', '/v1/topics?perfix=a')
})

test('offsets tell both ends and what a position means', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  for (let index = 0; index < 5; index++) ports.log.put(topic, 0, [{ value: 'x' }])
  ports.log.trim(topic, 0, 2)
  const ends = { topic: 't', partition: 0, earliest: 2, latest: 5 }
  assert.deepEqual((await call('GET', '/v1/topics/t/partitions/0/offsets')).json(), ends)
  assert.deepEqual((await call('GET', '/v1/topics/t/partitions/0/offsets?at=-2')).json(), {
    ...ends,
    offset: 3,
  })
  assert.deepEqual((await call('GET', '/v1/topics/t/partitions/0/offsets?linearizable=true')).json(), ends)
  await refused('invalid-parameter', 'GET', '/v1/topics/t/partitions/0/offsets?linearizable=perhaps')
  const past = await call('GET', '/v1/topics/t/partitions/0/offsets?at=time:2020-01-01T00:00:00Z')
  assert.deepEqual(past.json(), { ...ends, offset: 2 })
  await refused('invalid-offset', 'GET', '/v1/topics/t/partitions/0/offsets?at=soon')
  await refused('partition-not-found', 'GET', '/v1/topics/t/partitions/5/offsets')
})

test('how a partition decides is shown, brokers’ ids as texts', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.log.put(ports.topics.add('t'), 0, [{ value: 'x' }])
  const answer = (await call('GET', '/v1/topics/t/partitions/0/paxos')).json() as Record<string, unknown>
  assert.deepEqual(
    [answer['leader'], answer['role'], answer['chosen'], answer['highWatermark']],
    ['1', 'leader', 1, 1],
  )
})

test('a partition’s leader is moved to another replica', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('orders', 3)
  const path = '/v1/topics/orders/partitions/1/leader'
  const moved = await call('POST', path, { body: '{"broker":"2"}', headers: JSON_TYPE })
  assert.deepEqual([moved.status, moved.json()], [202, { broker: '2' }])
  assert.deepEqual(ports.topics.moves, [{ partition: 1, to: 2 }])
  const refuse = (code: string, body: string, at = path) =>
    refused(code, 'POST', at, { body, headers: JSON_TYPE })
  await refuse('not-a-replica', '{"broker":"9"}')
  await refuse('invalid-field', '{"broker":2}')
  await refuse('invalid-field', '{}')
  await refuse('unknown-field', '{"broker":"2","force":true}')
  await refuse('partition-not-found', '{"broker":"2"}', '/v1/topics/orders/partitions/7/leader')
  assert.equal(ports.topics.moves.length, 1)
})

test('the cluster and its brokers are shown', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  assert.deepEqual((await call('GET', '/v1/cluster')).json(), {
    id: 'c0ffee',
    broker: '1',
    version: '0.0.0-test',
    brokerCount: 3,
    aliveCount: 3,
    outsiders: [],
    controller: '1',
  })
  ports.cluster.controllerId = undefined
  assert.ok(!('controller' in ((await call('GET', '/v1/cluster')).json() as object)))
  const { items } = (await call('GET', '/v1/brokers')).json() as {
    items: { id: string; diskFreeBytes?: number }[]
  }
  assert.deepEqual(
    items.map(({ id }) => id),
    ['1', '2', '3'],
  )
  assert.deepEqual((await call('GET', '/v1/brokers/2')).json(), items[1])
  await refused('not-found', 'GET', '/v1/brokers/9')
})

test('probes and metrics are answered', async (t) => {
  const { call, ports } = await openGateway(t)
  for (const path of ['/livez', '/readyz', '/startupz'])
    assert.deepEqual((await call('GET', path)).json(), { status: 'ok' })
  ports.cluster.isReady = false
  const waiting = await call('GET', '/readyz')
  assert.deepEqual(
    [waiting.status, waiting.json()],
    [503, { status: 'unavailable', reason: 'no controller was heard yet' }],
  )
  assert.equal((await call('GET', '/livez')).status, 200)
  assert.equal((await call('GET', '/metrics')).text, 'synod_up 1\n')
})

test('the document is served in both forms', async (t) => {
  const { call } = await openGateway(t)
  const json = (await call('GET', '/openapi.json')).json() as { openapi: string }
  assert.equal(json.openapi, '3.1.0')
  assert.ok((await call('GET', '/openapi.yaml')).text.startsWith('openapi: 3.1.0\n'))
})

test('an operator trims a partition, and is told where it begins', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('orders', 2)
  const state = ports.log.partition(topic, 1)
  state.highWatermark = 9
  const path = '/v1/topics/orders/partitions/1/trim'
  const trimmed = await call('POST', path, { body: '{"beforeOffset":4}', headers: JSON_TYPE })
  assert.deepEqual([trimmed.status, trimmed.json()], [200, { topic: 'orders', partition: 1, logStart: 4 }])
  const refuse = (code: string, body: string, at = path) =>
    refused(code, 'POST', at, { body, headers: JSON_TYPE })
  assert.equal((await refuse('offset-out-of-range', '{"beforeOffset":10}'))['highWatermark'], 9)
  await refuse('invalid-field', '{"beforeOffset":-1}')
  await refuse('invalid-field', '{}')
  await refuse('unknown-field', '{"beforeOffset":4,"force":true}')
  await refuse('partition-not-found', '{"beforeOffset":4}', '/v1/topics/orders/partitions/7/trim')
  assert.equal(state.logStart, 4)
})
