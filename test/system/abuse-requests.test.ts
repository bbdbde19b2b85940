import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { launchBroker } from '../support/served-broker.ts'
import { tempDir } from '../support/temp-dir.ts'
import { assertUnharmed, exchange, footprintsOf } from './abuse-support.ts'
import { call, json, produce, type Answer } from './api.ts'

const TOPIC = '/v1/topics/kept'
const PAGE = `${TOPIC}/partitions/0/records`
const HEAD = 'Host: x\r\n'

type Refusal = readonly [what: string, status: number, code: string, path: string, init?: RequestInit]

type Body = NonNullable<RequestInit['body']>

const text = (body: Body, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'text/plain', ...headers },
})
const jsonText = (method: string, body: Body): RequestInit => ({
  method,
  body,
  headers: { 'content-type': 'application/json' },
})

/** Each is refused, says so, and changes nothing. */
const REFUSALS: readonly Refusal[] = [
  ['a topic that is not there', 404, 'topic-not-found', '/v1/topics/nowhere'],
  ['a method that is not there', 405, 'method-not-allowed', `${TOPIC}/records`, { method: 'DELETE' }],
  ['a path that is not there', 404, 'not-found', '/v1/topics/kept/nothing/here'],
  ['JSON that breaks off', 400, 'malformed-json', TOPIC, jsonText('PUT', '{"partitions":')],
  ['JSON that nests without end', 400, 'malformed-json', TOPIC, jsonText('PUT', '['.repeat(30_000))],
  [
    'JSON that is not UTF-8',
    400,
    'malformed-json',
    `${TOPIC}/batches`,
    jsonText('POST', Buffer.of(0x22, 0xff, 0x22)),
  ],
  ['an unknown field', 400, 'unknown-field', TOPIC, json('PUT', { partition: 3 })],
  ['__proto__ as a field', 400, 'unknown-field', TOPIC, jsonText('PUT', '{"__proto__":{"partitions":3}}')],
  [
    '__proto__ as a setting',
    400,
    'unknown-field',
    TOPIC,
    jsonText('PUT', '{"config":{"__proto__":{"closed":true}}}'),
  ],
  [
    '__proto__ in a record',
    400,
    'unknown-field',
    `${TOPIC}/batches`,
    jsonText('POST', '{"records":[{"text":"a","__proto__":{"key":"k"}}]}'),
  ],
  ['__proto__ as a topic', 400, 'invalid-parameter', '/v1/topics/__proto__/records', text('x')],
  ['a topic outside of its folder', 400, 'invalid-parameter', '/v1/topics/..%2f..%2fetc/records', text('x')],
  ['a topic with a null byte', 400, 'invalid-parameter', '/v1/topics/a%00b/records', text('x')],
  ['a topic that is not UTF-8', 400, 'malformed-request', '/v1/topics/%ff%fe/records', text('x')],
  ['a key that is not UTF-8', 400, 'invalid-parameter', `${TOPIC}/records?key=%ff`, text('x')],
  [
    'a lone surrogate as text',
    400,
    'invalid-field',
    `${TOPIC}/batches`,
    jsonText('POST', '{"records":[{"text":"\\ud800"}]}'),
  ],
  ['an unknown parameter', 400, 'unknown-parameter', `${TOPIC}/records?kee=a`, text('x')],
  ['a parameter given twice', 400, 'invalid-parameter', `${TOPIC}/records?key=a&key=b`, text('x')],
  ['a record of 2 MiB', 413, 'record-too-large', `${TOPIC}/records`, text('x'.repeat(2 * 1024 * 1024))],
  [
    'a batch of 1,001 records',
    413,
    'batch-too-large',
    `${TOPIC}/batches`,
    json('POST', { records: Array.from({ length: 1_001 }, () => ({ text: 'a' })) }),
  ],
  ['a batch of nothing', 400, 'invalid-field', `${TOPIC}/batches`, json('POST', { records: [] })],
  ['a partition that is not there', 404, 'partition-not-found', `${TOPIC}/records?partition=7`, text('x')],
  ['an offset that is none', 400, 'invalid-offset', `${PAGE}?from=1e3`],
  ['an offset beyond 2^53', 400, 'invalid-offset', `${PAGE}?from=9007199254740993`],
  ['an offset beyond the end', 416, 'offset-out-of-range', `${PAGE}?from=99999`],
  ['a page of no record', 400, 'invalid-parameter', `${PAGE}?limit=0`],
  ['a plain GET of a WebSocket', 426, 'upgrade-required', `${TOPIC}/subscribe`],
  [
    'headers without end',
    431,
    'headers-too-large',
    '/v1/topics',
    { headers: Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`x${index}`, '1'])) },
  ],
]

