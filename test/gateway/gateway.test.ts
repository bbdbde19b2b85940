import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { test } from 'node:test'

import { createGateway } from '../../src/gateway/gateway.ts'
import { eventually } from '../support/eventually.ts'
import { fakePorts } from './fakes.ts'
import { openGateway, rawConnection } from './support/open-gateway.ts'

/** Limits small enough to be reached within a test. */
const QUICK = { sweepMs: 10, headersTimeoutMs: 60, bodyTimeoutMs: 60_000, bodyGraceMs: 60_000, lingerMs: 100 }

function problemOf(text: string): { code: string; status: number; hint: string; requestId: string } {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return JSON.parse(body) as { code: string; status: number; hint: string; requestId: string }
}

async function answerTo(t: TestContext, port: number, request: string): Promise<string> {
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write(request)
  await closed
  return received()
}

test('what is not HTTP is answered with a problem and the connection ends', async (t) => {
  const { port } = await openGateway(t, QUICK)
  for (const garbage of [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'hello\r\n\r\n',
    'GET / HTTP/1.1\r\nbad header\r\n\r\n',
  ]) {
    const text = await answerTo(t, port, garbage)
    assert.ok(text.startsWith('HTTP/1.1 400 Bad Request\r\n'), text)
    assert.equal(problemOf(text).code, 'malformed-request')
    assert.match(text, /\r\nSynod-Broker: 1\r\n/)
    assert.ok(text.includes(`Request-Id: ${problemOf(text).requestId}`))
  }
})

test('headers that are too large, too many or do not end are refused', async (t) => {
  const { port, url } = await openGateway(t, QUICK)
  const large = await answerTo(t, port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)
  assert.deepEqual([problemOf(large).status, problemOf(large).code], [431, 'headers-too-large'])
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `H${index}: x\r\n`).join('')
  const many = await answerTo(
    t,
    port,
    `GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines(63)}\r\n`,
  )
  assert.equal(problemOf(many).code, 'headers-too-large')
  const enough = await answerTo(
    t,
    port,
    `GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines(62)}\r\n`,
  )
  assert.ok(enough.startsWith('HTTP/1.1 200'))
  const slow = await answerTo(t, port, 'GET /livez HTTP/1.1\r\nHost: x\r\n')
  assert.equal(problemOf(slow).code, 'request-timeout')
  assert.equal((await fetch(`${url}/livez`)).status, 200)
})

test('a body that does not end in time is refused and its bytes are given back', async (t) => {
  const { port, ports, gateway } = await openGateway(t, { ...QUICK, bodyTimeoutMs: 50 })
  ports.topics.add('t')
  const text = await answerTo(
    t,
    port,
    'POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc',
  )
  assert.deepEqual([problemOf(text).status, problemOf(text).code], [408, 'request-timeout'])
  assert.match(text, /\r\nConnection: close\r\n/)
  assert.equal(gateway.inFlightBytes, 0)
  assert.equal(ports.log.appends.length, 0)
})

