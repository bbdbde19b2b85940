import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import type { Socket } from 'node:net'
import { SynodError } from '../../../src/errors.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import { CLOSE_CODE } from '../../../src/gateway/ws/close-code.ts'
import { OWN_PRODUCERS_MAX } from '../../../src/gateway/ws/session-produces.ts'
import { eventually } from '../../support/eventually.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { openSession, PLENTY, type SessionClient } from './session-client.ts'
import { startSubscribeServer, UNFINISHED_BYTES, type SubscribeServer } from './subscribe-server.ts'

const subscribe = (sid: string, topic = 't') => ({
  type: 'subscribe',
  id: `subscribe ${sid}`,
  sid,
  topic,
  from: 'earliest',
  credit: PLENTY,
})

/** From now on reads of these partitions find nobody who could answer. */
function losePartitions(
  server: SubscribeServer,
  lost: readonly number[],
  code: ErrorCode = 'no-leader',
): void {
  server.ports.log.beforeRead = ({ partition }) => {
    if (lost.includes(partition)) throw new SynodError(code, 'Nobody can be asked.')
  }
}

async function advanceUntil(timers: VirtualTimers, isDone: () => boolean, stepsMax: number): Promise<number> {
  for (let step = 1; step <= stepsMax; step++) {
    await timers.advance(1_000)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    if (isDone()) return step
  }
  return Number.POSITIVE_INFINITY
}

for (const [errorCode, closeCode] of [
  ['no-leader', 4102],
  ['no-quorum', 4102],
  ['replica-behind', 4102],
  ['overloaded', 1013],
  ['replica-damaged', 4100],
] as const) {
  test(`rule 7: a simple subscription of which nothing can be read for 30 s is closed with ${closeCode} (${errorCode})`, async (t) => {
    const timers = new VirtualTimers()
    const server = await startSubscribeServer(t, { timers })
    const topic = server.ports.topics.add('t', 2)
    const received = await server.subscribe('t/subscribe?from=earliest')
    await eventually(() => assert.equal(server.ports.log.waitingCount, 2))
    losePartitions(server, [0, 1], errorCode)
    for (const partition of [0, 1]) server.ports.log.put(topic, partition, [{ value: 'last' }])
    await eventually(() => assert.equal(received.frames.length, 2))
    const steps = await advanceUntil(timers, () => received.socket.readyState !== received.socket.OPEN, 60)
    assert.ok(steps >= 30 && steps <= 35, `closed after ${steps} s`)
    assert.deepEqual(await received.closed, { code: closeCode, reason: errorCode })
    const { problem } = JSON.parse(received.frames.at(-1)?.text ?? '') as { problem: Record<string, unknown> }
    assert.equal(problem['code'], errorCode)
    assert.equal(problem['retryable'], true)
  })
}

test('rule 7: who waits at the end of partitions without a leader is closed with 4102, unless one of them has one', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  server.ports.topics.add('t', 2)
  for (const partition of [0, 1]) server.ports.log.leaderless.add(partition)
  const cutOff = await server.subscribe('t/subscribe?from=earliest')
  const steps = await advanceUntil(timers, () => cutOff.socket.readyState !== cutOff.socket.OPEN, 60)
  assert.ok(steps >= 30 && steps <= 35, `closed after ${steps} s`)
  assert.deepEqual(await cutOff.closed, { code: 4102, reason: 'no-leader' })
  server.ports.log.leaderless.delete(1)
  const other = await server.subscribe('t/subscribe?from=earliest')
  const isClosed = () => other.socket.readyState !== other.socket.OPEN
  assert.equal(await advanceUntil(timers, isClosed, 60), Number.POSITIVE_INFINITY)
})

test('one partition that can be read is reason enough to stay', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t', 2)
  const received = await server.subscribe('t/subscribe?from=earliest')
  await eventually(() => assert.equal(server.ports.log.waitingCount, 2))
  losePartitions(server, [0])
  server.ports.log.put(topic, 0, [{ value: 'last' }])
  await eventually(() => assert.equal(received.frames.length, 1))
  assert.equal(await advanceUntil(timers, () => server.upgrade.count === 0, 90), Number.POSITIVE_INFINITY)
  losePartitions(server, [])
  server.ports.log.put(topic, 0, [{ value: 'on' }])
  await eventually(async () => {
    await timers.advance(1_000)
    assert.equal(received.frames.length, 2)
  })
})

