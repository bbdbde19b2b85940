import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import {
  createSynodClient,
  NoAnswer,
  subscribe,
  SynodProblem,
  type SubscribeOptions,
  type SynodRecord,
  type WebSocketLike,
} from '../../clients/typescript/src/client.ts'
import { decodeFrame } from '../../clients/typescript/src/frames.ts'
import { SynodError } from '../../src/errors.ts'
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts'
import type { Topic } from '../../src/types/topic.ts'
import { eventually } from '../support/eventually.ts'
import { fakePorts, type FakePorts } from '../gateway/fakes.ts'

interface Broker {
  readonly gateway: Gateway
  readonly url: string
}

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A broker's public side; several may share one memory, as brokers share what they agreed on. */
async function startBroker(t: TestContext, ports: FakePorts): Promise<Broker> {
  const gateway = createGateway(ports, { version: '0', metrics: () => Promise.resolve(''), log })
  const { port } = await gateway.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => gateway.close({ drainMs: 0 }))
  return { gateway, url: `http://127.0.0.1:${port}` }
}

function put(ports: FakePorts, topic: Topic, count: number): void {
  for (let index = 0; index < count; index++) {
    ports.log.put(topic, index % topic.partitions.length, [{ value: Buffer.from(`${index}`) }])
  }
}

interface Reading {
  readonly seen: SynodRecord[]
  readonly opened: string[]
  readonly ended: Promise<unknown>
}

/** Reads in the background until the test ends; `ended` resolves with the error, if one ended it. */
function read(t: TestContext, options: SubscribeOptions): Reading {
  const abort = new AbortController()
  const seen: SynodRecord[] = []
  const opened: string[] = []
  const run = async (): Promise<void> => {
    const all = { WebSocket, signal: abort.signal, onOpen: (url: string) => void opened.push(url), ...options }
    for await (const record of subscribe(all)) seen.push(record)
  }
  const ended = run().then(() => undefined, (error: unknown) => error)
  t.after(async () => {
    abort.abort()
    await ended
  })
  return { seen, opened, ended }
}

function assertGapless(seen: readonly SynodRecord[], starts: Record<number, number> = {}): void {
  const next = new Map(Object.entries(starts).map(([partition, offset]) => [Number(partition), offset]))
  for (const { partition, offset } of seen) {
    assert.equal(offset, next.get(partition) ?? 0, `partition ${partition}`)
    next.set(partition, offset + 1)
  }
}

test('produces and reads back, with a receipt for each record', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const client = createSynodClient(url, { WebSocket })
  await client.createTopic('orders', { partitions: 3 })
  const receipts = await client.produce('orders', [
    { key: 'a', value: { amount: 1 } },
    { key: 'a', text: 'héllo', headers: { trace: '1' } },
    { key: 'a', base64: 'AP8=' },
    { key: 'a' },
  ])
  assert.deepEqual(receipts.map(({ offset }) => offset), [0, 1, 2, 3])
  const seen: SynodRecord[] = []
  for await (const record of client.subscribe('orders')) {
    seen.push(record)
    if (seen.length === 4) break
  }
  assert.deepEqual(seen.map(({ value, text, base64 }) => value ?? text ?? base64 ?? null), [{ amount: 1 }, 'héllo', 'AP8=', null])
  assert.equal(seen[0]?.partition, receipts[0]?.partition)
  await assert.doesNotReject(client.get('/v1/cluster'))
})

test('gives every record once and in order although its brokers go one after the other', async (t) => {
  const ports = fakePorts()
  const brokers = [await startBroker(t, ports), await startBroker(t, ports), await startBroker(t, ports)]
  const topic = ports.topics.add('t', 3)
  put(ports, topic, 300)
  const { seen, opened } = read(t, { urls: brokers.map(({ url }) => url), topic: 't' })
  for (const [index, broker] of brokers.slice(0, 2).entries()) {
    await eventually(() => assert.equal(seen.length, 300 * (index + 1)))
    put(ports, topic, 150)
    await broker.gateway.close({ drainMs: 0 })
    put(ports, topic, 150)
  }
  await eventually(() => assert.equal(seen.length, 900))
  assertGapless(seen)
  assert.deepEqual(opened, brokers.map(({ url }) => url))
})

