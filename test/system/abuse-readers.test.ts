import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { startDev, type DevBroker } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { assertUnharmed, footprintOf, footprintsOf, handshake, openSocket } from './abuse-support.ts'
import { call, json, produce, topicOf } from './api.ts'

const MIB = 1024 * 1024
/** What a reader that is not held back would make its broker keep: far more than the bounds below. */
const VALUES = 250
/** Beyond what a broker needs to keep the newest records in memory; the collector of garbage takes its time with buffers. */
const GROWTH_MIB_MAX = 150

test('Readers that ask for much and take little cost the brokers neither memory nor time', async (t) => {
  const cluster = await startDev(t)
  const brokers = [...cluster.brokers()] as [DevBroker, DevBroker, DevBroker]
  for (const topic of ['large', 'doomed'])
    assert.equal((await call(brokers[0].url, `/v1/topics/${topic}`, json('PUT', {}))).status, 201)

  await t.test('Holds back for a WebSocket that does not read, and for it alone', async (sub) => {
    await assertSlowReader(sub, brokers)
    sub.diagnostic(footprintsOf(brokers))
  })
  await t.test('Answers pipelined pages one after the other', async (sub) => {
    await assertPipelinedPages(sub, brokers[1])
    sub.diagnostic(footprintsOf(brokers))
  })
  await t.test('Stays alive and small while many do not take the pages that they asked for', async (sub) => {
    await assertUnreadPages(sub, brokers[2])
    sub.diagnostic(footprintsOf(brokers))
  })
  await t.test('Ends a connection that asks and asks', (sub) => assertEndlessRequests(sub, brokers[0]))
  await t.test('Gives back what a thousand WebSockets took, again and again', async (sub) => {
    await assertManySockets(sub, brokers[0], (line) => sub.diagnostic(line))
  })
  await t.test('Tells readers of a topic that it was deleted', (sub) => assertDeletedTopic(sub, brokers))
  await assertUnharmed(cluster, brokers)
})

function webSocketUrl(broker: DevBroker, path: string): string {
  return `${broker.url.replace('http:', 'ws:')}${path}`
}

async function assertSlowReader(t: TestContext, brokers: readonly DevBroker[]): Promise<void> {
  const before = brokers.map(footprintOf)
  const slow = openSocket(t, brokers[0]!.url)
  slow.write(handshake('/v1/topics/large/subscribe?from=latest'))
  await once(slow, 'data')
  slow.pause()
  const counts = await Promise.all(brokers.map((broker) => countRecords(t, broker, 'large')))
  const value = 'x'.repeat(MIB - 100)
  for (let at = 0; at < VALUES; at += 5) {
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) => produce(brokers[(at + index) % 3]!.url, 'large', value)),
    )
    for (const answer of answers) assert.equal(answer.status, 201)
  }
  for (const count of counts) await eventually(() => assert.equal(count(), VALUES), { timeoutMs: 60_000 })
  const growths = brokers.map((broker, index) => {
    const after = footprintOf(broker)
    const known = before[index]
    return after === undefined || known === undefined ? 0 : after.memoryMiB - known.memoryMiB
  })
  // All brokers keep the records that came last; the one with the slow reader holds hardly more than the others.
  const others = Math.max(growths[1]!, growths[2]!)
  assert.ok(growths[0]! < others + GROWTH_MIB_MAX, `the brokers grew by ${growths.join(', ')} MiB`)
  // It was not dropped: when it reads at last it gets everything.
  let received = 0
  slow.on('data', (data: Buffer) => (received += data.length))
  slow.resume()
  await eventually(() => assert.ok(received >= VALUES * value.length), { timeoutMs: 60_000 })
}

async function countRecords(t: TestContext, broker: DevBroker, topic: string): Promise<() => number> {
  const webSocket = new WebSocket(webSocketUrl(broker, `/v1/topics/${topic}/subscribe?from=latest`))
  let count = 0
  t.after(() => webSocket.terminate())
  webSocket.on('message', () => count++)
  webSocket.on('error', () => undefined)
  await once(webSocket, 'open')
  return () => count
}

const PAGE = `GET /v1/topics/large/partitions/0/records?from=0&maxBytes=${4 * MIB} HTTP/1.1\r\nHost: x\r\n\r\n`

/** Sixty kilobytes of requests ask for 2.8 GB of answers. */
async function assertPipelinedPages(t: TestContext, broker: DevBroker): Promise<void> {
  const socket = openSocket(t, broker.url)
  socket.pause()
  const memory = watchMemory(t, broker)
  socket.write(PAGE.repeat(700))
  for (let asked = 0; asked < 20; asked++) assert.equal((await call(broker.url, '/readyz')).status, 200)
  let received = 0
  socket.on('data', (data: Buffer) => (received += data.length))
  socket.resume()
  await eventually(() => assert.ok(received > 40 * MIB, 'answers come as they are taken'), {
    timeoutMs: 20_000,
  })
  socket.destroy()
  assert.ok(memory.peakMiB() < 3 * GROWTH_MIB_MAX, `the broker grew by ${memory.peakMiB()} MiB`)
}