test('rules 6 and 7: a session of which no subscription finds a majority is closed with 4102, after an error for each', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topics = ['t', 'u'].map((name) => server.ports.topics.add(name))
  const client = await openSession(t, server)
  for (const [index, topic] of topics.entries()) client.send(subscribe(`${index}`, topic.name))
  await eventually(() => assert.equal(server.ports.log.waitingCount, 2))
  const lost = new Set<string>(['t'])
  server.ports.log.beforeRead = ({ topic }) => {
    if (lost.has(topic.name)) throw new SynodError('no-quorum', 'Nobody can be asked.')
  }
  server.ports.log.put(topics[0]!, 0, [{ value: 'last' }])
  await client.next('records')
  const isToldOf = (sid: string) => () => client.of('error').some((error) => error.sid === sid)
  assert.ok((await advanceUntil(timers, isToldOf('0'), 60)) < 40)
  await client.settled()
  lost.add('u')
  server.ports.log.put(topics[1]!, 0, [{ value: 'last' }])
  await client.next('records', ({ sid }) => sid === '1')
  assert.ok((await advanceUntil(timers, isToldOf('1'), 60)) < 40)
  assert.equal(await client.closed, 4102)
  assert.deepEqual(
    client.of('error').map(({ sid, problem }) => [sid, problem.code]),
    [
      ['0', 'no-quorum'],
      ['1', 'no-quorum'],
    ],
  )
})

/** Begins a text message of `lengthBytes` and sends the first `sentBytes` of it. */
function beginMessage(client: SessionClient, lengthBytes: number, sentBytes: number): Socket {
  const { _socket: socket } = client.socket as unknown as { _socket: Socket }
  const header = Buffer.alloc(14)
  header.set([0x81, 0x80 | 127])
  header.writeBigUInt64BE(BigInt(lengthBytes), 2)
  socket.write(Buffer.concat([header, Buffer.alloc(sentBytes, ' ')]))
  return socket
}

async function sessions(t: TestContext, server: SubscribeServer, count: number): Promise<SessionClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => openSession(t, server)))
  for (const client of clients) await client.next('welcome')
  return clients
}

test('rule 7: who sends when all room for unfinished frames is taken is closed with 1013, and others go on', async (t) => {
  const server = await startSubscribeServer(t, { timers: new VirtualTimers() })
  server.ports.topics.add('t')
  const [first, second, small] = await sessions(t, server, 3)
  const sent = 200_000
  const free = 64 * 1024
  beginMessage(first!, 250_000, sent)
  await eventually(() => assert.equal(server.unfinished.takenBytes, sent + 14 - free))
  beginMessage(second!, 250_000, sent)
  assert.equal(await second!.closed, 1013)
  assert.equal((await second!.next('error')).problem.code, 'overloaded')
  assert.ok(sent * 2 - free * 2 > UNFINISHED_BYTES)
  small!.send({ type: 'produce', id: 'p', topic: 't', records: [{ text: 'x'.repeat(50_000) }] })
  await small!.next('produced')
  await eventually(() => assert.equal(server.unfinished.takenBytes, sent + 14 - free))
  first!.socket.terminate()
  await eventually(() => assert.equal(server.unfinished.takenBytes, 0))
})

test('whatever a client sends, whole or in fragments, takes no room once it has ended', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const [client] = await sessions(t, server, 1)
  for (let round = 0; round < 30; round++) {
    const frame = { type: 'produce', id: `${round}`, topic: 't', records: [{ text: 'x'.repeat(200_000) }] }
    const data = JSON.stringify(frame)
    client!.socket.send(data.slice(0, 100), { fin: false })
    client!.socket.ping('are you there')
    client!.socket.send(data.slice(100, 100_000), { fin: false })
    client!.socket.send(data.slice(100_000), { fin: true })
    client!.send(frame)
    client!.send({ type: 'ping', id: 'x' })
  }
  await eventually(() => assert.equal(client!.of('produced').length, 60))
  await client!.settled()
  assert.equal(server.unfinished.takenBytes, 0)
})

