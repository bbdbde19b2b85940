import assert from 'node:assert/strict'
import { test } from 'node:test'

import { brokerId } from '../../../src/types/ids.ts'
import { openGateway } from '../support/open-gateway.ts'

const READS = [
  '/v1/topics/t/partitions/0/records',
  '/v1/topics/t/partitions/0/records/0',
  '/v1/topics/t/records',
  '/v1/topics/t/stream',
  '/v1/topics/t/events',
]

test('a reader that wants it is sent to the broker that leads all it reads, with its whole query', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t', 2)
  ports.log.put(topic, 0, [{ value: 'a' }])
  for (const partition of [0, 1]) ports.log.leaders.set(partition, brokerId(2))
  for (const path of READS) {
    const query = path.endsWith('/0') ? '?redirect=true' : '?from=0@0&redirect=true&consistency=leader'
    const answer = await call('GET', `${path}${query}`)
    assert.deepEqual([answer.status, answer.text], [307, ''], path)
    assert.equal(answer.headers.get('location'), `http://127.0.0.1:8081${path}${query}`)
  }
})

test('what no other broker leads as a whole is answered here', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t', 2)
  ports.log.put(topic, 0, [{ value: 'a' }])
  const status = async (path: string) => (await call('GET', `${path}?redirect=true`)).status
  assert.equal(await status('/v1/topics/t/partitions/0/records'), 200, 'This broker leads.')
  ports.log.leaders.set(0, brokerId(2))
  assert.equal(await status('/v1/topics/t/partitions/0/records'), 307)
  assert.equal(await status('/v1/topics/t/records'), 200, 'Two brokers lead.')
  ports.log.leaders.set(0, undefined)
  assert.equal(await status('/v1/topics/t/partitions/0/records'), 200, 'Nobody leads.')
  ports.log.leaders.set(0, brokerId(9))
  assert.equal(await status('/v1/topics/t/partitions/0/records'), 200, 'Nobody knows where the leader is.')
  await refused('invalid-parameter', 'GET', '/v1/topics/t/records?redirect=yes')
})

test('a producer is sent to the broker that leads where its records go, if that is one', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 2)
  ports.log.leaders.set(0, brokerId(2))
  const status = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await call('POST', path, { body: Buffer.from(body), headers })
    if (answer.status === 307)
      assert.equal(answer.headers.get('location'), `http://127.0.0.1:8081${path}`, path)
    return answer.status
  }
  const [to0, to1] = ['partition=0', 'partition=1'].map(
    (query) => `/v1/topics/t/records?${query}&redirect=true`,
  )
  assert.deepEqual([await status(to0!, 'a'), await status(to1!, 'a')], [307, 201])
  assert.equal(
    await status('/v1/topics/t/records?redirect=true', 'a'),
    201,
    'A turn may lead to any partition.',
  )
  const batches = '/v1/topics/t/batches?redirect=true'
  const ingest = '/v1/topics/t/ingest?redirect=true'
  assert.equal(await status(batches, '{"records":[{"partition":0},{"partition":0}]}'), 307)
  assert.equal(await status(batches, '{"records":[{"partition":0},{"partition":1}]}'), 201)
  assert.equal(await status(batches, '{"records":[{"partition":0},{"text":"a"}]}'), 201)
  assert.equal(await status(ingest, '{}\n'), 200, 'Two brokers lead, and nobody knows where lines go.')
  ports.log.leaders.set(1, brokerId(2))
  const before = ports.log.appends.length
  assert.equal(
    await status('/v1/topics/t/records?acks=all&redirect=true', 'a', { 'Idempotency-Key': 'k' }),
    307,
  )
  assert.equal(await status(batches, '{"records":[{"text":"a"}]}'), 307)
  assert.equal(await status(ingest, '{}\n'), 307)
  assert.equal(ports.log.appends.length, before)
})

test('who asks for the ends of a partition is sent to its leader, too', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 1)
  const path = '/v1/topics/t/partitions/0/offsets?at=earliest&redirect=true'
  assert.equal((await call('GET', path)).status, 200)
  ports.log.leaders.set(0, brokerId(2))
  const answer = await call('GET', path)
  assert.deepEqual([answer.status, answer.text], [307, ''])
  assert.equal(answer.headers.get('location'), `http://127.0.0.1:8081${path}`)
})
