import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import { openGateway, rawConnection } from '../support/open-gateway.ts'

const PAGE = '/v1/topics/t/partitions/0/records'
const MIB = 1024 * 1024

test('answers that do not fit the budget are refused, and what left it has room for others', async (t) => {
  const { call, refused, ports } = await openGateway(t, { answerBytesMax: 10_000 })
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'x'.repeat(8_000) }])
  ports.log.put(topic, 0, [{ value: 'x'.repeat(12_000) }])
  for (let time = 0; time < 5; time++) {
    assert.equal((await call('GET', `${PAGE}?limit=1`)).status, 200)
    assert.equal((await call('GET', `${PAGE}/0`)).text.length, 8_000)
  }
  for (const path of [`${PAGE}?from=1`, `${PAGE}/1`]) {
    const problem = await refused('overloaded', 'GET', path)
    assert.equal(problem.status, 503)
    assert.equal(problem.retryable, true)
  }
})

test('clients that do not take their answers hold the budget until they go', async (t) => {
  const { call, ports, port } = await openGateway(t, { answerBytesMax: 8 * MIB })
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'x'.repeat(3 * MIB) }])
  const request = `GET ${PAGE}?maxBytes=${4 * MIB} HTTP/1.1\r\nHost: x\r\n\r\n`
  const idle = await Promise.all(Array.from({ length: 4 }, () => rawConnection(t, port)))
  for (const { socket } of idle) {
    socket.pause()
    socket.write(request.repeat(10))
  }
  await eventually(async () => assert.equal((await call('GET', PAGE)).status, 503), { timeoutMs: 10_000 })
  for (const { socket } of idle) socket.destroy()
  await eventually(async () => assert.equal((await call('GET', PAGE)).status, 200))
})