test('latest means where it began, also for partitions that were silent when the connection broke', async (t) => {
  const ports = fakePorts()
  const brokers = [await startBroker(t, ports), await startBroker(t, ports)]
  const topic = ports.topics.add('t', 3)
  put(ports, topic, 30)
  const { seen, opened } = read(t, { urls: brokers.map(({ url }) => url), topic: 't', from: 'latest' })
  await eventually(() => assert.equal(opened.length, 1))
  ports.log.put(topic, 1, [{ value: Buffer.from('first') }])
  await eventually(() => assert.equal(seen.length, 1))
  await brokers[0]?.gateway.close({ drainMs: 0 })
  put(ports, topic, 30)
  await eventually(() => assert.equal(seen.length, 31))
  assertGapless(seen, { 0: 10, 1: 10, 2: 10 })
})

test('begins at given offsets and in a single partition', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('t', 3)
  put(ports, topic, 30)
  const given = read(t, { urls: url, topic: 't', from: { 0: 7, 2: 10 } })
  await eventually(() => assert.equal(given.seen.length, 13))
  assertGapless(given.seen, { 0: 7, 2: 10 })
  const single = read(t, { urls: url, topic: 't', from: '-2', partition: 1 })
  await eventually(() => assert.deepEqual(single.seen.map(({ partition, offset }) => `${partition}@${offset}`), ['1@8', '1@9']))
})

test('ends with what the brokers say when there is nothing to go on with', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('trimmed')
  put(ports, topic, 10)
  ports.log.trim(topic, 0, 5)
  for (const [options, code] of [
    [{ topic: 'nowhere' }, 'topic-not-found'],
    [{ topic: 'trimmed', from: { 0: 2 } }, 'offset-trimmed'],
    [{ topic: 'trimmed', from: { 0: 99 } }, 'offset-out-of-range'],
    [{ topic: 'trimmed', from: 'whenever' }, 'invalid-offset'],
  ] as const) {
    const error = await read(t, { urls: url, ...options }).ended
    assert.ok(error instanceof SynodProblem, String(error))
    assert.equal(error.code, code)
  }
})

test('does not mix up a topic with another one of the same name', async (t) => {
  const ports = fakePorts()
  const brokers = [await startBroker(t, ports), await startBroker(t, ports)]
  put(ports, ports.topics.add('t'), 5)
  const { seen, ended } = read(t, { urls: brokers.map(({ url }) => url), topic: 't' })
  await eventually(() => assert.equal(seen.length, 5))
  await ports.topics.delete('t', undefined)
  put(ports, ports.topics.add('t'), 9)
  await brokers[0]?.gateway.close({ drainMs: 0 })
  const error = await ended
  assert.ok(error instanceof SynodProblem)
  assert.equal(error.code, 'topic-deleted')
  assert.equal(seen.length, 5)
})

test('ends when its signal aborts, and lets its socket go when the loop is left', async (t) => {
  const ports = fakePorts()
  const { gateway, url } = await startBroker(t, ports)
  put(ports, ports.topics.add('t'), 3)
  for await (const record of subscribe({ urls: url, topic: 't', WebSocket })) if (record.offset === 1) break
  await eventually(() => assert.equal(gateway.subscriberCount, 0))
  const abort = new AbortController()
  const { ended } = read(t, { urls: url, topic: 't', signal: abort.signal })
  await eventually(() => assert.equal(gateway.subscriberCount, 1))
  abort.abort()
  assert.equal(await ended, undefined)
  await eventually(() => assert.equal(gateway.subscriberCount, 0))
})

