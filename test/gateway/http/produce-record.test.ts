import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'

import { SynodError } from '../../../src/errors.ts'
import { brokerId } from '../../../src/types/ids.ts'
import { openGateway } from '../support/open-gateway.ts'
import type { ProblemBody } from '../support/open-gateway.ts'

const FORM_TYPE = { 'Content-Type': 'application/x-www-form-urlencoded' }

test('the body is the value, and curl’s default content type counts as none', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('greetings')
  const answer = await call('POST', '/v1/topics/greetings/records', { body: 'hello', headers: FORM_TYPE })
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('synod-leader'), '1')
  const receipt = answer.json() as Record<string, unknown>
  assert.deepEqual(
    { ...receipt, timestamp: '' },
    { topic: 'greetings', partition: 0, offset: 0, timestamp: '', duplicate: false },
  )
  const draft = ports.log.appends[0]?.records[0]
  assert.equal(draft?.form, 'text')
  assert.equal(draft.contentType, undefined)
  assert.equal(Buffer.from(draft.value).toString(), 'hello')
})

test('the form is JSON only if the content type says so and the value parses', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  const json = { 'Content-Type': 'application/vnd.order+json; charset=utf-8' }
  await call('POST', '/v1/topics/t/records', { body: '{"a": 1e400}', headers: json })
  await call('POST', '/v1/topics/t/records', { body: '{"a": ', headers: json })
  await call('POST', '/v1/topics/t/records', { body: '{"a": 1}', headers: { 'Content-Type': 'text/plain' } })
  await call('POST', '/v1/topics/t/records', { body: new Uint8Array([0xff, 0x00, 0xfe]), headers: json })
  await call('POST', '/v1/topics/t/records', { body: '', headers: json })
  const forms = ports.log.appends.map(({ records }) => records[0]?.form)
  assert.deepEqual(forms, ['json', 'text', 'text', 'bytes', 'text'])
  assert.equal(ports.log.appends[0]?.records[0]?.contentType, 'application/vnd.order+json; charset=utf-8')
})

test('key, headers and time are kept, also beyond ASCII', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const headers = {
    'Record-Header-Trace': 'abc',
    'Record-Header-Name': Buffer.from('Żółć').toString('latin1'),
    'Record-Timestamp': '2026-01-31T12:00:00.5+01:00',
  }
  const answer = await call('POST', '/v1/topics/t/records?key=%E2%82%AC+1', { body: 'x', headers })
  assert.equal((answer.json() as { timestamp: string }).timestamp, '2026-01-31T11:00:00.500Z')
  const draft = ports.log.appends[0]?.records[0]
  assert.equal(draft?.key, '€ 1')
  assert.deepEqual(
    new Map(draft.headers),
    new Map([
      ['name', 'Żółć'],
      ['trace', 'abc'],
    ]),
  )
  await refused('invalid-parameter', 'POST', '/v1/topics/t/records', {
    body: 'x',
    headers: { 'Record-Timestamp': '2026-02-30T00:00:00Z' },
  })
  // What a record is read with: it would be lost in silence.
  const withKey = { body: 'x', headers: { 'Record-Key': 'ada' } }
  const problem = await refused('invalid-parameter', 'POST', '/v1/topics/t/records', withKey)
  assert.match(String(problem['hint']), /\?key=/)
})

test('the partition is the named one, else the key’s, else the idempotency fields’, else the turn’s', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 6)
  const produce = (query: string, headers: Record<string, string> = {}) =>
    call('POST', `/v1/topics/t/records${query}`, { body: 'x', headers })
  await produce('?partition=4&key=a')
  await produce('?key=%C3%A9')
  await produce('', { 'Idempotency-Key': 'order-17' })
  await produce('', { 'Producer-Id': 'till-3', 'Producer-Epoch': '0', 'Producer-Seq': '0' })
  for (let turn = 0; turn < 6; turn++) await produce('')
  const partitions = ports.log.appends.map(({ partition }) => partition)
  assert.deepEqual(partitions.slice(0, 4), [4, crc32('é') % 6, crc32('order-17') % 6, crc32('till-3') % 6])
  assert.deepEqual(new Set(partitions.slice(4)), new Set([0, 1, 2, 3, 4, 5]))
})

