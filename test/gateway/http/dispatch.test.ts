import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'

import { openGateway } from '../support/open-gateway.ts'

test('an address that is not there is told, and a method that is not there with those that are', async (t) => {
  const { call, refused } = await openGateway(t)
  for (const path of [
    '/',
    '/v1',
    '/v1/topics/',
    '/v2/topics',
    '/v1/topics/a/b',
    '/v1/topics/a/records/',
    '//livez',
  ])
    await refused('not-found', 'GET', path)
  const answer = await call('PUT', '/v1/topics')
  assert.equal(answer.status, 405)
  assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS')
  await refused('method-not-allowed', 'DELETE', '/v1/topics/t/records')
  await refused('method-not-allowed', 'DELETE', '/v1/topics/t/batches')
  await refused('malformed-request', 'GET', '/v1/topics/%zz')
})

test('a plain GET where WebSocket is spoken is told how to speak it', async (t) => {
  const { call, refused, url } = await openGateway(t)
  const problem = await refused('upgrade-required', 'GET', '/v1/topics/t/subscribe')
  assert.equal(problem.hint, `wscat -c '${url.replace('http', 'ws')}/v1/topics/t/subscribe?from=earliest'`)
  assert.equal((await call('GET', '/v1/topics/t/subscribe')).headers.get('upgrade'), 'websocket')
})

test('every request has an id of its own', async (t) => {
  const { call } = await openGateway(t)
  const ids = await Promise.all(
    Array.from({ length: 20 }, async () => (await call('GET', '/livez')).headers.get('request-id')),
  )
  assert.equal(new Set(ids).size, 20)
})

test('HEAD is where GET is', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  for (const path of [
    '/livez',
    '/v1/topics',
    '/v1/topics/t',
    '/v1/topics/t/partitions/0/records',
    '/openapi.yaml',
  ]) {
    const answer = await call('HEAD', path)
    assert.deepEqual([answer.status, answer.text], [200, ''], path)
    assert.ok(Number(answer.headers.get('content-length')) > 0, path)
  }
})

test('a page of a listed origin may call and read the answer, errors too', async (t) => {
  const { call, ports } = await openGateway(t, { allowedOrigins: ['https://app.example'] })
  ports.topics.add('t')
  const headers = { Origin: 'https://app.example' }
  for (const path of ['/v1/topics/t', '/v1/topics/missing', '/nowhere']) {
    const answer = await call('GET', path, { headers })
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.equal(answer.headers.get('vary'), 'Origin')
    assert.ok(answer.headers.get('access-control-expose-headers')?.includes('Request-Id'))
  }
  assert.equal((await call('GET', '/v1/topics/t')).headers.get('access-control-allow-origin'), null)
})

test('a page of any other origin is refused before anything happens', async (t) => {
  const { refused, ports } = await openGateway(t, {
    allowedOrigins: ['https://app.example'],
    autoCreateTopics: true,
  })
  for (const origin of [
    'https://evil.example',
    'https://app.example:8443',
    'http://app.example',
    'null',
    'https://app.example.evil.example',
    'http://localhost:3000',
  ])
    await refused('origin-not-allowed', 'POST', '/v1/topics/t/records', {
      headers: { Origin: origin },
      body: 'x',
    })
  assert.equal(ports.topics.createCount, 0)
  assert.equal(ports.log.appends.length, 0)
})

test('a page that this broker served, and in development any local one, may call', async (t) => {
  const { call, url, port } = await openGateway(t)
  assert.equal((await call('GET', '/livez', { headers: { Origin: url } })).status, 200)
  const rebound = await new Promise<number | undefined>((resolve) => {
    const headers = { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` }
    request({ port, host: '127.0.0.1', path: '/livez', headers }, (response) =>
      resolve(response.resume().statusCode),
    ).end()
  })
  assert.equal(rebound, 403)
  const dev = await openGateway(t, { allowedOrigins: ['loopback'] })
  for (const origin of [
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'http://[::1]:80'.replace(':80', ':81'),
  ])
    assert.equal((await dev.call('GET', '/livez', { headers: { Origin: origin } })).status, 200, origin)
  await dev.refused('origin-not-allowed', 'GET', '/livez', {
    headers: { Origin: 'http://localhost.evil.example' },
  })
})

test('a browser that asks first hears what it may send', async (t) => {
  const { call } = await openGateway(t, { allowedOrigins: ['https://app.example'] })
  const answer = await call('OPTIONS', '/v1/topics/t/records', {
    headers: {
      Origin: 'https://app.example',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type, record-header-trace',
    },
  })
  assert.equal(answer.status, 204)
  assert.equal(answer.headers.get('access-control-allow-methods'), 'POST, GET, HEAD, OPTIONS')
  assert.equal(answer.headers.get('access-control-allow-headers'), 'content-type, record-header-trace')
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example')
  const exposed = (answer.headers.get('access-control-expose-headers') ?? '').split(', ')
  assert.ok(exposed.includes('Synod-Broker') && exposed.includes('*'), 'also names that producers choose')
  assert.equal((await call('OPTIONS', '/nowhere')).status, 404)
  const evil = await call('OPTIONS', '/v1/topics/t/records', { headers: { Origin: 'https://evil.example' } })
  assert.deepEqual([evil.status, evil.headers.get('access-control-allow-origin')], [403, null])
})

test('a request target may be a whole address', async (t) => {
  const { port } = await openGateway(t)
  const status = await new Promise<number | undefined>((resolve) => {
    request({ port, host: '127.0.0.1', path: 'http://somewhere.example/livez' }, (response) =>
      resolve(response.resume().statusCode),
    ).end()
  })
  assert.equal(status, 200)
})