test('a slow consumer never has more waiting than its credit, and loses nothing', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('t')
  for (let batch = 0; batch < 20; batch++) {
    ports.log.put(topic, 0, Array.from({ length: 1_000 }, () => ({ key: 'é', value: Buffer.alloc(10) })))
  }
  let receivedCount = 0
  class Counting extends WebSocket {
    constructor(target: string, protocol: string) {
      super(target, protocol)
      this.on('message', (data: ArrayBuffer) => {
        const frame = decodeFrame(data)
        if (frame.type === 'records') receivedCount += frame.records.length
      })
    }
  }
  const credit = { records: 100, bytes: 600 }
  let next = 0
  let waitingMax = 0
  for await (const record of subscribe({ urls: url, topic: 't', WebSocket: Counting, credit })) {
    assert.equal(record.offset, next++)
    // Time for what the broker still may send.
    if (next % 1_000 === 1) await eventually(() => assert.ok(receivedCount - next >= 10))
    waitingMax = Math.max(waitingMax, receivedCount - next)
    if (next === 20_000) break
  }
  assert.ok(waitingMax <= 50, `${waitingMax} of 12 bytes each waited`)
})

test('takes a record that is larger than its credit, and goes on after it', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('t')
  for (const bytes of [10, 5_000, 0, 10, 5_000, 10]) ports.log.put(topic, 0, [{ value: Buffer.alloc(bytes) }])
  const { seen } = read(t, { urls: url, topic: 't', credit: { records: 1, bytes: 1 } })
  await eventually(() => assert.equal(seen.length, 6))
  assertGapless(seen)
})

test('says so when the records that come next are trimmed before it has them', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('t')
  put(ports, topic, 10)
  const { seen, ended } = read(t, { urls: url, topic: 't' })
  await eventually(() => assert.equal(seen.length, 10))
  put(ports, topic, 10)
  ports.log.trim(topic, 0, 15)
  const error = await ended
  assert.ok(error instanceof SynodProblem, String(error))
  assert.deepEqual([error.code, error.problem['lost']], ['offset-trimmed', 5])
  assert.equal(seen.length, 10)
})

/** Takes everything and never says a word. */
class DeadWebSocket implements WebSocketLike {
  binaryType = ''
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: string[] = []

  send(data: Uint8Array): void {
    this.sent.push(new TextDecoder().decode(data.subarray(4)))
  }

  close(): void {}
}

test('asks a broker that went silent whether it is there, and leaves it when it is not', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  put(ports, ports.topics.add('t'), 3)
  const dead = new DeadWebSocket()
  let count = 0
  class FirstIsDead extends WebSocket {
    constructor(target: string, protocol: string) {
      super(target, protocol)
      if (count++ > 0) return
      this.on('error', () => undefined)
      this.close()
      setImmediate(() => dead.onopen?.({} as never))
      return dead as unknown as FirstIsDead
    }
  }
  const { seen } = read(t, { urls: url, topic: 't', WebSocket: FirstIsDead, silenceMs: 50 })
  await eventually(() => assert.equal(seen.length, 3))
  assertGapless(seen)
  assert.deepEqual(dead.sent.map((frame) => (JSON.parse(frame) as { type: string }).type), ['subscribe', 'ping'])
})

test('leaves a connection that never opens', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  put(ports, ports.topics.add('t'), 3)
  let count = 0
  class FirstNeverOpens extends WebSocket {
    constructor(target: string, protocol: string) {
      super(target, protocol)
      if (count++ > 0) return
      this.on('error', () => undefined)
      this.close()
      return new DeadWebSocket() as unknown as FirstNeverOpens
    }
  }
  const { seen } = read(t, { urls: url, topic: 't', WebSocket: FirstNeverOpens, silenceMs: 50 })
  await eventually(() => assert.equal(seen.length, 3))
})

test('sends again under the same key while nobody leads, at the other brokers too', async (t) => {
  const ports = fakePorts()
  const brokers = [await startBroker(t, ports), await startBroker(t, ports)]
  const topic = ports.topics.add('t')
  let failures = 2
  ports.log.beforeAppend = () => {
    if (failures-- > 0) throw new SynodError('no-leader', 'nobody', { retryAfterMs: 1 })
  }
  const client = createSynodClient(['http://127.0.0.1:1', ...brokers.map(({ url }) => url)])
  const [receipt] = await client.produce('t', [{ text: 'x' }])
  assert.equal(receipt?.offset, 0)
  assert.equal(ports.log.appends.length, 3)
  const keys = ports.log.appends.map(({ idempotency }) => (idempotency?.kind === 'key' ? idempotency.key : ''))
  assert.equal(new Set(keys).size, 1)
  assert.equal(ports.log.partition(topic, 0).highWatermark, 1)
})

