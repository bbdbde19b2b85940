import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'

import { eventually } from '../support/eventually.ts'
import { openGateway } from './support/open-gateway.ts'

test('a stream runs through the gateway and ends with it', async (t) => {
  const { gateway, ports, url } = await openGateway(t)
  const topic = ports.topics.add('t')
  const response = await fetch(`${url}/v1/topics/t/stream`)
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  assert.ok(response.headers.get('request-id'))
  ports.log.put(topic, 0, [{ value: 'news' }])
  const reader = response.body?.getReader()
  const first = Buffer.from((await reader?.read())?.value ?? []).toString()
  assert.equal((JSON.parse(first) as { text: string }).text, 'news')
  const closing = gateway.close({ drainMs: 5_000 })
  const last = Buffer.from((await reader?.read())?.value ?? []).toString()
  assert.equal((JSON.parse(last) as { problem: { code: string } }).problem.code, 'draining')
  await closing
})

test('a subscriber comes through the gateway, is counted, and is told when it stops', async (t) => {
  const { gateway, ports, url } = await openGateway(t)
  const topic = ports.topics.add('t')
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/topics/t/subscribe?from=earliest`)
  const frames: string[] = []
  socket.on('message', (data) => frames.push(String(data as Buffer)))
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))
  ports.log.put(topic, 0, [{ value: 'hello' }])
  await eventually(() => assert.equal(frames.length, 1))
  assert.equal(gateway.subscriberCount, 1)
  await gateway.close({ drainMs: 1_000 })
  assert.equal(await closed, 1012)
  assert.equal(gateway.subscriberCount, 0)
})

test('a page of another origin cannot subscribe, and other upgrades find nothing', async (t) => {
  const { ports, url } = await openGateway(t)
  ports.topics.add('t')
  const refusal = (path: string, origin?: string) =>
    new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(
        `${url.replace('http', 'ws')}${path}`,
        origin === undefined ? {} : { origin },
      )
      socket.on('unexpected-response', (_request, response) => resolve(response.resume().statusCode))
      socket.on('error', () => undefined)
    })
  assert.equal(await refusal('/v1/topics/t/subscribe', 'https://evil.example'), 403)
  assert.equal(await refusal('/v1/topics/u/subscribe'), 404)
  assert.equal(await refusal('/livez'), 404)
})
