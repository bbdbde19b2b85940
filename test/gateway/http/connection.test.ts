import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DUE_ANSWERS_MAX } from '../../../src/gateway/http/connection.ts'
import { eventually } from '../../support/eventually.ts'
import { openGateway, rawConnection } from '../support/open-gateway.ts'

const WAIT = 'GET /v1/topics/t/partitions/0/records?from=latest&wait=60s HTTP/1.1\r\nHost: x\r\n\r\n'
const PRODUCE = 'POST /v1/topics/t/records HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'

test('a produce is answered as what it became, although what follows it is no HTTP', async (t) => {
  const { ports, port } = await openGateway(t)
  ports.topics.add('t')
  let store: () => void = () => undefined
  ports.log.beforeAppend = () => new Promise((resolve) => (store = resolve))
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write(`${PRODUCE}\0garbage\r\n\r\n`)
  await eventually(() => assert.equal(ports.log.appends.length, 1))
  socket.write('and more garbage')
  store()
  await closed
  const [first = '', second = ''] = received().split(/(?<=})(?=HTTP\/1\.1)/)
  assert.match(first, /^HTTP\/1\.1 201 Created\r\n/)
  assert.match(second, /^HTTP\/1\.1 400 Bad Request\r\n[^]*"code":"malformed-request"/)
})

test('requests of one connection are answered in turn, and produces share a sync all the same', async (t) => {
  const { ports, port } = await openGateway(t)
  ports.topics.add('t')
  let reading = 0
  let readingMost = 0
  ports.log.beforeRead = async () => {
    readingMost = Math.max(readingMost, ++reading)
    await new Promise((resolve) => setImmediate(resolve))
    reading--
  }
  let store: () => void = () => undefined
  const stored = new Promise<void>((resolve) => (store = resolve))
  ports.log.beforeAppend = () => stored
  const { socket, received } = await rawConnection(t, port)
  const page = 'GET /v1/topics/t/partitions/0/records HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(PRODUCE + PRODUCE + page.repeat(20))
  await eventually(() => assert.equal(ports.log.appends.length, 2, 'both are under way at once'))
  assert.equal(ports.log.reads.length, 0)
  store()
  await eventually(() => assert.equal(received().split('HTTP/1.1 200 OK').length, 21))
  assert.equal(readingMost, 1)
})

test('a connection that asks for more and more answers than it can get ends', async (t) => {
  const { ports, port, url } = await openGateway(t)
  ports.topics.add('t')
  const patient = await rawConnection(t, port)
  patient.socket.write(WAIT.repeat(DUE_ANSWERS_MAX))
  const greedy = await rawConnection(t, port)
  greedy.socket.write(WAIT.repeat(DUE_ANSWERS_MAX + 1))
  await greedy.closed
  assert.equal(patient.socket.destroyed, false)
  assert.equal((await fetch(`${url}/livez`)).status, 200)
})

test('a request without a Host is refused, unless it is of the time before there was one', async (t) => {
  const { port } = await openGateway(t)
  const without = await rawConnection(t, port)
  without.socket.write('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n')
  await without.closed
  assert.match(without.received(), /^HTTP\/1\.1 400 [^]*"code":"malformed-request"/)
  const old = await rawConnection(t, port)
  old.socket.write('GET /livez HTTP/1.0\r\n\r\n')
  await old.closed
  assert.match(old.received(), /^HTTP\/1\.1 200 /)
})

test('what a client expects beyond 100-continue is left out of account', async (t) => {
  const { ports, port } = await openGateway(t)
  ports.topics.add('t')
  const { socket, received, closed } = await rawConnection(t, port)
  socket.write(PRODUCE.replace('\r\n\r\n', '\r\nExpect: pizza\r\nConnection: close\r\n\r\n'))
  await closed
  assert.match(received(), /^HTTP\/1\.1 201 /)
})