/** Bytes that are no request, or hardly one; the answer's status, or none when the connection just ends. */
const BROKEN: readonly (readonly [what: string, bytes: string | Uint8Array, status: number | undefined])[] = [
  ['bytes of TLS', Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3), 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a version to come', `GET /v1/topics HTTP/3.0\r\n${HEAD}\r\n`, 400],
  ['a method of nobody', `BREW /v1/topics HTTP/1.1\r\n${HEAD}\r\n`, 400],
  ['a header line of 20 kB', `GET /v1/topics HTTP/1.1\r\n${HEAD}X: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['5,000 header lines', `GET /v1/topics HTTP/1.1\r\n${HEAD}${'X: 1\r\n'.repeat(5_000)}\r\n`, 431],
  ['no Host', 'GET /v1/topics HTTP/1.1\r\n\r\n', 400],
  ['a null byte in a header', `GET /v1/topics HTTP/1.1\r\n${HEAD}X: a\0b\r\n\r\n`, 400],
  [
    'two lengths',
    `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
    400,
  ],
  [
    'a length and chunks',
    `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['a length below zero', `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Content-Length: -1\r\n\r\n`, 400],
  [
    'a chunk of no size',
    `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`,
    400,
  ],
  [
    'a WebSocket where there is none',
    `GET /readyz HTTP/1.1\r\n${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    404,
  ],
  ['a tunnel', `CONNECT x:80 HTTP/1.1\r\n${HEAD}\r\n`, undefined],
]

test('A cluster takes what clients should not send, stores only what it acknowledged, and stays well', async (t) => {
  const cluster = await startDev(t)
  const brokers = [...cluster.brokers()]
  const { url } = brokers[0]!
  assert.equal((await call(url, TOPIC, json('PUT', {}))).status, 201)
  assert.equal((await produce(url, 'kept', 'first')).status, 201)
  t.diagnostic(`before: ${footprintsOf(brokers)}`)

  await t.test('Refuses each wrong request with its code, on every broker', async () => {
    for (const broker of brokers) for (const refusal of REFUSALS) await assertRefused(broker.url, refusal)
  })
  await t.test('Says what else could be done', async () => {
    const wrongMethod = await call(url, `${TOPIC}/records`, { method: 'DELETE' })
    assert.equal(wrongMethod.headers.get('allow'), 'POST, GET, HEAD, OPTIONS')
    const plain = await call(url, `${TOPIC}/subscribe`)
    assert.match(
      String(plain.body['hint']),
      /^wscat -c 'ws:\/\/127\.0\.0\.1:\d+\/v1\/topics\/kept\/subscribe/,
    )
  })
  await t.test('Answers bytes that are no request with a problem, and ends the connection', async () => {
    for (const [what, bytes, status] of BROKEN) await assertBroken(url, what, bytes, status)
  })
  await t.test('Answers HTTP/0.9 and 1.0 and closes', async () => {
    for (const line of ['GET /readyz', 'GET /readyz HTTP/1.0'])
      assert.match(await exchange(url, `${line}\r\n\r\n`), /^HTTP\/1\.1 200 OK\r\n/, line)
  })
  await t.test('Gives up requests that do not end', () => assertSlowAreRefused(url))
  await t.test('Keeps names of JavaScript apart from its own', () => assertOddNames(url))
  await t.test('Answers a produce as what it became, whatever follows it on the connection', () =>
    assertPipelined(url),
  )
  await t.test('Stored nothing that it refused', () => assertStoredValues(cluster, ['first', 'piped']))
  t.diagnostic(`after: ${footprintsOf(brokers)}`)
  await assertUnharmed(cluster, brokers)
})

test('A broker that does not create topics by itself says how to create one, and stores nothing', async (t) => {
  const broker = await launchBroker(tempDir(t))
  try {
    const refused = await produce(broker.url, 'nowhere', 'x')
    assert.equal(refused.status, 404)
    assert.equal(refused.body['code'], 'topic-not-found')
    assert.match(String(refused.body['hint']), /curl -X PUT http:\/\/127\.0\.0\.1:\d+\/v1\/topics\/nowhere/)
    assert.deepEqual((await call(broker.url, '/v1/topics')).body, { items: [] })
    assert.equal((await call(broker.url, '/v1/topics/nowhere', { method: 'PUT' })).status, 201)
    assert.equal((await produce(broker.url, 'nowhere', 'x')).body['offset'], 0)
  } finally {
    assert.equal((await broker.stop()).code, 0)
  }
})

async function assertRefused(url: string, [what, status, code, path, init]: Refusal): Promise<void> {
  const answer: Answer = await call(url, path, init)
  assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`)
  assert.equal(answer.body['code'], code, what)
  assert.equal(answer.body['sideEffects'], 'none', what)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', what)
  assert.ok(answer.headers.get('request-id'), what)
}

async function assertBroken(
  url: string,
  what: string,
  bytes: string | Uint8Array,
  status: number | undefined,
): Promise<void> {
  // What stays open after its answer is ended here, by the answer's last byte.
  const answer = await exchange(url, bytes, (received) => received.endsWith('}'))
  if (status === undefined) return assert.equal(answer, '', what)
  assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what)
  assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/i, what)
  assert.match(answer, /\r\nRequest-Id: \S+\r\n/i, what)
}

/** All at once, because each takes the five seconds that the broker grants. */
async function assertSlowAreRefused(url: string): Promise<void> {
  const [headers, body, chunks] = await Promise.all([
    exchange(url, `GET /v1/topics HTTP/1.1\r\n${HEAD}X: `),
    exchange(url, `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Content-Length: 10\r\n\r\nab`),
    exchange(url, `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`),
  ])
  for (const answer of [headers, body, chunks]) {
    assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.match(answer, /"code":"request-timeout"/)
    assert.match(answer, /"sideEffects":"none"/)
  }
}

async function assertOddNames(url: string): Promise<void> {
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'prototype']) {
    assert.equal((await call(url, `/v1/topics/${name}`)).status, 404, name)
    const batch = `{"records":[{"text":"odd","key":"__proto__","headers":{"__proto__":"a","constructor":"b"}}]}`
    assert.equal((await call(url, `/v1/topics/${name}/batches`, jsonText('POST', batch))).status, 201, name)
    const producer = { 'producer-id': '__proto__', 'producer-epoch': '0', 'producer-seq': '0' }
    assert.equal((await produce(url, name, 'x', producer)).status, 201, name)
    assert.equal((await produce(url, name, 'x', { 'idempotency-key': '__proto__' })).status, 201, name)
    await eventually(async () => {
      const page = await call(url, `/v1/topics/${name}/partitions/0/records`)
      const records = page.body['records'] as Record<string, unknown>[]
      assert.equal(records.length, 3)
      assert.equal(records[0]?.['key'], '__proto__')
      assert.deepEqual(Object.entries(records[0]?.['headers'] as object), [
        ['__proto__', 'a'],
        ['constructor', 'b'],
      ])
    })
    assert.equal((await call(url, `/v1/topics/${name}`, { method: 'DELETE' })).status, 204, name)
  }
}

async function assertPipelined(url: string): Promise<void> {
  const request = `POST ${TOPIC}/records HTTP/1.1\r\n${HEAD}Content-Length: 5\r\n\r\npiped`
  const answer = await exchange(url, `${request}\0\x01garbage\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 201 Created\r\n/)
  assert.match(answer, /"offset":1,/)
  assert.match(answer, /HTTP\/1\.1 400 Bad Request\r\n[^]*"code":"malformed-request"/)
}

async function assertStoredValues(cluster: DevCluster, values: readonly string[]): Promise<void> {
  for (const { url } of cluster.brokers()) {
    await eventually(async () => {
      const { body } = await call(url, PAGE)
      assert.deepEqual(
        (body['records'] as { text: string }[]).map((record) => record.text),
        values,
      )
      assert.equal(body['highWatermark'], values.length)
    })
    assert.deepEqual(
      ((await call(url, '/v1/topics')).body['items'] as { name: string }[]).map(({ name }) => name),
      ['kept'],
    )
  }
}
