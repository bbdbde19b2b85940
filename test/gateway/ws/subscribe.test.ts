import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { SynodError } from '../../../src/errors.ts'
import { brokerId } from '../../../src/types/ids.ts'
import { eventually } from '../../support/eventually.ts'
import { countedBatch, storedRecord } from '../reading/batches.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { refusal, startSubscribeServer, type Received } from './subscribe-server.ts'

const text = (value: string) => [{ value: Buffer.from(value) }]

function assertGapless(received: Received, starts: Record<number, number>): void {
  const next = new Map(Object.entries(starts).map(([partition, offset]) => [Number(partition), offset]))
  for (const { partition, offset } of received.records()) {
    assert.equal(offset, next.get(partition) ?? 0, `partition ${partition}`)
    next.set(partition, offset + 1)
  }
}

test('sends a text frame with one JSON record each, and says on the 101 who answers', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('greetings')
  server.ports.log.put(topic, 0, text('hello'))
  const received = await server.subscribe('greetings/subscribe?from=earliest')
  const later = await server.subscribe('greetings/subscribe')
  server.ports.log.put(topic, 0, text('world'))
  await eventually(() => assert.equal(received.frames.length, 2))
  assert.deepEqual(
    received.records().map(({ text: shown, offset }) => [offset, shown]),
    [
      [0, 'hello'],
      [1, 'world'],
    ],
  )
  assert.ok(received.frames.every(({ binary }) => !binary))
  await eventually(() =>
    assert.deepEqual(
      later.records().map(({ offset }) => offset),
      [1],
    ),
  )
})

test('latest means the moment before the socket is open', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let round = 0; round < 20; round++) {
    const received = await server.subscribe('t/subscribe')
    const offset = server.ports.log.put(topic, 0, text(`after ${round}`))
    await eventually(() => assert.equal(received.frames.length, 1))
    assert.equal(received.records()[0]?.offset, offset)
    received.socket.terminate()
  }
})

test('arrays and values come as asked for', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 7; index++) server.ports.log.put(topic, 0, text(`v${index}`))
  server.ports.log.put(topic, 0, [{ form: 'bytes', value: Buffer.from([1, 2, 3]) }])
  const arrays = await server.subscribe('t/subscribe?from=earliest&batch=5')
  await eventually(() =>
    assert.equal(arrays.frames.flatMap(({ text: frame }) => JSON.parse(frame) as unknown[]).length, 8),
  )
  assert.deepEqual(
    arrays.frames.map(({ text: frame }) => (JSON.parse(frame) as unknown[]).length),
    [5, 3],
  )
  const values = await server.subscribe('t/subscribe?from=6&values=only')
  await eventually(() => assert.equal(values.frames.length, 2))
  assert.deepEqual(values.frames, [
    { text: 'v6', binary: false },
    { text: '\u0001\u0002\u0003', binary: true },
  ])
})

test('a reader that resumes at partition@offset gets every record once, whatever broke in between', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 3)
  let produced = 0
  const produce = (count: number): void => {
    for (let index = 0; index < count; index++)
      server.ports.log.put(topic, produced++ % 3, text(`${produced}`))
  }
  const next = new Map<number, number>()
  let seen = 0
  for (let round = 0; round < 6; round++) {
    const from =
      next.size === 0
        ? 'earliest'
        : [...next].map(([partition, offset]) => `${partition}@${offset}`).join(',')
    const received = await server.subscribe(`t/subscribe?from=${from}`)
    produce(100)
    await eventually(() => assert.ok(received.frames.length > 20))
    received.socket.terminate()
    assertGapless(received, Object.fromEntries(next))
    for (const { partition, offset } of received.records()) next.set(partition, offset + 1)
    seen += received.frames.length
  }
  const from = [...next].map(([partition, offset]) => `${partition}@${offset}`).join(',')
  const last = await server.subscribe(`t/subscribe?from=${from}`)
  await eventually(() => assert.equal(seen + last.frames.length, produced))
  assertGapless(last, Object.fromEntries(next))
})

test('partition= reads only that one', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 3)
  for (const partition of [0, 1, 2]) server.ports.log.put(topic, partition, text('x'))
  const received = await server.subscribe('t/subscribe?from=0&partition=1')
  server.ports.log.put(topic, 2, text('y'))
  server.ports.log.put(topic, 1, text('y'))
  await eventually(() => assert.equal(received.frames.length, 2))
  assertGapless(received, { 1: 0 })
})

