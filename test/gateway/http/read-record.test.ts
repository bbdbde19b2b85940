import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openGateway } from '../support/open-gateway.ts'

test('a value comes back as it was sent, with its type, key, time and headers', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  const bytes = Buffer.from([0, 1, 2, 0xff, 0x0d, 0x0a])
  await call('POST', '/v1/topics/t/records?key=%C3%A9%20/', {
    body: bytes,
    headers: {
      'Content-Type': 'image/png',
      'Record-Header-Trace': 'abc',
      'Record-Timestamp': '2026-01-31T12:00:00Z',
    },
  })
  const answer = await call('GET', '/v1/topics/t/partitions/0/records/0')
  assert.deepEqual(answer.bytes, bytes)
  assert.equal(answer.headers.get('content-type'), 'image/png')
  assert.equal(decodeURIComponent(answer.headers.get('record-key') ?? ''), 'é /')
  assert.equal(answer.headers.get('record-timestamp'), '2026-01-31T12:00:00.000Z')
  assert.equal(answer.headers.get('record-header-trace'), 'abc')
  assert.deepEqual([answer.headers.get('record-offset'), answer.headers.get('record-partition')], ['0', '0'])
})

test('a value that is a page does not run in the broker’s origin', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  await call('POST', '/v1/topics/t/records', {
    body: '<script>alert(1)</script>',
    headers: { 'Content-Type': 'text/html' },
  })
  const answer = await call('GET', '/v1/topics/t/partitions/0/records/0')
  assert.ok(answer.headers.get('content-security-policy')?.includes('sandbox'))
})

test('without a named type the form gives one, and a tombstone has no body', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [
    { value: '{}', form: 'json' },
    { value: 'x' },
    { value: new Uint8Array([255]), form: 'bytes' },
    { value: '', form: 'tombstone', key: 'k' },
  ])
  const types: (string | null)[] = []
  for (let offset = 0; offset < 3; offset++)
    types.push((await call('GET', `/v1/topics/t/partitions/0/records/${offset}`)).headers.get('content-type'))
  assert.deepEqual(types, ['application/json', 'text/plain; charset=utf-8', 'application/octet-stream'])
  const tombstone = await call('GET', '/v1/topics/t/partitions/0/records/3')
  assert.deepEqual([tombstone.status, tombstone.headers.get('record-key')], [204, 'k'])
})

test('HEAD answers the headers of GET alone', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.log.put(ports.topics.add('t'), 0, [{ value: 'hello' }])
  const answer = await call('HEAD', '/v1/topics/t/partitions/0/records/0')
  assert.deepEqual([answer.status, answer.headers.get('content-length'), answer.text], [200, '5', ''])
})

test('an offset that is not there yet, not any more or no offset is refused', async (t) => {
  const { refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'a' }])
  ports.log.put(topic, 0, [{ value: 'b' }])
  ports.log.trim(topic, 0, 1)
  const ahead = await refused('offset-out-of-range', 'GET', '/v1/topics/t/partitions/0/records/2')
  assert.equal(ahead['highWatermark'], 2)
  assert.equal((await refused('offset-trimmed', 'GET', '/v1/topics/t/partitions/0/records/0'))['logStart'], 1)
  await refused('invalid-parameter', 'GET', '/v1/topics/t/partitions/0/records/first')
  await refused('invalid-parameter', 'GET', '/v1/topics/t/partitions/0/records/99999999999999999')
})

test('a value never changes: it has an ETag, and who holds it gets 304', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'a' }, { value: 'b' }])
  const first = await call('GET', '/v1/topics/t/partitions/0/records/0')
  const etag = first.headers.get('etag') ?? ''
  assert.equal(first.headers.get('cache-control'), 'max-age=31536000, immutable')
  const headers = { 'If-None-Match': etag }
  const held = await call('GET', '/v1/topics/t/partitions/0/records/0', { headers })
  assert.deepEqual([held.status, held.text], [304, ''])
  assert.equal((await call('GET', '/v1/topics/t/partitions/0/records/1', { headers })).status, 200)
})
