import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SynodError } from '../../../src/errors.ts'
import { openGateway } from '../support/open-gateway.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const body = (records: readonly object[]) => JSON.stringify({ records })

interface Result {
  readonly partition?: number
  readonly offset?: number
  readonly problem?: { readonly code: string }
}

test('receipts come in the order of the request, and each partition’s part is one append', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 3)
  const records = [
    { partition: 2, text: 'a' },
    { partition: 0, text: 'b' },
    { partition: 2, text: 'c' },
  ]
  const answer = await call('POST', '/v1/topics/t/batches', { body: body(records), headers: JSON_TYPE })
  assert.equal(answer.status, 201)
  const { results } = answer.json() as { results: Result[] }
  assert.deepEqual(
    results.map(({ partition, offset }) => [partition, offset]),
    [
      [2, 0],
      [0, 0],
      [2, 1],
    ],
  )
  assert.deepEqual(
    ports.log.appends.map(({ partition, records: drafts }) => [partition, drafts.length]),
    [
      [2, 2],
      [0, 1],
    ],
  )
})

test('a value read back as a page and alone has the bytes that were sent', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  const value = '{ "big": 12345678901234567890, "b":1.10, "b":2 }'
  await call('POST', '/v1/topics/t/batches', { body: `{"records":[{"value":${value}}]}`, headers: JSON_TYPE })
  const alone = await call('GET', '/v1/topics/t/partitions/0/records/0')
  assert.equal(alone.text, value)
  assert.equal(alone.headers.get('content-type'), 'application/json')
  const page = await call('GET', '/v1/topics/t/partitions/0/records')
  assert.ok(page.text.includes(`"value":${value}`))
})

test('records without a key share one turn, and a key in between goes its own way', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 50)
  await call('POST', '/v1/topics/t/batches', {
    body: body([{ text: 'a' }, { text: 'b' }, { text: 'c', key: 'x' }]),
    headers: JSON_TYPE,
  })
  assert.equal(ports.log.appends[0]?.records.length, 2)
})

test('if some partitions fail, the answer is partial-append with a receipt or a problem for each record', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t', 3)
  ports.log.beforeAppend = ({ partition }) => {
    if (partition === 1) throw new SynodError('no-leader', 'Partition 1 has no leader.')
    if (partition === 2) throw new SynodError('topic-closed', 'Closed.')
  }
  const records = [
    { partition: 1, text: 'a' },
    { partition: 0, text: 'b' },
    { partition: 2, text: 'c' },
    { partition: 1 },
  ]
  const answer = await call('POST', '/v1/topics/t/batches', { body: body(records), headers: JSON_TYPE })
  const problem = answer.json() as {
    code: string
    results: Result[]
    sideEffects: string
    retryable: boolean
  }
  assert.equal(answer.status, 503)
  assert.equal(problem.code, 'partial-append')
  assert.deepEqual([problem.sideEffects, problem.retryable], ['possible', false])
  assert.deepEqual(
    problem.results.map((result) => result.problem?.code ?? result.offset),
    ['no-leader', 0, 'topic-closed', 'no-leader'],
  )
  ports.log.beforeAppend = ({ partition }) => {
    if (partition === 1) throw new SynodError('outcome-unknown', 'Unknown.')
    if (partition === 2) throw new SynodError('no-leader', 'No leader.')
  }
  const graver = await call('POST', '/v1/topics/t/batches', {
    body: body(records),
    headers: { ...JSON_TYPE, 'Idempotency-Key': 'k' },
  })
  assert.equal(graver.status, 504)
  assert.equal((graver.json() as { retryable: boolean }).retryable, true)
})

test('if all partitions fail, the answer is the gravest failure itself', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('t', 2)
  ports.log.beforeAppend = ({ partition }) => {
    throw new SynodError(partition === 0 ? 'topic-closed' : 'no-quorum', `Partition ${partition} fails.`)
  }
  const both = body([{ partition: 0 }, { partition: 1 }])
  const problem = await refused('no-quorum', 'POST', '/v1/topics/t/batches', {
    body: both,
    headers: JSON_TYPE,
  })
  assert.equal((problem['results'] as Result[]).length, 2)
  assert.equal(problem.sideEffects, 'none')
  const alone = await refused('topic-closed', 'POST', '/v1/topics/t/batches', {
    body: body([{ partition: 0 }]),
    headers: JSON_TYPE,
  })
  assert.equal(alone['results'], undefined)
})