test('rule 7: a large frame that does not end in 30 s is closed with 4100', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const [client] = await sessions(t, server, 1)
  const socket = beginMessage(client!, 250_000, 100_000)
  await eventually(() => assert.ok(server.unfinished.takenBytes > 0))
  const hasEnded = () => client!.socket.readyState !== client!.socket.OPEN
  const seconds = await advanceUntil(
    timers,
    () => {
      socket.write(' ')
      return hasEnded()
    },
    60,
  )
  assert.ok(seconds >= 30 && seconds <= 40, `closed after ${seconds} s`)
  assert.equal(await client!.closed, 4100)
  assert.equal((await client!.next('error')).problem.code, 'request-timeout')
  await eventually(() => assert.equal(server.unfinished.takenBytes, 0))
})

const produce = (id: string, epoch: number, seq: number, partition = 0) => ({
  type: 'produce',
  id,
  topic: 't',
  records: [{ partition, text: id }],
  producer: { id: 'me', epoch, seq },
})

test('rule 7: a session whose producer was taken over is closed with 4506, once its other produces are answered', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 2)
  const [old, young] = await sessions(t, server, 2)
  old!.send(produce('first', 1, 0))
  await old!.next('produced')
  young!.send(produce('second', 2, 0))
  await young!.next('produced')
  let letGo = (): void => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  server.ports.log.beforeAppend = ({ partition }) => (partition === 1 ? held : undefined)
  old!.send({ type: 'produce', id: 'slow', topic: 't', records: [{ partition: 1, text: 'slow' }] })
  old!.send(produce('third', 1, 1))
  assert.equal((await old!.next('error')).problem.code, 'producer-fenced')
  assert.equal(old!.socket.readyState, old!.socket.OPEN)
  old!.send({ type: 'produce', id: 'late', topic: 't', records: [{ partition: 0, text: 'late' }] })
  letGo()
  assert.equal(await old!.closed, 4506)
  assert.deepEqual(
    old!.of('produced').map(({ id }) => id),
    ['first', 'slow'],
  )
  assert.equal(server.ports.log.partition(topic, 0).highWatermark, 2)
  await young!.settled()
})

test('a session that began the newer epoch itself is not closed for what it sent before', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const [client] = await sessions(t, server, 1)
  client!.send(produce('new', 2, 0))
  client!.send(produce('late', 1, 0))
  assert.equal((await client!.next('error')).problem.code, 'producer-fenced')
  await client!.settled()
})

test('every code that is sent is in docs/sessions.md and in the AsyncAPI document', async () => {
  const folder = new URL('../../../../', import.meta.url)
  const guide = await readFile(new URL('docs/sessions.md', folder), 'utf8')
  const document = await readFile(new URL('openapi/asyncapi.yaml', folder), 'utf8')
  for (const code of Object.values(CLOSE_CODE)) {
    assert.ok(guide.includes(`   | ${code} | `), `docs/sessions.md explains ${code}`)
    assert.ok(document.includes(`- ${code}: `), `openapi/asyncapi.yaml explains ${code}`)
  }
})

test('a session remembers the epochs of its latest producers, as many as its bound says', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const [client] = await sessions(t, server, 1)
  const by = (index: number, epoch: number) => ({
    ...produce(`${index} ${epoch}`, epoch, 0),
    producer: { id: `p${index}`, epoch, seq: 0 },
  })
  for (let index = 0; index <= OWN_PRODUCERS_MAX; index++) client!.send(by(index, 2))
  await eventually(() => assert.equal(client!.of('produced').length, OWN_PRODUCERS_MAX + 1))
  client!.send(by(1, 1))
  await client!.next('error', ({ id }) => id === '1 1')
  await client!.settled()
  client!.send(by(0, 1))
  await client!.next('error', ({ id }) => id === '0 1')
  assert.equal(await client!.closed, 4506)
})