test('100 subscribers cost one encoding of each batch', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const all = await Promise.all(Array.from({ length: 100 }, () => server.subscribe('t/subscribe')))
  await eventually(() => assert.equal(server.ports.log.waitingCount, 100))
  const state = server.ports.log.partition(topic, 0)
  const batches = [0, 1, 2].map((offset) => countedBatch([storedRecord(offset)]))
  state.batches.push(...batches)
  state.highWatermark = 3
  for (const wake of state.waiters) wake()
  await eventually(() => assert.ok(all.every(({ frames }) => frames.length === 3)))
  assert.deepEqual(
    batches.map((batch) => batch.looks()),
    [1, 1, 1],
  )
})

test('refuses at the handshake, as the problem that HTTP would give', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('orders', 2)
  const trimmed = server.ports.topics.add('trimmed')
  for (let index = 0; index < 5; index++) server.ports.log.put(trimmed, 0, text('x'))
  server.ports.log.trim(trimmed, 0, 3)
  const cases: readonly (readonly [string, number, string, Record<string, string>?])[] = [
    ['/v1/topics/orders/subscribe', 403, 'origin-not-allowed', { Origin: 'https://evil.example' }],
    ['/v1/topics/orderz/subscribe', 404, 'topic-not-found'],
    ['/v1/topics/orders/subscribe?partition=2', 404, 'partition-not-found'],
    ['/v1/topics/orders/elsewhere', 404, 'not-found'],
    ['/v1/topics/orders/subscribe?form=earliest', 400, 'unknown-parameter'],
    ['/v1/topics/orders/subscribe?from=17', 400, 'invalid-offset'],
    ['/v1/topics/orders/subscribe?batch=0', 400, 'invalid-parameter'],
    ['/v1/topics/orders/subscribe?batch=1001', 400, 'invalid-parameter'],
    ['/v1/topics/orders/subscribe?batch=5&values=only', 400, 'invalid-parameter'],
    ['/v1/topics/%ff/subscribe', 400, 'malformed-request'],
    ['/v1/topics/trimmed/subscribe?from=1', 410, 'offset-trimmed'],
    ['/v1/topics/trimmed/subscribe?from=0@6', 416, 'offset-out-of-range'],
  ]
  for (const [path, status, code, headers] of cases) {
    const answer = await refusal(`ws://127.0.0.1:${server.port}${path}`, headers)
    assert.equal(answer.status, status, path)
    assert.equal(answer.problem['code'], code, path)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.headers['synod-broker'], '1')
    assert.equal(answer.headers['request-id'], answer.problem['requestId'])
    assert.equal(answer.headers['connection'], 'close')
    assert.equal(answer.problem['instance'], path.split('?')[0])
    assert.ok(typeof answer.problem['hint'] === 'string' && answer.problem['hint'].length > 0)
  }
  assert.equal(server.upgrade.count, 0)
  assert.deepEqual(server.errors, [])
})

test('a handshake that is no WebSocket of version 13 gets 426 or 400', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const head = 'GET /v1/topics/t/subscribe HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n'
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const cases: readonly (readonly [string, number])[] = [
    [`${head}Upgrade: h2c\r\n\r\n`, 426],
    [`${head}Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 12\r\n\r\n`, 426],
    [`${head}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`, 400],
    [`${head}Upgrade: websocket\r\nSec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n\r\n`, 400],
    [`${head.replace('GET', 'POST')}Upgrade: websocket\r\n${key}Sec-WebSocket-Version: 13\r\n\r\n`, 405],
  ]
  for (const [request, status] of cases) {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(request)
    let answer = ''
    socket.on('data', (data: Buffer) => (answer += data.toString()))
    await once(socket, 'close')
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    if (status === 426) assert.match(answer, /\r\nSec-WebSocket-Version: 13\r\n/)
  }
})

test('takes no more subscribers than its bound, and takes one again when one has left', async (t) => {
  const server = await startSubscribeServer(t, { subscribersMax: 2 })
  server.ports.topics.add('t')
  const first = await server.subscribe('t/subscribe')
  await server.subscribe('t/subscribe')
  assert.equal(server.upgrade.count, 2)
  const answer = await refusal(`ws://127.0.0.1:${server.port}/v1/topics/t/subscribe`)
  assert.equal(answer.status, 503)
  assert.equal(answer.problem['code'], 'overloaded')
  assert.equal(answer.headers['retry-after'], '1')
  first.socket.close()
  await eventually(() => assert.equal(server.upgrade.count, 1))
  await server.subscribe('t/subscribe')
})