test('a missing topic is refused with the command that creates it', async (t) => {
  const { refused, ports, url } = await openGateway(t)
  const none = await refused('topic-not-found', 'POST', '/v1/topics/orders/records', { body: 'x' })
  assert.ok(none.hint.includes(`curl -X PUT ${url}/v1/topics/orders`))
  ports.topics.add('orders')
  const near = await refused('topic-not-found', 'POST', '/v1/topics/order/records', { body: 'x' })
  assert.ok(near.hint.includes("Did you mean 'orders'?"))
  assert.equal(ports.log.appends.length, 0)
})

test('where topics are created on first use, requests that come together create one', async (t) => {
  const { call, refused, ports } = await openGateway(t, { autoCreateTopics: true })
  const answers = await Promise.all(
    [1, 2, 3, 4].map(() => call('POST', '/v1/topics/fresh/records', { body: 'x' })),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201, 201, 201],
  )
  assert.ok(ports.topics.createCount >= 1)
  assert.equal(ports.topics.list({ prefix: '', after: '', limit: 10 }).length, 1)
  await refused('invalid-parameter', 'POST', '/v1/topics/-bad/records', { body: 'x' })
})

test('an idempotency key replays the first receipt and refuses another request', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t', 3)
  const headers = { 'Idempotency-Key': 'k-1' }
  const first = await call('POST', '/v1/topics/t/records', { body: 'x', headers })
  const again = await call('POST', '/v1/topics/t/records', { body: 'x', headers })
  assert.equal(first.status, 201)
  assert.equal(first.headers.get('idempotency-replayed'), null)
  assert.equal(again.status, 200)
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  assert.deepEqual(again.json(), { ...(first.json() as object), duplicate: true })
  await refused('idempotency-key-reused', 'POST', '/v1/topics/t/records', { body: 'y', headers })
  await refused('idempotency-key-reused', 'POST', '/v1/topics/t/records', {
    body: 'x',
    headers: { ...headers, 'Record-Header-A': 'b' },
  })
})

test('a producer’s sequence is kept: duplicates, gaps and older epochs are told', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const send = (epoch: number, seq: number) => ({
    body: 'x',
    headers: { 'Producer-Id': 'p', 'Producer-Epoch': String(epoch), 'Producer-Seq': String(seq) },
  })
  await call('POST', '/v1/topics/t/records', send(5, 0))
  const duplicate = await call('POST', '/v1/topics/t/records', send(5, 0))
  assert.equal(duplicate.status, 200)
  assert.equal(duplicate.headers.get('idempotency-replayed'), null)
  const gap = await call('POST', '/v1/topics/t/records', send(5, 3))
  assert.equal(gap.status, 409)
  assert.equal(gap.headers.get('producer-expected-seq'), '1')
  await refused('producer-fenced', 'POST', '/v1/topics/t/records', send(4, 0))
})

test('a duplicate whose place is forgotten has no offset in its receipt', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  ports.log.append = () =>
    Promise.resolve({
      baseOffset: undefined,
      recordCount: 1,
      appendedAtMs: 0,
      duplicate: true,
      leader: brokerId(2),
    })
  const headers = { 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': '0' }
  const answer = await call('POST', '/v1/topics/t/records', { body: 'x', headers })
  assert.equal(answer.status, 200)
  assert.ok(!('offset' in (answer.json() as object)))
})

test('idempotency fields that do not fit together are refused before anything is stored', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const all = { 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': '0' }
  const sets: Record<string, string>[] = [
    { 'Producer-Id': 'p' },
    { 'Producer-Id': 'p', 'Producer-Seq': '0' },
    { ...all, 'Idempotency-Key': 'k' },
    { ...all, 'Producer-Seq': '-1' },
    { ...all, 'Producer-Seq': '9007199254740993' },
    { ...all, 'Producer-Id': 'x'.repeat(65) },
    { 'Idempotency-Key': 'two words' },
    { 'Idempotency-Key': 'k'.repeat(256) },
    { 'Expected-Offset': 'x' },
  ]
  for (const headers of sets)
    await refused('invalid-parameter', 'POST', '/v1/topics/t/records', { body: 'x', headers })
  assert.equal(ports.log.appends.length, 0)
})

