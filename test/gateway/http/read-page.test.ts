import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import { openGateway } from '../support/open-gateway.ts'

interface Page {
  readonly records: { readonly offset: number; readonly text?: string }[]
  readonly nextOffset: number
  readonly highWatermark: number
  readonly logStart: number
  readonly upToDate: boolean
  readonly cursor: string
}

const RECORDS = '/v1/topics/t/partitions/0/records'

test('a page begins at the earliest record and says where the next one begins', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  for (let batch = 0; batch < 5; batch++)
    ports.log.put(topic, 0, [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const offsets: number[] = []
  let next = 0
  for (let page = 0; page < 4; page++) {
    const answer = (await call('GET', `${RECORDS}?limit=4&from=${next}`)).json() as Page
    offsets.push(...answer.records.map(({ offset }) => offset))
    next = answer.nextOffset
    assert.equal(answer.upToDate, next === 15)
    assert.equal(answer.highWatermark, 15)
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: 15 }, (_, offset) => offset),
  )
})

test('every form of from finds its place', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  let nowMs = Date.UTC(2026, 0, 1)
  ports.log.nowMs = () => nowMs
  for (let index = 0; index < 10; index++, nowMs += 1_000) ports.log.put(topic, 0, [{ value: String(index) }])
  const first = async (from: string) =>
    ((await call('GET', `${RECORDS}?from=${encodeURIComponent(from)}`)).json() as Page).records[0]?.offset
  assert.deepEqual(
    [
      await first('earliest'),
      await first('latest'),
      await first('7'),
      await first('-3'),
      await first('0@4'),
      await first('time:2026-01-01T00:00:05.500Z'),
    ],
    [0, undefined, 7, 7, 4, 6],
  )
  assert.ok((await refused('invalid-offset', 'GET', `${RECORDS}?from=seven`)).hint.includes('earliest'))
  await refused('invalid-offset', 'GET', `${RECORDS}?from=1@2`)
})

test('an empty page is an answer, and beyond either end is an error with the bounds', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  const { cursor, ...page } = (await call('GET', RECORDS)).json() as Page
  assert.ok(cursor.length > 0)
  assert.deepEqual(page, {
    records: [],
    nextOffset: 0,
    highWatermark: 0,
    logStart: 0,
    upToDate: true,
  })
  for (let index = 0; index < 5; index++) ports.log.put(topic, 0, [{ value: 'x' }])
  ports.log.trim(topic, 0, 3)
  assert.equal((await refused('offset-out-of-range', 'GET', `${RECORDS}?from=6`))['highWatermark'], 5)
  assert.equal((await refused('offset-trimmed', 'GET', `${RECORDS}?from=2`))['logStart'], 3)
  assert.equal(((await call('GET', RECORDS)).json() as Page).records[0]?.offset, 3)
})

test('the cursor of a page goes on where it ended, in every way of reading', async (t) => {
  const { call, url, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  const { cursor } = (await call('GET', `${RECORDS}?limit=2`)).json() as Page
  const rest = (await call('GET', `${RECORDS}?from=cursor:${cursor}`)).json() as Page
  assert.deepEqual(
    rest.records.map(({ offset }) => offset),
    [2],
  )
  const lines = await (await fetch(`${url}/v1/topics/t/stream?follow=false&from=cursor:${cursor}`)).text()
  assert.equal((JSON.parse(lines) as { offset: number }).offset, 2)
  const offsets = await call('GET', `/v1/topics/t/partitions/0/offsets?at=cursor:${cursor}`)
  assert.equal((offsets.json() as { offset: number }).offset, 2)
})

test('a cursor of a topic that was deleted and made anew is refused, as is one that is none', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  ports.topics.add('t')
  const { cursor } = (await call('GET', RECORDS)).json() as Page
  await refused('invalid-cursor', 'GET', `${RECORDS}?from=cursor:${cursor.slice(1)}`)
  await call('DELETE', '/v1/topics/t')
  ports.topics.add('t')
  for (const path of [RECORDS, '/v1/topics/t/stream', '/v1/topics/t/partitions/0/offsets'])
    await refused(
      'topic-deleted',
      'GET',
      `${path}?${path.endsWith('offsets') ? 'at' : 'from'}=cursor:${cursor}`,
    )
})

