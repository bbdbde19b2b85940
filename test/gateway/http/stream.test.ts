import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { SynodError } from '../../../src/errors.ts'
import { ByteBudget } from '../../../src/gateway/http/byte-budget.ts'
import type { RequestContext } from '../../../src/gateway/http/context.ts'
import { handleStream } from '../../../src/gateway/http/stream.ts'
import { DEFAULT_GATEWAY_OPTIONS } from '../../../src/gateway/options.ts'
import { toProblem } from '../../../src/gateway/problem.ts'
import { eventually } from '../../support/eventually.ts'
import { fakePorts, type FakePorts } from '../fakes.ts'
import { countedBatch, storedRecord } from '../reading/batches.ts'

interface StreamServer {
  readonly ports: FakePorts
  readonly port: number
  readonly url: string
  readonly closing: AbortController
  readonly errors: unknown[]
}

const text = (value: string) => [{ value: Buffer.from(value) }]

/** A bare server with nothing but streams, as the gateway calls them. */
async function startStreams(t: TestContext): Promise<StreamServer> {
  const ports = fakePorts()
  const closing = new AbortController()
  const errors: unknown[] = []
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: unknown) => void errors.push(fields),
  }
  const options = { ...DEFAULT_GATEWAY_OPTIONS, version: '0', metrics: () => Promise.resolve(''), log }
  const server = createServer((request, response) => {
    const [path = '', search = ''] = (request.url ?? '/').split('?')
    const context: RequestContext = {
      ports,
      options,
      closing: closing.signal,
      answers: new ByteBudget(1024),
      ingests: new ByteBudget(1024),
      requestId: 'r1',
      path,
      search,
      params: [path.split('/')[3] ?? ''],
      host: 'localhost:8080',
    }
    handleStream(request, response, context).catch((error: unknown) => {
      const problem = toProblem(error, 'r1', path)
      response.writeHead(problem.status).end(JSON.stringify(problem))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { ports, port, url: `http://127.0.0.1:${port}/v1/topics`, closing, errors }
}

interface Line {
  readonly partition: number
  readonly offset: number
  readonly text?: string
  readonly problem?: Record<string, unknown>
}

function linesOf(body: string): Line[] {
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

/** Reads an answer that goes on; the headers are there when it resolves. */
async function tail(
  t: TestContext,
  url: string,
): Promise<{ readonly response: Response; lines(): Line[]; readonly ended: Promise<void> }> {
  const abort = new AbortController()
  t.after(() => abort.abort())
  const response = await fetch(url, { signal: abort.signal })
  let body = ''
  const pump = async (): Promise<void> => {
    for await (const part of response.body ?? []) body += Buffer.from(part as Uint8Array).toString()
  }
  const ended = pump().catch(() => undefined)
  return { response, ended, lines: () => linesOf(body) }
}

test('follows from the latest record by default, and the headers come at once', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('t', 2)
  server.ports.log.put(topic, 0, text('old'))
  const { response, lines } = await tail(t, `${server.url}/t/stream`)
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  assert.equal(response.headers.get('cache-control'), 'no-store')
  server.ports.log.put(topic, 0, text('new'))
  server.ports.log.put(topic, 1, text('other'))
  await eventually(() => assert.equal(lines().length, 2))
  assert.deepEqual(
    lines()
      .map(({ partition, offset, text: shown }) => `${partition}@${offset} ${shown}`)
      .toSorted(),
    ['0@1 new', '1@0 other'],
  )
})

test('follow=false begins at the earliest record and ends at what was readable then', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('t', 2)
  for (let index = 0; index < 250; index++) server.ports.log.put(topic, index % 2, text(`${index}`))
  const body = await (await fetch(`${server.url}/t/stream?follow=false`)).text()
  const lines = linesOf(body)
  assert.equal(lines.length, 250)
  for (const partition of [0, 1]) {
    assert.deepEqual(
      lines.filter((line) => line.partition === partition).map(({ offset }) => offset),
      Array.from({ length: 125 }, (_, offset) => offset),
    )
  }
  assert.equal(await (await fetch(`${server.url}/t/stream?follow=false&from=latest`)).text(), '')
  const last = linesOf(await (await fetch(`${server.url}/t/stream?follow=false&from=-2&partition=1`)).text())
  assert.deepEqual(
    last.map(({ offset }) => offset),
    [123, 124],
  )
  server.ports.topics.add('empty')
  assert.equal(await (await fetch(`${server.url}/empty/stream?follow=false`)).text(), '')
})

test('refuses what is wrong before the answer begins', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('orders', 2)
  for (let index = 0; index < 5; index++) server.ports.log.put(topic, 0, text('x'))
  server.ports.log.trim(topic, 0, 3)
  for (const [path, status, code] of [
    ['order/stream', 404, 'topic-not-found'],
    ['orders/stream?from=17', 400, 'invalid-offset'],
    ['orders/stream?follow=maybe', 400, 'invalid-parameter'],
    ['orders/stream?form=earliest', 400, 'unknown-parameter'],
    ['orders/stream?partition=5', 404, 'partition-not-found'],
    ['orders/stream?from=0@2', 410, 'offset-trimmed'],
    ['orders/stream?from=0@6', 416, 'offset-out-of-range'],
  ] as const) {
    const response = await fetch(`${server.url}/${path}`)
    assert.equal(response.status, status, path)
    assert.equal(((await response.json()) as { code: string }).code, code)
  }
  server.closing.abort()
  assert.equal((await fetch(`${server.url}/orders/stream`)).status, 503)
})

test('ends with a line that holds the problem when something goes wrong after the 200', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('t')
  const { lines, ended } = await tail(t, `${server.url}/t/stream`)
  await eventually(() => assert.equal(server.ports.log.waitingCount, 1))
  server.ports.log.beforeRead = () => {
    throw new SynodError('topic-deleted', 'It was deleted.')
  }
  server.ports.log.put(topic, 0, text('last'))
  await ended
  assert.deepEqual(
    lines().map((line) => line.problem?.['code']),
    [undefined, 'topic-deleted'],
  )
  assert.equal(lines()[1]?.problem?.['instance'], '/v1/topics/t/stream')
  assert.deepEqual(server.errors, [])
})