test('Expected-Offset appends at that place only, and needs one partition', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('one')
  ports.topics.add('many', 4)
  const headers = { 'Expected-Offset': '0' }
  assert.equal((await call('POST', '/v1/topics/one/records', { body: 'x', headers })).status, 201)
  const late = await refused('offset-mismatch', 'POST', '/v1/topics/one/records', { body: 'x', headers })
  assert.equal(late['highWatermark'], 1)
  await refused('invalid-parameter', 'POST', '/v1/topics/many/records', { body: 'x', headers })
  assert.equal(
    (await call('POST', '/v1/topics/many/records?partition=2', { body: 'x', headers })).status,
    201,
  )
})

test('acks reach the log and other words are refused', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  await call('POST', '/v1/topics/t/records?acks=all', { body: 'x' })
  await call('POST', '/v1/topics/t/records', { body: 'x' })
  assert.deepEqual(
    ports.log.appends.map(({ acks }) => acks),
    ['all', 'majority'],
  )
  await refused('invalid-parameter', 'POST', '/v1/topics/t/records?acks=0', { body: 'x' })
  const typo = await refused('unknown-parameter', 'POST', '/v1/topics/t/records?ack=all', { body: 'x' })
  assert.ok(typo.hint.includes('acks'))
  await refused('partition-not-found', 'POST', '/v1/topics/t/records?partition=1', { body: 'x' })
  await refused('invalid-parameter', 'POST', '/v1/topics/t/records?partition=-1', { body: 'x' })
})

test('a record that is larger than its topic allows is refused, key and headers counted', async (t) => {
  const { call, refused, ports } = await openGateway(t, { recordBytesMax: 2_000 })
  ports.topics.add('t', 1, { recordBytesMax: 100 })
  ports.topics.add('wide', 1)
  assert.equal((await call('POST', '/v1/topics/t/records', { body: 'x'.repeat(100) })).status, 201)
  await refused('record-too-large', 'POST', '/v1/topics/t/records?key=k', { body: 'x'.repeat(100) })
  assert.equal((await call('POST', '/v1/topics/wide/records', { body: 'x'.repeat(2_000) })).status, 201)
  await refused('record-too-large', 'POST', '/v1/topics/wide/records', { body: 'x'.repeat(2_001) })
  await refused('invalid-parameter', 'POST', `/v1/topics/wide/records?key=${'k'.repeat(4_097)}`, {
    body: 'x',
  })
})

test('what the log says is told as it is, with when to try again', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  ports.log.beforeAppend = () => {
    throw new SynodError('no-leader', 'Partition 0 has no leader.', { retryAfterMs: 1_500 })
  }
  const answer = await call('POST', '/v1/topics/t/records', { body: 'x' })
  assert.equal(answer.headers.get('retry-after'), '2')
  ports.log.beforeAppend = () => {
    throw new SynodError('outcome-unknown', 'Partition 0 did not answer.')
  }
  const unknown = await refused('outcome-unknown', 'POST', '/v1/topics/t/records', { body: 'x' })
  assert.deepEqual([unknown.retryable, unknown.sideEffects], [false, 'possible'])
  const safe = await refused('outcome-unknown', 'POST', '/v1/topics/t/records', {
    body: 'x',
    headers: { 'Idempotency-Key': 'k' },
  })
  assert.equal(safe.retryable, true)
})

test('a log that never answers ends in an unknown outcome', async (t) => {
  const { refused, ports } = await openGateway(t, { produceTimeoutMs: -900 })
  ports.topics.add('t')
  ports.log.beforeAppend = () => new Promise(() => undefined)
  const problem: ProblemBody = await refused('outcome-unknown', 'POST', '/v1/topics/t/records', { body: 'x' })
  assert.equal(problem.sideEffects, 'possible')
})

test('an error from the inside is logged and told without a word about the inside', async (t) => {
  const { refused, ports, logged } = await openGateway(t)
  ports.topics.add('t')
  ports.log.beforeAppend = () => {
    throw new TypeError('secret of the inside')
  }
  const problem = await refused('internal', 'POST', '/v1/topics/t/records', { body: 'x' })
  assert.ok(!JSON.stringify(problem).includes('secret'))
  assert.equal(logged[0]?.['requestId'], problem.requestId)
})