test('until ends a page before its record, in every form', async (t) => {
  const { call, refused, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  let nowMs = Date.UTC(2026, 0, 1)
  ports.log.nowMs = () => nowMs
  for (let index = 0; index < 10; index++, nowMs += 1_000) ports.log.put(topic, 0, [{ value: String(index) }])
  const page = async (query: string) => (await call('GET', `${RECORDS}?${query}`)).json() as Page
  const next = async (query: string) => (await page(query)).nextOffset
  assert.equal(await next('from=2&until=5'), 5)
  assert.equal(await next('until=time:2026-01-01T00:00:03Z'), 3)
  assert.equal(await next('from=3&until=latest'), 10)
  assert.equal(await next('until=-4'), 6)
  assert.equal(await next('from=7&until=3&wait=60s'), 7)
  const { cursor } = await page('limit=4')
  assert.equal(await next(`until=cursor:${cursor}`), 4)
  assert.equal((await page('from=2&until=latest')).upToDate, true)
  assert.equal((await page('from=2&until=5&limit=2')).upToDate, false)
  await refused('invalid-offset', 'GET', `${RECORDS}?until=soon`)
})

test('a whole page between two offsets is the same for ever: it has an ETag and no live fields', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  for (let index = 0; index < 10; index++) ports.log.put(topic, 0, [{ value: String(index) }])
  const first = await call('GET', `${RECORDS}?from=2&until=5`)
  const etag = first.headers.get('etag') ?? ''
  assert.match(etag, /^"[^"]+"$/)
  assert.equal(first.headers.get('cache-control'), 'max-age=31536000, immutable')
  assert.equal(first.headers.get('vary'), 'Origin')
  assert.deepEqual(Object.keys(first.json() as Page), ['records', 'nextOffset', 'upToDate', 'cursor'])
  ports.log.put(topic, 0, [{ value: 'more' }])
  const again = await call('GET', `${RECORDS}?from=2&until=5`)
  assert.deepEqual(again.bytes, first.bytes)
  assert.equal(again.headers.get('etag'), etag)
  for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const held = await call('GET', `${RECORDS}?from=2&until=5`, { headers: { 'If-None-Match': tag } })
    assert.deepEqual([held.status, held.text, held.headers.get('etag')], [304, '', etag])
  }
  assert.equal(
    (await call('GET', `${RECORDS}?from=2&until=6`, { headers: { 'If-None-Match': etag } })).status,
    200,
  )
})

test('a page that may still change is not kept by caches', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  for (let index = 0; index < 10; index++) ports.log.put(topic, 0, [{ value: String(index) }])
  for (const query of [
    'from=2',
    'from=2&limit=3',
    'from=2&until=11',
    'from=2&until=latest',
    'from=earliest&until=5',
    'from=5&until=5',
    'from=2&until=9&maxBytes=1',
  ]) {
    const answer = await call('GET', `${RECORDS}?${query}`, { headers: { 'If-None-Match': '*' } })
    assert.equal(answer.status, 200, query)
    assert.deepEqual([answer.headers.get('etag'), answer.headers.get('cache-control')], [null, null], query)
    assert.ok('highWatermark' in (answer.json() as Page), query)
  }
  const full = await call('GET', `${RECORDS}?from=2&until=11&limit=3`)
  assert.ok(full.headers.get('etag') !== null, 'A page that is full does not depend on what comes after it.')
})

test('maxBytes ends a page, but one record always fits', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  ports.log.put(
    topic,
    0,
    Array.from({ length: 10 }, () => ({ value: 'x'.repeat(100) })),
  )
  const count = async (bytes: number) =>
    ((await call('GET', `${RECORDS}?maxBytes=${bytes}`)).json() as Page).records.length
  assert.equal(await count(1), 1)
  assert.ok((await count(700)) >= 2 && (await count(700)) < 5)
})

test('a wait ends with the first record, or empty when its time is over', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  assert.deepEqual(((await call('GET', `${RECORDS}?wait=20ms`)).json() as Page).records, [])
  const waiting = call('GET', `${RECORDS}?wait=60`)
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  ports.log.put(topic, 0, [{ value: 'news' }])
  assert.equal(((await waiting).json() as Page).records[0]?.text, 'news')
})

test('a reader that goes away ends its wait', async (t) => {
  const { url, ports } = await openGateway(t)
  ports.topics.add('t')
  const gone = new AbortController()
  const waiting = fetch(`${url}${RECORDS}?wait=60s`, { signal: gone.signal })
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  gone.abort()
  await assert.rejects(waiting)
  await eventually(() => assert.equal(ports.log.waitingCount, 0))
})

test('a closing gateway answers those who wait', async (t) => {
  const { call, gateway, ports, logged } = await openGateway(t)
  ports.topics.add('t')
  const waiting = call('GET', `${RECORDS}?wait=60s`)
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  await gateway.close({ drainMs: 5_000 })
  assert.deepEqual(((await waiting).json() as Page).records, [])
  assert.deepEqual(logged, [])
})

test('values out of bounds are refused with the bounds', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('t')
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'maxBytes=4194305',
    'wait=61',
    'wait=60001ms',
    'wait=-1',
    'wait=1m',
    'limit=1&limit=2',
  ])
    await refused('invalid-parameter', 'GET', `${RECORDS}?${query}`)
  await refused('unknown-parameter', 'GET', `${RECORDS}?cursor=x`)
  await refused('partition-not-found', 'GET', '/v1/topics/t/partitions/1/records')
  await refused('invalid-parameter', 'GET', '/v1/topics/t/partitions/a/records')
  await refused('topic-not-found', 'GET', '/v1/topics/u/partitions/0/records')
})