/** Fifty clients ask for 750 MiB and take nothing; what the system's buffers do not take waits within a budget. */
async function assertUnreadPages(t: TestContext, broker: DevBroker): Promise<void> {
  const memory = watchMemory(t, broker)
  const sockets = Array.from({ length: 50 }, () => openSocket(t, broker.url))
  for (const socket of sockets) {
    socket.pause()
    socket.write(PAGE.repeat(5))
  }
  for (let asked = 0; asked < 50; asked++) {
    // On a busy machine one may be refused; what counts is that it goes on.
    await eventually(
      async () => {
        const request = { method: 'POST', body: 'still here' }
        const { status, body } = await call(broker.url, '/v1/topics/small/records', request)
        assert.equal(status, 201, JSON.stringify(body))
      },
      { timeoutMs: 20_000 },
    )
  }
  for (const socket of sockets) socket.resetAndDestroy()
  await eventually(async () => {
    assert.equal((await call(broker.url, '/v1/topics/large/partitions/0/records?from=0')).status, 200)
  })
  assert.ok(memory.peakMiB() < 3 * GROWTH_MIB_MAX, `the broker grew by ${memory.peakMiB()} MiB`)
}

/** Watches how far a broker's memory grows. */
function watchMemory(t: TestContext, broker: DevBroker): { readonly peakMiB: () => number } {
  const start = footprintOf(broker)?.memoryMiB ?? 0
  let peak = start
  const look = (): void => void (peak = Math.max(peak, footprintOf(broker)?.memoryMiB ?? 0))
  const timer = setInterval(look, 20)
  t.after(() => clearInterval(timer))
  return {
    peakMiB() {
      look()
      return peak - start
    },
  }
}

async function assertEndlessRequests(t: TestContext, broker: DevBroker): Promise<void> {
  const socket = openSocket(t, broker.url)
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.resume()
  const wait = 'GET /v1/topics/doomed/partitions/0/records?from=latest&wait=60s HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(wait.repeat(2_000))
  await closed
}

const SOCKETS = 1_000
const SLACK = 50

async function assertManySockets(
  t: TestContext,
  broker: DevBroker,
  tell: (line: string) => void,
): Promise<void> {
  const before = footprintOf(broker)
  let afterFirst = 0
  for (const round of [1, 2, 3]) {
    const sockets = await openSubscriptions(t, broker, SOCKETS)
    const during = footprintOf(broker)
    assert.equal((await produce(broker.url, 'doomed', `to all, round ${round}`)).status, 201)
    for (const socket of sockets) socket.resetAndDestroy()
    if (before === undefined || during === undefined) continue
    assert.ok(during.descriptorCount >= before.descriptorCount + SOCKETS - SLACK)
    const after = await eventually(
      () => {
        const footprint = footprintOf(broker)!
        assert.ok(footprint.descriptorCount < before.descriptorCount + SLACK, 'descriptors are given back')
        return footprint
      },
      { timeoutMs: 15_000 },
    )
    tell(
      `round ${round}: ${before.memoryMiB} MiB before, ${during.memoryMiB} during, ${after.memoryMiB} after; ` +
        `${before.descriptorCount}, ${during.descriptorCount}, ${after.descriptorCount} descriptors`,
    )
    if (round === 1) afterFirst = after.memoryMiB
    else assert.ok(after.memoryMiB < afterFirst + GROWTH_MIB_MAX, 'a round leaves no memory behind')
  }
}

async function openSubscriptions(
  t: TestContext,
  broker: DevBroker,
  count: number,
): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => openSocket(t, broker.url))
  let openCount = 0
  for (const socket of sockets) {
    socket.once('data', (data: Buffer) => {
      if (data.toString('latin1').startsWith('HTTP/1.1 101 ')) openCount++
    })
    socket.write(handshake('/v1/topics/doomed/subscribe?from=latest'))
  }
  await eventually(() => assert.equal(openCount, count), { timeoutMs: 20_000 })
  return sockets
}

async function assertDeletedTopic(
  t: TestContext,
  brokers: readonly [DevBroker, DevBroker, DevBroker],
): Promise<void> {
  const [first, second, third] = brokers
  const webSocket = new WebSocket(webSocketUrl(first, '/v1/topics/doomed/subscribe'))
  t.after(() => webSocket.terminate())
  const messages: string[] = []
  webSocket.on('message', (data: Buffer) => messages.push(data.toString()))
  const closed = once(webSocket, 'close') as Promise<[number, Buffer]>
  await once(webSocket, 'open')
  const stream = await fetch(`${second.url}/v1/topics/doomed/stream`)
  const streamed = stream.text()
  const wait = call(third.url, '/v1/topics/doomed/partitions/0/records?from=latest&wait=30s')
  await topicOf(first.url, 'doomed')
  assert.equal((await call(third.url, '/v1/topics/doomed', { method: 'DELETE' })).status, 204)
  const [code, reason] = await closed
  assert.equal(code, 4507)
  assert.equal(reason.toString(), 'topic-deleted')
  assert.equal(problemOf(messages.at(-1)), 'topic-deleted')
  assert.equal(problemOf((await streamed).trimEnd().split('\n').at(-1)), 'topic-deleted')
  const waited = await wait
  assert.ok(waited.status === 410 || waited.status === 404, `${waited.status}`)
  const again = new WebSocket(webSocketUrl(first, '/v1/topics/doomed/subscribe'))
  const [, response] = (await once(again, 'unexpected-response')) as [unknown, { statusCode: number }]
  assert.equal(response.statusCode, 404)
  again.on('error', () => undefined)
  again.terminate()
}

function problemOf(line: string | undefined): unknown {
  return (JSON.parse(line ?? '{}') as { problem?: { code: string } }).problem?.code
}