test('ends with the problem draining when the broker stops', async (t) => {
  const server = await startStreams(t)
  server.ports.topics.add('t')
  const { lines, ended } = await tail(t, `${server.url}/t/stream`)
  await eventually(() => assert.equal(server.ports.log.waitingCount, 1))
  server.closing.abort()
  await ended
  assert.equal(lines()[0]?.problem?.['code'], 'draining')
  await eventually(() => assert.equal(server.ports.log.waitingCount, 0))
})

test('stops reading when the client goes', async (t) => {
  const server = await startStreams(t)
  server.ports.topics.add('t', 3)
  const abort = new AbortController()
  await fetch(`${server.url}/t/stream`, { signal: abort.signal })
  await eventually(() => assert.equal(server.ports.log.waitingCount, 3))
  abort.abort()
  await eventually(() => assert.equal(server.ports.log.waitingCount, 0))
})

test('answers HEAD with the headers alone', async (t) => {
  const server = await startStreams(t)
  server.ports.topics.add('t')
  const response = await fetch(`${server.url}/t/stream`, { method: 'HEAD' })
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  assert.equal(server.ports.log.waitingCount, 0)
})

test('100 streams cost one encoding of a batch', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('t')
  const all = await Promise.all(Array.from({ length: 100 }, () => tail(t, `${server.url}/t/stream`)))
  await eventually(() => assert.equal(server.ports.log.waitingCount, 100))
  const state = server.ports.log.partition(topic, 0)
  const batch = countedBatch([storedRecord(0), storedRecord(1)])
  state.batches.push(batch)
  state.highWatermark = 2
  for (const wake of state.waiters) wake()
  await eventually(() => assert.ok(all.every(({ lines }) => lines().length === 2)))
  assert.equal(batch.looks(), 1)
})

async function deafClient(t: TestContext, server: StreamServer): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write('GET /v1/topics/t/stream?from=earliest HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'readable')
  return socket
}

test('stops reading the log for a client that does not read, and goes on when it does', async (t) => {
  const server = await startStreams(t)
  const topic = server.ports.topics.add('t')
  const value = Buffer.alloc(64 * 1024, 'x')
  for (let index = 0; index < 400; index++) server.ports.log.put(topic, 0, [{ value }])
  const socket = await deafClient(t, server)
  let readCount = 0
  await eventually(() => {
    const before = readCount
    readCount = server.ports.log.reads.length
    assert.equal(readCount, before)
  })
  assert.ok(Math.max(...server.ports.log.reads.map(({ fromOffset }) => fromOffset)) < 300)
  let received = 0
  socket.on('data', (data: Buffer) => (received += data.length))
  socket.resume()
  await eventually(() => assert.ok(received > 399 * value.length))
})
