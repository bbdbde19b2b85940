import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'

import { SynodError } from '../../../src/errors.ts'
import { ByteBudget } from '../../../src/gateway/http/byte-budget.ts'
import { handleEvents } from '../../../src/gateway/http/events.ts'
import { DEFAULT_GATEWAY_OPTIONS } from '../../../src/gateway/options.ts'
import { eventually } from '../../support/eventually.ts'
import { fakePorts } from '../fakes.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { openGateway } from '../support/open-gateway.ts'

const EVENTS = '/v1/topics/t/events'

interface Seen {
  /** All that came so far. */
  text(): string
  /** Records and the id that came with each. */
  records(): { readonly id: string; readonly place: string }[]
  readonly response: Response
  leave(): void
}

/** Reads as it comes, in the background. */
async function listen(t: TestContext, url: string, headers: Record<string, string> = {}): Promise<Seen> {
  const gone = new AbortController()
  t.after(() => gone.abort())
  const response = await fetch(url, { headers, signal: gone.signal })
  let text = ''
  const pump = async (): Promise<void> => {
    const decoder = new TextDecoder()
    for await (const bytes of response.body ?? [])
      text += decoder.decode(bytes as Uint8Array, { stream: true })
  }
  pump().catch(() => undefined)
  const records = () =>
    [...text.matchAll(/id: (.*)\ndata: (.*)\n\n/g)].map(([, id = '', data = '']) => {
      const { partition, offset } = JSON.parse(data) as { partition: number; offset: number }
      return { id, place: `${partition}@${offset}` }
    })
  return { response, text: () => text, records, leave: () => gone.abort() }
}

test('each record is an event, and the id of the last one resumes exactly after it', async (t) => {
  const { url, ports } = await openGateway(t)
  const topic = ports.topics.add('t', 2)
  ports.log.put(topic, 0, [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  ports.log.put(topic, 1, [{ value: '{"x":\n1}', form: 'json' }])
  const first = await listen(t, `${url}${EVENTS}?from=earliest`)
  assert.equal(first.response.headers.get('content-type'), 'text/event-stream')
  assert.equal(first.response.headers.get('x-accel-buffering'), 'no')
  await eventually(() => assert.equal(first.records().length, 4))
  const all = first.records().map(({ place }) => place)
  for (const [index, { id }] of first.records().entries()) {
    const again = await listen(t, `${url}${EVENTS}?from=earliest`, { 'Last-Event-ID': id })
    const rest = all.slice(index + 1)
    await eventually(() => assert.equal(again.records().length, rest.length))
    assert.deepEqual(
      again
        .records()
        .map(({ place }) => place)
        .toSorted(),
      rest.toSorted(),
    )
    again.leave()
  }
})

test('who is cut off before the first record goes on from where it began', async (t) => {
  const { url, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'old' }])
  const first = await listen(t, `${url}${EVENTS}`)
  await eventually(() => assert.match(first.text(), /^id: \S+\n\n/))
  first.leave()
  ports.log.put(topic, 0, [{ value: 'missed' }])
  const id = /^id: (\S+)/.exec(first.text())?.[1] ?? ''
  const again = await listen(t, `${url}${EVENTS}`, { 'Last-Event-ID': id })
  await eventually(() =>
    assert.deepEqual(
      again.records().map(({ place }) => place),
      ['0@1'],
    ),
  )
})

test('a comment comes every 15 s in which no record did', async (t) => {
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  const timers = new VirtualTimers()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const server = createServer((_request, response) => {
    void handleEvents(_request, response, {
      timers,
      query: new Map(),
      context: {
        ports,
        options: { ...DEFAULT_GATEWAY_OPTIONS, version: '0', metrics: () => Promise.resolve(''), log },
        closing: new AbortController().signal,
        answers: new ByteBudget(1024),
        ingests: new ByteBudget(1024),
        requestId: 'r1',
        path: EVENTS,
        search: '',
        params: ['t'],
        host: 'localhost',
      },
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const seen = await listen(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}${EVENTS}`)
  const beats = () => seen.text().split(': hb\n\n').length - 1
  await timers.advance(14_999)
  assert.equal(beats(), 0)
  await timers.advance(1)
  await eventually(() => assert.equal(beats(), 1))
  await timers.advance(10_000)
  ports.log.put(topic, 0, [{ value: 'x' }])
  await eventually(() => assert.equal(seen.records().length, 1))
  await timers.advance(14_999)
  assert.equal(beats(), 1)
  await timers.advance(1)
  await eventually(() => assert.equal(beats(), 2))
})

test('a failure after the beginning is an event of its own, one before has its status', async (t) => {
  const { url, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'a' }])
  const seen = await listen(t, `${url}${EVENTS}?from=earliest`)
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  ports.log.beforeRead = () => {
    throw new SynodError('topic-deleted', 'Gone.')
  }
  ports.log.put(topic, 0, [{ value: 'b' }])
  await eventually(() =>
    assert.match(seen.text(), /event: problem\ndata: \{.*"code":"topic-deleted".*\}\n\n$/),
  )
  ports.log.beforeRead = () => undefined
  await refused('invalid-cursor', 'GET', EVENTS, { headers: { 'Last-Event-ID': 'x' } })
  await refused('offset-out-of-range', 'GET', `${EVENTS}?from=0@9`)
  await refused('unknown-parameter', 'GET', `${EVENTS}?follow=false`)
})
