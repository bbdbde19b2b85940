import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { eventually } from '../../support/eventually.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { startSubscribeServer, type SubscribeServer } from './subscribe-server.ts'

/** A subscriber that speaks the protocol by hand, so that it can stop reading and never answers a ping. */
async function rawSubscriber(t: TestContext, server: SubscribeServer, query = ''): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(
    `GET /v1/topics/t/subscribe${query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await once(socket, 'readable')
  const answer = socket.read() as Buffer
  assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 /)
  const frames = answer.subarray(answer.indexOf('\r\n\r\n') + 4)
  if (frames.length > 0) socket.unshift(frames)
  return socket
}

const KIB_64 = Buffer.alloc(64 * 1024, 'x')
const LOG_BYTES = 400 * KIB_64.length
const STEP_BYTES = 1.5 * 1024 * 1024

test('pings every 20 s and lets a client live that answers', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  server.ports.topics.add('t')
  const { socket } = await server.subscribe('t/subscribe')
  let pingCount = 0
  socket.on('ping', () => pingCount++)
  for (let minute = 0; minute < 3; minute++) {
    for (let step = 0; step < 12; step++) {
      await timers.advance(5_000)
      const expected = pingCount
      await eventually(() => assert.ok(pingCount >= expected))
      await settle()
    }
  }
  assert.ok(pingCount >= 8 && pingCount <= 9, `${pingCount} pings in three minutes`)
  assert.equal(server.upgrade.count, 1)
})

/** Lets what is on its way on loopback sockets arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('ends a client from which nothing came for 40 s, pings or not', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  server.ports.topics.add('t')
  const socket = await rawSubscriber(t, server)
  socket.resume()
  const closed = once(socket, 'close')
  await timers.advance(35_000)
  assert.equal(server.upgrade.count, 1)
  await timers.advance(10_000)
  await closed
  await eventually(() => assert.equal(server.upgrade.count, 0))
  assert.equal(timers.pendingCount, 0)
})

test('stops reading the log for a subscriber that does not read, and nobody else notices', async (t) => {
  const server = await startSubscribeServer(t, { timers: new VirtualTimers() })
  const topic = server.ports.topics.add('t')
  await rawSubscriber(t, server)
  const quick = await server.subscribe('t/subscribe')
  const batchCount = 400
  for (let index = 0; index < batchCount; index++) {
    server.ports.log.put(topic, 0, [{ value: KIB_64 }])
    if (index % 20 === 19) await eventually(() => assert.equal(quick.frames.length, index + 1))
  }
  const furthest = (): number => Math.max(...server.ports.log.reads.map(({ fromOffset }) => fromOffset))
  assert.equal(furthest(), batchCount)
  // The one that does not read has pulled what its socket and the kernel took, and 1 MiB: far less than the log's 25 MiB.
  const reads = server.ports.log.reads.filter(({ fromOffset }) => fromOffset === 300)
  assert.equal(reads.length, 1)
  assert.equal(server.upgrade.count, 2)
})

test('never drops a slow reader as long as bytes move, and loses nothing for it', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 400; index++) server.ports.log.put(topic, 0, [{ value: KIB_64 }])
  const socket = await rawSubscriber(t, server, '?from=earliest')
  const parts: Buffer[] = []
  // The kernel tells of room only when a third of its buffer is free, so each step takes more than that.
  for (let step = 0; step < 12; step++) {
    await timers.advance(15_000)
    let stepBytes = 0
    await eventually(() => {
      for (let part = socket.read() as Buffer | null; part !== null; part = socket.read() as Buffer | null) {
        parts.push(part)
        stepBytes += part.length
        if (stepBytes > STEP_BYTES) return
      }
      assert.ok(stepBytes > STEP_BYTES)
    })
    assert.equal(server.upgrade.count, 1, `${(step + 1) * 15} s`)
  }
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.resume()
  const offsets = (): number[] =>
    [
      ...Buffer.concat(parts)
        .toString('latin1')
        .matchAll(/"offset":(\d+),/g),
    ].map((match) => Number(match[1]))
  await eventually(() => assert.ok(parts.reduce((sum, { length }) => sum + length, 0) >= LOG_BYTES))
  assert.deepEqual(
    offsets(),
    Array.from({ length: 400 }, (_, offset) => offset),
  )
})

test('ends a subscriber of whose waiting bytes none leaves for 40 s', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 300; index++) server.ports.log.put(topic, 0, [{ value: KIB_64 }])
  const socket = await rawSubscriber(t, server, '?from=earliest')
  await eventually(() => assert.ok(socket.readableLength > 0))
  let livedMs = 0
  for (; server.upgrade.count === 1 && livedMs < 100_000; livedMs += 5_000) {
    await timers.advance(5_000)
    await settle()
  }
  assert.ok(livedMs >= 40_000 && livedMs <= 60_000, `it lived for ${livedMs} ms`)
})

test('a client that pings without reading does not grow the buffer', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 300; index++) server.ports.log.put(topic, 0, [{ value: KIB_64 }])
  const socket = await rawSubscriber(t, server, '?from=earliest')
  await eventually(() => assert.ok(socket.readableLength > 0))
  const masked = Buffer.concat([Buffer.from([0x89, 0x80 | 100, 0, 0, 0, 0]), Buffer.alloc(100, 'p')])
  const heapBefore = process.memoryUsage().external
  for (let round = 0; round < 50; round++) {
    socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => masked)))
    await timers.advance(1_000)
  }
  assert.equal(server.upgrade.count, 1, 'it lives: bytes come in')
  const pong = `\u008ad${'p'.repeat(100)}`
  let tail = ''
  let hasPong = false
  // Records follow the pong at once, so it is looked for in all that comes.
  socket.on('data', (data: Buffer) => {
    const latest = tail + data.toString('latin1')
    hasPong ||= latest.includes(pong)
    tail = latest.slice(-pong.length)
  })
  socket.resume()
  await eventually(() => assert.ok(hasPong), { timeoutMs: 30_000 })
  assert.ok(process.memoryUsage().external - heapBefore < 32 * 1024 * 1024)
})

test('partitions that wake together leave in one write', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 8)
  const received = await server.subscribe('t/subscribe')
  await eventually(() => assert.equal(server.ports.log.waitingCount, 8))
  const packets: number[] = []
  const stream = (received.socket as unknown as { _socket: Socket })._socket
  stream.on('data', (data: Buffer) => packets.push(data.length))
  for (let partition = 0; partition < 8; partition++)
    server.ports.log.put(topic, partition, [{ value: Buffer.from('x') }])
  await eventually(() => assert.equal(received.frames.length, 8))
  assert.equal(packets.length, 1)
})