test('stores once what was stored before its answer was lost or not known', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  const topic = ports.topics.add('t')
  let lost = 0
  const client = createSynodClient(url, {
    async fetch(input, init) {
      const response = await fetch(input, init)
      if (lost++ > 1) return response
      await response.text()
      if (lost === 1) throw new TypeError('fetch failed')
      const problem = { code: 'outcome-unknown', status: 504, title: '', detail: '', hint: '', retryable: false, sideEffects: 'possible', requestId: '' }
      return new Response(JSON.stringify(problem), { status: 504 })
    },
  })
  const [receipt] = await client.produce('t', [{ text: 'x' }])
  assert.equal(lost, 3)
  assert.deepEqual([receipt?.offset, receipt?.duplicate], [0, true])
  assert.equal(ports.log.partition(topic, 0).highWatermark, 1)
})

test('does not send again what will not pass, and gives up after its time', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  ports.topics.add('closed', 1, { closed: true })
  const client = createSynodClient(url)
  await assert.rejects(client.produce('closed', [{ text: 'x' }]), (error) => error instanceof SynodProblem && error.code === 'topic-closed')
  assert.equal(ports.log.appends.length, 1)
  await assert.rejects(client.produce('nowhere', [{ text: 'x' }]), { name: 'SynodProblem', message: /topic-not-found/ })
  await assert.rejects(createSynodClient('http://127.0.0.1:1').produce('t', [{ text: 'x' }], { timeoutMs: 300 }), NoAnswer)
})

test('says that records may be stored when the last try says no but one before it was unclear', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  ports.topics.add('t')
  ports.log.beforeAppend = () => {
    throw new SynodError('no-leader', 'Nobody leads.', { retryAfterMs: 10 })
  }
  let calls = 0
  const lostOnce: typeof fetch = (input, init) =>
    calls++ === 0 ? Promise.reject(new TypeError('The connection broke.')) : fetch(input, init)
  const client = createSynodClient(url, { fetch: lostOnce })
  await assert.rejects(client.produce('t', [{ text: 'x' }], { timeoutMs: 400 }), (error) => {
    assert.ok(error instanceof SynodProblem)
    assert.equal(error.code, 'no-leader')
    assert.equal(error.problem.sideEffects, 'possible')
    return true
  })
})

test('a broker that takes a request and never answers is given up for another one', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  ports.topics.add('t')
  const mute = createServer(() => undefined)
  mute.listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.after(() => {
    mute.closeAllConnections()
    mute.close()
  })
  const client = createSynodClient([`http://127.0.0.1:${(mute.address() as AddressInfo).port}`, url], { tryMs: 100 })
  assert.equal((await client.produce('t', [{ text: 'x' }]))[0]?.offset, 0)
})

test('the next call begins at another broker when one did not answer within the time of a call', async (t) => {
  const ports = fakePorts()
  const { url } = await startBroker(t, ports)
  ports.topics.add('t')
  let askedCount = 0
  const client = createSynodClient(['http://127.0.0.1:1', url], {
    fetch: (input, init) => {
      askedCount++
      return fetch(input, init)
    },
  })
  await assert.rejects(client.produce('t', [{ text: 'x' }], { timeoutMs: 1 }), NoAnswer)
  assert.equal((await client.produce('t', [{ text: 'x' }]))[0]?.offset, 0)
  assert.equal(askedCount, 2)
})

test('says what is missing when it is made wrongly', async () => {
  assert.throws(() => createSynodClient([]), TypeError)
  assert.throws(() => createSynodClient('localhost:8080'), TypeError)
  const bare = globalThis as { WebSocket?: unknown }
  if (bare.WebSocket === undefined) {
    await assert.rejects(subscribe({ urls: 'http://localhost:1', topic: 't' }).next(), /package `ws`/)
  }
})