test('a replayed batch is answered 200 with the first receipts', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t', 4)
  const headers = { ...JSON_TYPE, 'Idempotency-Key': 'k' }
  const records = body([
    { partition: 0, text: 'a' },
    { partition: 1, text: 'b' },
  ])
  const first = await call('POST', '/v1/topics/t/batches', { body: records, headers })
  const again = await call('POST', '/v1/topics/t/batches', { body: records, headers })
  assert.deepEqual([first.status, again.status], [201, 200])
  assert.equal(again.headers.get('idempotency-replayed'), 'true')
  await refused('idempotency-key-reused', 'POST', '/v1/topics/t/batches', {
    body: body([{ partition: 0, text: 'z' }]),
    headers,
  })
})

test('what is about one partition is refused for several', async (t) => {
  const { refused, call, ports } = await openGateway(t)
  ports.topics.add('t', 2)
  const both = body([{ partition: 0 }, { partition: 1 }])
  const producer = { 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': '0' }
  await refused('invalid-parameter', 'POST', '/v1/topics/t/batches', {
    body: both,
    headers: { ...JSON_TYPE, ...producer },
  })
  await refused('invalid-parameter', 'POST', '/v1/topics/t/batches', {
    body: both,
    headers: { ...JSON_TYPE, 'Expected-Offset': '0' },
  })
  await refused('partition-not-found', 'POST', '/v1/topics/t/batches', {
    body: body([{ partition: 2 }]),
    headers: JSON_TYPE,
  })
  assert.equal(ports.log.appends.length, 0)
  const one = await call('POST', '/v1/topics/t/batches', {
    body: body([{}, {}]),
    headers: { ...JSON_TYPE, ...producer },
  })
  assert.equal(one.status, 201)
})

test('the body is JSON: another type is refused, none and curl’s own are taken for it', async (t) => {
  const { refused, call, ports } = await openGateway(t)
  ports.topics.add('t')
  const records = body([{ text: 'a' }])
  await refused('unsupported-media-type', 'POST', '/v1/topics/t/batches', {
    body: records,
    headers: { 'Content-Type': 'text/csv' },
  })
  const curl = { 'Content-Type': 'application/x-www-form-urlencoded' }
  assert.equal((await call('POST', '/v1/topics/t/batches', { body: records, headers: curl })).status, 201)
  assert.equal((await call('POST', '/v1/topics/t/batches', { body: Buffer.from(records) })).status, 201)
  await refused('malformed-json', 'POST', '/v1/topics/t/batches', { body: '{', headers: JSON_TYPE })
})

test('a record too large names its place, and a body too large is refused whole', async (t) => {
  const { refused, ports } = await openGateway(t, { requestBytesMax: 10_000 })
  ports.topics.add('t', 1, { recordBytesMax: 10 })
  const large = await refused('record-too-large', 'POST', '/v1/topics/t/batches', {
    body: body([{ text: 'a' }, { text: 'x'.repeat(11) }]),
    headers: JSON_TYPE,
  })
  assert.ok(large.detail.includes('/records/1'))
  await refused('batch-too-large', 'POST', '/v1/topics/t/batches', {
    body: 'x'.repeat(10_001),
    headers: JSON_TYPE,
  })
})

test('a batch is recognised by its producer’s numbers, which count its records, and waits for all if asked', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const send = (seq: number, count: number) => ({
    body: body(Array.from({ length: count }, () => ({ text: 'a' }))),
    headers: { ...JSON_TYPE, 'Producer-Id': 'p', 'Producer-Epoch': '0', 'Producer-Seq': String(seq) },
  })
  const path = '/v1/topics/t/batches?acks=all'
  const first = await call('POST', path, send(0, 3))
  const again = await call('POST', path, send(0, 3))
  assert.deepEqual([first.status, again.status], [201, 200])
  const offsets = (answer: typeof first) =>
    (answer.json() as { results: Result[] }).results.map(({ offset }) => offset)
  assert.deepEqual(offsets(again), offsets(first))
  assert.equal((await call('POST', path, send(3, 2))).status, 201)
  assert.equal((await refused('sequence-gap', 'POST', path, send(7, 1)))['expectedSeq'], 5)
  assert.ok(ports.log.appends.every(({ acks }) => acks === 'all'))
})

test('a batch that expects another offset is refused with the actual one', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const send = { body: body([{ text: 'a' }, {}]), headers: { ...JSON_TYPE, 'Expected-Offset': '0' } }
  assert.equal((await call('POST', '/v1/topics/t/batches', send)).status, 201)
  const late = await refused('offset-mismatch', 'POST', '/v1/topics/t/batches', send)
  assert.equal(late['highWatermark'], 2)
  assert.deepEqual(
    ports.log.appends[0]?.records.map(({ form }) => form),
    ['text', 'tombstone'],
  )
})