test('gives up a handshake that the log keeps waiting', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  server.ports.topics.add('t')
  const answers: (() => void)[] = []
  server.ports.log.beforeRead = () => new Promise((resolve) => answers.push(resolve))
  const answer = refusal(`ws://127.0.0.1:${server.port}/v1/topics/t/subscribe?from=0`)
  await eventually(() => assert.equal(answers.length, 1))
  await timers.advance(5_000)
  assert.equal((await answer).problem['code'], 'overloaded')
  for (const resolve of answers) resolve()
  assert.equal(server.upgrade.count, 0)
})

test('waits a moment for a leader at the handshake, then says that there is none', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  server.ports.topics.add('t')
  server.ports.log.beforeRead = () => {
    throw new SynodError('no-leader', 'nobody leads')
  }
  const answer = refusal(`ws://127.0.0.1:${server.port}/v1/topics/t/subscribe?from=0`)
  await eventually(() => assert.equal(server.ports.log.reads.length, 1))
  await timers.advance(1_500)
  assert.equal((await answer).status, 503)
  assert.ok(server.ports.log.reads.length > 2)
})

test('tells why a subscription ends, and whether to come back, by frame and close code', async (t) => {
  for (const [error, code] of [
    [new SynodError('topic-deleted', 'It was deleted.'), 4507],
    [new SynodError('offset-trimmed', 'It was trimmed.', { facts: { logStart: 9 } }), 4507],
    [new SynodError('draining', 'Going.'), 1012],
    [new Error('secret'), 4100],
  ] as const) {
    const server = await startSubscribeServer(t)
    const topic = server.ports.topics.add('t')
    const received = await server.subscribe('t/subscribe?from=earliest')
    await eventually(() => assert.equal(server.ports.log.waitingCount, 1))
    server.ports.log.beforeRead = () => {
      throw error
    }
    server.ports.log.put(topic, 0, text('last'))
    const closed = await received.closed
    assert.equal(closed.code, code)
    assert.equal(received.frames.length, 2)
    const { problem } = JSON.parse(received.frames[1]?.text ?? '') as { problem: Record<string, unknown> }
    assert.equal(problem['code'], closed.reason)
    assert.ok(!JSON.stringify(problem).includes('secret'))
    assert.equal(server.errors.length, error instanceof SynodError ? 0 : 1)
    await eventually(() => assert.equal(server.upgrade.count, 0))
  }
})

test('a lost leader is invisible to a subscriber', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const received = await server.subscribe('t/subscribe')
  let failures = 2
  server.ports.log.beforeRead = () => {
    if (failures-- > 0) throw new SynodError('no-leader', 'electing')
  }
  for (let index = 0; index < 10; index++) server.ports.log.put(topic, 0, text('x'))
  await eventually(() => assert.equal(received.frames.length, 10))
  assertGapless(received, { 0: 0 })
})

test('closes everybody with 1012 when the broker stops, and takes nobody any more', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const all = await Promise.all([1, 2, 3].map(() => server.subscribe('t/subscribe')))
  await server.upgrade.closeAll()
  for (const { closed } of all) assert.equal((await closed).code, 1012)
  assert.equal(server.upgrade.count, 0)
  assert.equal(server.ports.log.waitingCount, 0)
  assert.equal(
    (await refusal(`ws://127.0.0.1:${server.port}/v1/topics/t/subscribe`)).problem['code'],
    'draining',
  )
})

test('ignores what a subscriber sends, but not what breaks the protocol', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const received = await server.subscribe('t/subscribe')
  received.socket.send('hello?')
  received.socket.send(Buffer.alloc(60_000))
  received.socket.ping('are you there')
  const [pong] = (await once(received.socket, 'pong')) as [Buffer]
  assert.equal(pong.toString(), 'are you there')
  server.ports.log.put(topic, 0, text('x'))
  await eventually(() => assert.equal(received.frames.length, 1))
  received.socket.send(Buffer.alloc(65 * 1024))
  assert.equal((await received.closed).code, 1009)
  await eventually(() => assert.equal(server.upgrade.count, 0))
})

test('a subscriber that wants it is sent to the broker that leads, before the socket opens', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const query = 't/subscribe?from=earliest&redirect=true'
  const here = await server.subscribe(query)
  here.socket.terminate()
  server.ports.log.leaders.set(0, brokerId(2))
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/topics/${query}`)
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  assert.equal(response.statusCode, 307)
  assert.equal(response.headers.location, `ws://127.0.0.1:8081/v1/topics/${query}`)
  assert.equal(response.headers['synod-broker'], '1')
  response.resume()
})
