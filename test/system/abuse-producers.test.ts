import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { assertUnharmed } from './abuse-support.ts'
import { call, json, produce, type Answer } from './api.ts'

const TOPIC = '/v1/topics/orders'

test('Producers that repeat, skip, overtake and contradict themselves store each record once or not at all', async (t) => {
  const cluster = await startDev(t)
  const brokers = [...cluster.brokers()]
  const [first, second, third] = brokers.map((broker) => broker.url) as [string, string, string]
  assert.equal((await call(first, TOPIC, json('PUT', { partitions: 2 }))).status, 201)

  await t.test('Replays an Idempotency-Key on any broker, and refuses another body under it', () =>
    assertKeys([first, second, third]),
  )
  await t.test('Keeps the order of a producer, names its gaps, and fences an older epoch', () =>
    assertProducers([first, second, third]),
  )
  await t.test('Appends at the expected offset or not at all', () =>
    assertExpectedOffset([first, second, third]),
  )
  await t.test('Changes a topic only as the one who last saw it', () => assertIfMatch(first, second))
  await t.test('Takes nothing into a closed topic, on any broker', () => assertClosed([first, second, third]))
  await assertUnharmed(cluster, brokers)
})

type Urls = readonly [string, string, string]

function send(url: string, value: string, headers: Record<string, string>): Promise<Answer> {
  return produce(url, 'orders', value, headers)
}

async function highWatermark(url: string, partition: number): Promise<number> {
  const answer = await call(url, `${TOPIC}/partitions/${partition}/records?from=latest`)
  return answer.body['highWatermark'] as number
}

function assertProblem(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body))
  assert.equal(answer.body['code'], code)
  assert.equal(answer.body['sideEffects'], 'none')
}

async function assertKeys([first, second, third]: Urls): Promise<void> {
  const key = { 'idempotency-key': 'order-1' }
  const stored = await send(first, 'a', key)
  assert.equal(stored.status, 201)
  assert.equal(stored.headers.get('idempotency-replayed'), null)
  for (const url of [first, second, third]) {
    const replayed = await send(url, 'a', key)
    assert.equal(replayed.status, 200)
    assert.equal(replayed.headers.get('idempotency-replayed'), 'true')
    assert.deepEqual(replayed.body, { ...stored.body, duplicate: true })
    assertProblem(await send(url, 'b', key), 422, 'idempotency-key-reused')
  }
  // Twenty tries at once over all brokers are one record.
  const many = await Promise.all(
    Array.from({ length: 21 }, (_, index) =>
      send([first, second, third][index % 3] as string, 'c', { 'idempotency-key': 'order-2' }),
    ),
  )
  assert.equal(many.filter((answer) => answer.status === 201).length, 1)
  assert.equal(new Set(many.map((answer) => answer.body['offset'])).size, 1)
  for (const headers of [{ 'idempotency-key': '' }, { 'idempotency-key': 'k'.repeat(256) }])
    assertProblem(await send(first, 'd', headers), 400, 'invalid-parameter')
  const total = (await highWatermark(first, 0)) + (await highWatermark(first, 1))
  assert.equal(total, 2)
}

async function assertProducers([first, second, third]: Urls): Promise<void> {
  const as = (epoch: number, seq: number) => ({
    'producer-id': 'till-7',
    'producer-epoch': String(epoch),
    'producer-seq': String(seq),
  })
  const stored = await send(first, '0', as(5, 0))
  assert.equal(stored.status, 201)
  const gap = await send(second, '2', as(5, 2))
  assertProblem(gap, 409, 'sequence-gap')
  assert.equal(gap.headers.get('producer-expected-seq'), '1')
  const repeated = await send(third, '0', as(5, 0))
  assert.equal(repeated.status, 200)
  assert.equal(repeated.body['offset'], stored.body['offset'])
  assert.equal(repeated.body['duplicate'], true)
  assert.equal((await send(third, '1', as(5, 1))).status, 201)
  assert.equal((await send(second, '0', as(6, 0))).status, 201)
  for (const url of [first, second, third])
    assertProblem(await send(url, '2', as(5, 2)), 403, 'producer-fenced')
  const onlyId = { 'producer-id': 'till-7' }
  assertProblem(await send(first, 'x', onlyId), 400, 'invalid-parameter')
  assertProblem(await send(first, 'x', { ...as(6, 1), 'idempotency-key': 'k' }), 400, 'invalid-parameter')
  for (const seq of ['-1', '1.5', '9007199254740993', '']) {
    assertProblem(await send(first, 'x', { ...as(6, 0), 'producer-seq': seq }), 400, 'invalid-parameter')
  }
}

async function assertExpectedOffset([first, second, third]: Urls): Promise<void> {
  const append = (url: string, offset: number) =>
    call(url, `${TOPIC}/records?partition=1`, {
      method: 'POST',
      body: 'expected',
      headers: { 'content-type': 'text/plain', 'expected-offset': String(offset) },
    })
  const next = await highWatermark(first, 1)
  const wrong = await append(second, next + 1)
  assertProblem(wrong, 412, 'offset-mismatch')
  assert.equal(wrong.body['highWatermark'], next)
  // Of those who expect the same offset one wins.
  const tries = await Promise.all(
    [first, second, third, first, second, third].map((url) => append(url, next)),
  )
  assert.deepEqual(tries.map((answer) => answer.status).toSorted(), [201, 412, 412, 412, 412, 412])
  const winner = tries.find((answer) => answer.status === 201)
  assert.equal(winner?.body['offset'], next)
  assertProblem(await send(first, 'x', { 'expected-offset': '0' }), 400, 'invalid-parameter')
}

async function assertIfMatch(first: string, second: string): Promise<void> {
  const patch = (url: string, etag: string, change: unknown) =>
    call(url, TOPIC, json('PATCH', change, { 'if-match': etag }))
  const { headers } = await call(first, TOPIC)
  const etag = headers.get('etag') ?? ''
  assert.notEqual(etag, '')
  const changed = await patch(second, etag, { config: { recordBytesMax: 9_000 } })
  assert.equal(changed.status, 200)
  for (const url of [first, second]) {
    assertProblem(await patch(url, etag, { config: { recordBytesMax: 1 } }), 412, 'etag-mismatch')
    const remove = await call(url, TOPIC, { method: 'DELETE', headers: { 'if-match': etag } })
    assertProblem(remove, 412, 'etag-mismatch')
  }
  assert.ok((await patch(first, '"nonsense', { config: {} })).status >= 400)
  assertProblem(await call(first, TOPIC, json('PATCH', { partitions: 1 })), 422, 'invalid-config')
  const topic = await call(first, TOPIC)
  assert.equal((topic.body['config'] as { recordBytesMax: number }).recordBytesMax, 9_000)
}

async function assertClosed([first, second, third]: Urls): Promise<void> {
  const before = (await highWatermark(first, 0)) + (await highWatermark(first, 1))
  assert.equal((await call(first, TOPIC, json('PATCH', { config: { closed: true } }))).status, 200)
  for (const url of [first, second, third]) {
    await eventually(async () => {
      const refused = await send(url, 'late', {
        'expected-offset': '999',
        'idempotency-key': `late ${url}`.replaceAll(' ', '-'),
      })
      assertProblem(refused, 409, 'topic-closed')
    })
  }
  assert.equal((await call(second, TOPIC, json('PATCH', { config: { closed: false } }))).status, 200)
  await eventually(async () => assert.equal((await send(third, 'open', {})).status, 201))
  await eventually(async () => {
    const after = (await highWatermark(first, 0)) + (await highWatermark(first, 1))
    assert.equal(after, before + 1)
  })
}