test('a body that drips is refused long before its time is over', async (t) => {
  const { port, ports } = await openGateway(t, {
    ...QUICK,
    bodyGraceMs: 20,
    bodyBytesPerSecondMin: 1_000_000,
  })
  ports.topics.add('t')
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write('POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  const drip = setInterval(() => socket.write('1\r\nx\r\n'), 5)
  t.after(() => clearInterval(drip))
  await closed
  clearInterval(drip)
  assert.equal(problemOf(received()).code, 'request-timeout')
})

test('a body declared too large is refused before it is read', async (t) => {
  const { port, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write('POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n')
  await eventually(() => assert.equal(problemOf(received()).code, 'record-too-large'))
  socket.write('x'.repeat(100_000))
  await closed
  assert.match(received(), /^HTTP\/1\.1 413 /)
})

test('a body that grows too large is refused while it comes, and the client sees the answer', async (t) => {
  const { port, ports, gateway } = await openGateway(t, { ...QUICK, recordBytesMax: 50_000 })
  ports.topics.add('t')
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write('POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (let index = 0; index < 20; index++) socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`)
  await eventually(() => assert.equal(problemOf(received()).code, 'record-too-large'))
  await closed
  assert.equal(gateway.inFlightBytes, 0)
})

test('a client that asks first whether to send is not asked for what will be refused', async (t) => {
  const { port, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const head = (length: number) =>
    `POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`
  const refused = await rawConnection(t, port)
  refused.socket.write(head(2_000_000))
  await eventually(() => assert.match(refused.received(), /^HTTP\/1\.1 413 /))
  const taken = await rawConnection(t, port)
  taken.socket.write(head(5))
  await eventually(() => assert.match(taken.received(), /^HTTP\/1\.1 100 Continue/))
  taken.socket.write('hello')
  await taken.closed
  assert.match(taken.received(), /HTTP\/1\.1 201 Created/)
})

test('a client that goes away in the middle of its body changes nothing and costs nothing', async (t) => {
  const { port, ports, gateway, logged } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const { socket } = await rawConnection(t, port)
  socket.write(
    `POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${'x'.repeat(500)}`,
  )
  await eventually(() => assert.equal(gateway.inFlightBytes, 500))
  socket.destroy()
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
  assert.equal(ports.log.appends.length, 0)
  assert.deepEqual(logged, [])
})

test('a body that breaks its framing is answered with a problem', async (t) => {
  const { port, ports, gateway } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const text = await answerTo(
    t,
    port,
    'POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n',
  )
  assert.equal(problemOf(text).code, 'malformed-request')
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
})

test('bodies under way share one budget, and who finds it taken is told to come later', async (t) => {
  const { port, ports, refused, call, gateway } = await openGateway(t, { ...QUICK, inFlightBytesMax: 1_000 })
  ports.topics.add('t')
  const { socket } = await rawConnection(t, port)
  socket.write(
    `POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: 950\r\n\r\n${'x'.repeat(900)}`,
  )
  await eventually(() => assert.equal(gateway.inFlightBytes, 900))
  const problem = await refused('overloaded', 'POST', '/v1/topics/t/records', { body: 'y'.repeat(101) })
  assert.deepEqual([problem.retryable, problem['retryAfterMs']], [true, 1_000])
  assert.equal((await call('POST', '/v1/topics/t/records', { body: 'y'.repeat(100) })).status, 201)
  socket.destroy()
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
})

test('who is told to come later does so on the same connection, unless its body does not end', async (t) => {
  const limits = { inFlightBytesMax: 1_000, lingerMs: 100 }
  const { port, ports, gateway } = await openGateway(t, { ...QUICK, ...limits })
  ports.topics.add('t')
  const post = (length: number, rest = '') =>
    `POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\n${rest}Content-Length: ${length}\r\n\r\n`
  const holding = await rawConnection(t, port)
  holding.socket.write(`${post(950)}${'x'.repeat(900)}`)
  await eventually(() => assert.equal(gateway.inFlightBytes, 900))
  const patient = await rawConnection(t, port)
  patient.socket.write(
    `${post(101)}${'y'.repeat(101)}${post(100, 'Connection: close\r\n')}${'z'.repeat(100)}`,
  )
  await patient.closed
  assert.deepEqual(patient.received().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 503', 'HTTP/1.1 201'])
  assert.deepEqual(
    ports.log.appends.map(({ records }) => Buffer.from(records[0]?.value ?? []).toString()),
    ['z'.repeat(100)],
  )
  const endless = await rawConnection(t, port)
  endless.socket.write(`${post(200)}${'y'.repeat(150)}`)
  await endless.closed
  assert.deepEqual(endless.received().match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 503'])
})

test('what is being stored has a bound, and what is larger than it is stored alone', async (t) => {
  const { ports, call, refused } = await openGateway(t, { ...QUICK, storingBytesMax: 10 })
  ports.topics.add('t')
  const store: (() => void)[] = []
  ports.log.beforeAppend = () => new Promise((resolve) => store.push(resolve))
  const producing = call('POST', '/v1/topics/t/records', { body: 'y'.repeat(20) })
  await eventually(() => assert.equal(store.length, 1))
  const problem = await refused('overloaded', 'POST', '/v1/topics/t/records', { body: 'x' })
  assert.deepEqual([problem['sideEffects'], problem['retryAfterMs']], ['none', 1_000])
  store[0]?.()
  assert.equal((await producing).status, 201)
  ports.log.beforeAppend = () => undefined
  assert.equal((await call('POST', '/v1/topics/t/records', { body: 'x' })).status, 201)
  assert.equal(ports.log.appends.length, 2)
})

test('the budget holds a body until its record is stored', async (t) => {
  const { ports, call, gateway } = await openGateway(t)
  ports.topics.add('t')
  let store: (() => void) | undefined
  ports.log.beforeAppend = () => new Promise((resolve) => (store = resolve))
  const producing = call('POST', '/v1/topics/t/records', { body: 'hello' })
  await eventually(() => assert.ok(store !== undefined))
  assert.equal(gateway.inFlightBytes, 5)
  store?.()
  await producing
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
})

test('an answer of which nothing leaves is given up, and others go on', async (t) => {
  const ports = fakePorts()
  const { port, call } = await openGateway(t, { ...QUICK, answerStallMs: 150 }, ports)
  ports.log.put(ports.topics.add('t'), 0, [{ value: Buffer.alloc(1_000_000, 120), form: 'bytes' }])
  const { socket, closed } = await rawConnection(t, port)
  socket.pause()
  for (let index = 0; index < 40; index++)
    socket.write('GET /v1/topics/t/partitions/0/records/0 HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal((await call('GET', '/v1/topics/t/partitions/0/records/0')).bytes.byteLength, 1_000_000)
  // A paused socket does not notice that it was reset until somebody writes to it.
  const poke = setInterval(() => socket.write('\r\n'), 20)
  t.after(() => clearInterval(poke))
  await closed
})

test('a long wait is not a stalled answer', async (t) => {
  const { port, ports } = await openGateway(t, { ...QUICK, answerStallMs: 40 })
  ports.topics.add('t')
  const text = await answerTo(
    t,
    port,
    'GET /v1/topics/t/partitions/0/records?wait=200ms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  assert.match(text, /^HTTP\/1\.1 200 /)
})

test('an idle connection is closed when its time is over', async (t) => {
  const { port } = await openGateway(t, { ...QUICK, keepAliveMs: 30 })
  const text = await answerTo(t, port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.match(text, /^HTTP\/1\.1 200 /)
})

test('connections beyond the bound are not taken', async (t) => {
  const { port } = await openGateway(t, { ...QUICK, headersTimeoutMs: 5_000, connectionsMax: 2 })
  const first = await rawConnection(t, port)
  await rawConnection(t, port)
  const third = await rawConnection(t, port)
  await third.closed
  assert.equal(third.received(), '')
  first.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await first.closed
  assert.match(first.received(), /^HTTP\/1\.1 200 /)
})

test('pipelined requests are answered in order', async (t) => {
  const { port, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const post = (text: string, more = '') =>
    `POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n${more}\r\n${text}`
  const text = await answerTo(t, port, `${post('a')}${post('b')}${post('c', 'Connection: close\r\n')}`)
  assert.deepEqual(
    [...text.matchAll(/"offset":(\d)/g)].map((match) => match[1]),
    ['0', '1', '2'],
  )
})

test('an offer of HTTP/2 is not taken and the request is answered as usual', async (t) => {
  const { port, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const offer =
    'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  const { socket, received } = await rawConnection(t, port)
  socket.write(`POST /v1/topics/t/records HTTP/1.1\r\n${offer}Content-Length: 5\r\n\r\nhello`)
  await eventually(() => assert.match(received(), /^HTTP\/1\.1 201 Created/))
  socket.write(`GET /v1/topics/t/partitions/0/records/0 HTTP/1.1\r\n${offer}\r\n`)
  await eventually(() => assert.ok(received().endsWith('\r\n\r\nhello')))
  assert.equal(ports.log.appends.length, 1)
})

test('closing lets what is under way end, refuses readiness, and leaves nothing open', async (t) => {
  const { gateway, ports, url, call } = await openGateway(t)
  ports.topics.add('t')
  let store: (() => void) | undefined
  ports.log.beforeAppend = () => new Promise((resolve) => (store = resolve))
  const producing = call('POST', '/v1/topics/t/records', { body: 'x' })
  await eventually(() => assert.ok(store !== undefined))
  const closing = gateway.close({ drainMs: 5_000 })
  await assert.rejects(fetch(`${url}/livez`))
  store?.()
  assert.equal((await producing).status, 201)
  await closing
})

test('closing cuts off what does not end', async (t) => {
  const { gateway, ports, url } = await openGateway(t)
  ports.topics.add('t')
  ports.log.beforeAppend = () => new Promise(() => undefined)
  const producing = fetch(`${url}/v1/topics/t/records`, { method: 'POST', body: 'x' })
  await eventually(() => assert.equal(ports.log.appends.length, 1))
  await gateway.close({ drainMs: 20 })
  await assert.rejects(producing)
})

test('a taken port is an error of listen', async (t) => {
  const { port } = await openGateway(t)
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const second = createGateway(fakePorts(), { version: '0', metrics: () => Promise.resolve(''), log })
  await assert.rejects(second.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' })
  await second.close({ drainMs: 0 })
})
