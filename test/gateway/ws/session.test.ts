import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { SynodError } from '../../../src/errors.ts'
import { decodeCursor } from '../../../src/gateway/reading/cursor.ts'
import { SUBSCRIPTIONS_MAX } from '../../../src/gateway/ws/session.ts'
import { eventually } from '../../support/eventually.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { openSession, PLENTY } from './session-client.ts'
import { refusal, SESSION_FRAME_BYTES, startSubscribeServer } from './subscribe-server.ts'

const upTo = (count: number): number[] => [...Array(count).keys()]
const subscribe = (sid: string, more: Record<string, unknown> = {}) => ({
  type: 'subscribe',
  id: `subscribe ${sid}`,
  sid,
  topic: 't',
  from: 'earliest',
  credit: PLENTY,
  ...more,
})

test('rule 1: subscribed comes before any record, with the start positions, fixed', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 3)
  server.ports.log.put(topic, 1, [{ value: 'a' }, { value: 'b' }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { from: 'latest' }))
  const { positions, epoch, cursor, id } = await client.next('subscribed')
  assert.deepEqual(positions, [
    { partition: 0, nextOffset: 0 },
    { partition: 1, nextOffset: 2 },
    { partition: 2, nextOffset: 0 },
  ])
  assert.deepEqual([epoch, id], [0, 'subscribe a'])
  assert.deepEqual([...decodeCursor(cursor).places.values()], [0, 2, 0])
  server.ports.log.put(topic, 1, [{ value: 'c' }])
  await client.next('records')
  assert.deepEqual(
    client.frames.map(({ type }) => type),
    ['welcome', 'subscribed', 'records'],
  )
  assert.deepEqual(client.offsets('a', 1), [2])
})

test('rule 2: no more records than the credit, and a grant lets go on', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 20; index++)
    server.ports.log.put(topic, 0, [{ value: `${index}` }, { value: 'x' }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 3, bytes: 1_000 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), upTo(3)))
  await client.settled()
  client.send({ type: 'credit', sid: 'a', records: 4, bytes: 0 })
  await eventually(() => assert.deepEqual(client.offsets('a'), upTo(7)))
  await client.settled()
  assert.deepEqual(client.offsets('a'), upTo(7))
})

test('rule 2: no more bytes than the credit, except one record larger than it when nothing is under way', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  server.ports.log.put(topic, 0, [{ value: 'x'.repeat(60) }, { value: 'x'.repeat(60), key: 'key' }])
  server.ports.log.put(topic, 0, [{ value: 'x'.repeat(500) }, { value: 'y' }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 10, bytes: 123 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0, 1]))
  await client.settled()
  client.send({ type: 'credit', sid: 'a', records: 0, bytes: 1 })
  await eventually(() => assert.deepEqual(client.offsets('a'), [0, 1, 2]))
  client.send({ type: 'credit', sid: 'a', records: 0, bytes: 499 })
  await client.settled()
  assert.deepEqual(client.offsets('a'), [0, 1, 2], 'grants pay for the large one first')
  client.send({ type: 'credit', sid: 'a', records: 0, bytes: 1 })
  await eventually(() => assert.deepEqual(client.offsets('a'), upTo(4)))
})

test('rules 2 and 3 hold for any records and grants, and nobody with credit waits while there are records', async (t) => {
  const server = await startSubscribeServer(t)
  let topicCount = 0
  const sizes = fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
    maxLength: 8,
  })
  const grants = fc.array(
    fc.record({ records: fc.integer({ min: 0, max: 6 }), bytes: fc.integer({ min: 0, max: 400 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  )
  await fc.assert(
    fc.asyncProperty(sizes, grants, async (batches, allowed) => {
      const name = `t${topicCount++}`
      const topic = server.ports.topics.add(name)
      for (const batch of batches)
        server.ports.log.put(
          topic,
          0,
          batch.map((size) => ({ value: 'x'.repeat(size) })),
        )
      const all = batches.flat()
      const client = await openSession(t, server)
      client.send(subscribe('a', { topic: name, credit: { records: 0, bytes: 0 } }))
      let [records, bytes, sent] = [0, 0, 0]
      for (const grant of allowed) {
        client.send({ type: 'credit', sid: 'a', ...grant })
        records += grant.records
        bytes += grant.bytes
        // What the rules allow in the end; one record alone may be larger than what is left.
        while (sent < all.length && records > 0 && bytes > 0) {
          records--
          bytes -= all[sent++] ?? 0
        }
        await eventually(() => assert.deepEqual(client.offsets('a'), upTo(sent)))
        await client.settled()
        assert.deepEqual(client.offsets('a'), upTo(sent))
      }
      client.socket.terminate()
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

test('rule 3: partitions share a subscription without gap or repetition, a frame holds one partition', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 4)
  for (let index = 0; index < 40; index++) server.ports.log.put(topic, index % 4, [{ value: `${index}` }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 7, bytes: 1_000 } }))
  for (let index = 0; index < 11; index++) client.send({ type: 'credit', sid: 'a', records: 3, bytes: 1_000 })
  await eventually(() => {
    for (const partition of upTo(4)) assert.deepEqual(client.offsets('a', partition), upTo(10))
  })
  for (const { records } of client.of('records'))
    assert.equal(new Set(records.map(({ partition }) => partition)).size, 1)
})

test('rule 3: after a subscribe with a cursor the first record is exactly the next one', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 2)
  for (let index = 0; index < 20; index++) server.ports.log.put(topic, index % 2, [{ value: `${index}` }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 7, bytes: 1_000 } }))
  await eventually(() => assert.equal(client.offsets('a', 0).length + client.offsets('a', 1).length, 7))
  const cursor = client.of('records').at(-1)?.cursor
  client.send(subscribe('b', { from: undefined, cursor }))
  await eventually(() => {
    for (const partition of [0, 1])
      assert.deepEqual([...client.offsets('a', partition), ...client.offsets('b', partition)], upTo(10))
  })
})

test('rule 3: a cursor whose next records are trimmed is answered with a reset that says how many are lost', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 10; index++) server.ports.log.put(topic, 0, [{ value: `${index}` }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 2, bytes: 1_000 } }))
  const { cursor } = await client.next('records')
  client.send({ type: 'unsubscribe', id: 'u', sid: 'a' })
  await client.next('end')
  server.ports.log.trim(topic, 0, 6)
  client.send(subscribe('b', { from: undefined, cursor }))
  const reset = await client.next('reset')
  assert.deepEqual(
    [reset.sid, reset.reason, reset.lost, reset.resumeFrom],
    ['b', 'offset-trimmed', 4, [{ partition: 0, nextOffset: 6 }]],
  )
  await eventually(() => assert.deepEqual(client.offsets('b'), [6, 7, 8, 9]))
  const types = client.frames.filter((frame) => 'sid' in frame && frame.sid === 'b').map(({ type }) => type)
  assert.deepEqual(types.slice(0, 3), ['subscribed', 'reset', 'records'])
})

test('rule 3: what is trimmed before a slow subscriber had it is a reset in a new epoch', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 10; index++) server.ports.log.put(topic, 0, [{ value: 'x'.repeat(100_000) }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 1, bytes: 10_000_000 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0]))
  server.ports.log.trim(topic, 0, 7)
  client.send({ type: 'credit', sid: 'a', records: 100, bytes: 10_000_000 })
  const reset = await client.next('reset')
  assert.equal(reset.epoch, 1)
  await eventually(() => assert.equal(client.offsets('a').at(-1), 9))
  const before = client.offsets('a').filter((offset) => offset < 7)
  assert.deepEqual(before, upTo(7 - reset.lost))
  assert.deepEqual(client.offsets('a').slice(before.length), [7, 8, 9])
})

test('seek goes on at another place in a new epoch, with the credit that is left', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 10; index++) server.ports.log.put(topic, 0, [{ value: 'x' }])
  const client = await openSession(t, server)
  client.send(subscribe('a', { credit: { records: 12, bytes: 1_000 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), upTo(10)))
  client.send({ type: 'seek', id: 's', sid: 'a', from: '5' })
  const again = await client.next('subscribed', ({ id }) => id === 's')
  assert.deepEqual([again.epoch, again.positions], [1, [{ partition: 0, nextOffset: 5 }]])
  await eventually(() => assert.deepEqual(client.offsets('a'), [...upTo(10), 5, 6]))
  assert.equal(client.of('records').at(-1)?.epoch, 1)
  client.send({ type: 'seek', id: 'far', sid: 'a', from: '99' })
  const { problem, sid } = await client.next('error')
  assert.deepEqual([problem.code, sid], ['offset-out-of-range', undefined], 'it goes on where it was')
  client.send({ type: 'credit', sid: 'a', records: 10, bytes: 100 })
  await eventually(() => assert.deepEqual(client.offsets('a'), [...upTo(10), 5, 6, 7, 8, 9]))
})

test('rule 4: a session that does not read is not dropped, and the log is not read for it meanwhile', async (t) => {
  const server = await startSubscribeServer(t, { timers: new VirtualTimers() })
  const topic = server.ports.topics.add('t')
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  await client.next('subscribed')
  client.socket.pause()
  for (let index = 0; index < 400; index++)
    server.ports.log.put(topic, 0, [{ value: Buffer.alloc(64 * 1024, 'x') }])
  let readCount = -1
  await eventually(() => {
    const before = readCount
    readCount = server.ports.log.reads.length
    assert.equal(readCount, before)
  })
  const furthest = Math.max(...server.ports.log.reads.map(({ fromOffset }) => fromOffset))
  assert.ok(furthest < 300, `It was read up to ${furthest}.`)
  assert.equal(server.upgrade.count, 1)
  client.socket.resume()
  await eventually(() => assert.deepEqual(client.offsets('a'), upTo(400)), { timeoutMs: 20_000 })
})

test('rule 5: a heartbeat says of each subscription how far behind it is and what credit it has', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 5; index++) server.ports.log.put(topic, 0, [{ value: 'xy' }])
  const client = await openSession(t, server)
  const { heartbeatMs } = await client.next('welcome')
  client.send(subscribe('a', { credit: { records: 2, bytes: 100 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0, 1]))
  await timers.advance(heartbeatMs + 5_000)
  const { subs } = await client.next('heartbeat')
  assert.deepEqual(subs, [{ sid: 'a', highWatermark: 5, lag: 3, creditLeft: { records: 0, bytes: 96 } }])
})

test('rule 6: an error with a sid ends that subscription only', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  server.ports.topics.add('u')
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  client.send(subscribe('b', { topic: 'u' }))
  client.send(subscribe('c', { topic: 'nowhere' }))
  const missing = await client.next('error')
  assert.deepEqual([missing.sid, missing.id, missing.problem.code], ['c', 'subscribe c', 'topic-not-found'])
  server.ports.log.beforeRead = (request) => {
    if (request.topic.name === 'u') throw new SynodError('topic-deleted', "Topic 'u' was deleted.")
  }
  client.send(subscribe('d', { topic: 'u', from: '0' }))
  await client.next('error', ({ sid }) => sid === 'd')
  server.ports.log.put(topic, 0, [{ value: 'x' }])
  await eventually(() => assert.deepEqual(client.offsets('a'), [0]))
  client.send(subscribe('c'))
  await eventually(() => assert.deepEqual(client.offsets('c'), [0]))
})

test('rule 7: what is no frame closes with 4500 after an error that says why', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const wrong: readonly [string | Buffer, string][] = [
    ['{', 'malformed-json'],
    ['[]', 'invalid-field'],
    ['{"type":"constructor"}', 'invalid-field'],
    ['{"type":"subscripe"}', 'invalid-field'],
    ['{"type":"ping","more":1}', 'unknown-field'],
    [JSON.stringify(subscribe('a', { credit: { records: -1, bytes: 0 } })), 'invalid-field'],
    [Buffer.from('{"type":"ping"}'), 'unsupported-media-type'],
  ]
  for (const [message, code] of wrong) {
    const client = await openSession(t, server)
    client.socket.send(message)
    assert.equal(await client.closed, 4500)
    assert.equal(client.of('error')[0]?.problem.code, code)
  }
})

test('rule 7: one subscription too many closes with 4505, a frame too large with 1009', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const greedy = await openSession(t, server)
  for (let index = 0; index < SUBSCRIPTIONS_MAX; index++) greedy.send(subscribe(`${index}`))
  await eventually(() => assert.equal(greedy.of('subscribed').length, SUBSCRIPTIONS_MAX))
  greedy.send(subscribe('more'))
  assert.equal(await greedy.closed, 4505)
  const large = await openSession(t, server)
  const { limits } = await large.next('welcome')
  large.socket.send(' '.repeat(limits.frameBytes + 1))
  assert.equal(await large.closed, 1009)
  await eventually(() => assert.equal(server.upgrade.count, 0))
})

test('rule 7: a broker that stops says moving first, then closes with 1001', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t')
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  await client.next('subscribed')
  const closing = server.upgrade.closeAll()
  const { inMs } = await client.next('moving')
  server.ports.log.put(topic, 0, [{ value: 'x' }])
  await eventually(() => assert.deepEqual(client.offsets('a'), [0], 'records come until it closes'))
  await timers.advance(inMs)
  assert.equal(await client.closed, 1001)
  await closing
})

test('a sid in use, one that is unknown, and late credit are told apart', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  client.send({ ...subscribe('a'), id: 'twice' })
  client.send({ type: 'unsubscribe', id: 'u', sid: 'nobody' })
  client.send({ type: 'seek', id: 's', sid: 'nobody' })
  client.send({ type: 'credit', sid: 'nobody', records: 1, bytes: 1 })
  await client.settled()
  assert.deepEqual(
    client.of('error').map(({ id, sid, problem }) => [id, sid, problem.code]),
    [
      ['twice', undefined, 'invalid-field'],
      ['u', undefined, 'not-found'],
      ['s', undefined, 'not-found'],
    ],
  )
  await client.next('subscribed', ({ sid }) => sid === 'a')
})

test('rule 7: who offers only subprotocols that are not known is told so and closed with 4504', async (t) => {
  const server = await startSubscribeServer(t)
  const socket = connect(server.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
  socket.write(
    'GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  )
  const closing = Buffer.from([4504 >> 8, 4504 & 0xff]).toString('latin1')
  await eventually(() => assert.ok(answer.includes(`${closing}not-acceptable`)))
  assert.match(answer, /"code":"not-acceptable"/)
  assert.ok(!answer.includes('welcome'))
})

test('rule 8: the first frame says what the session allows; an unknown parameter is refused at the handshake', async (t) => {
  const server = await startSubscribeServer(t)
  const client = await openSession(t, server, ['synod.v1.json'])
  assert.equal(client.socket.protocol, 'synod.v1.json')
  const { limits } = await client.next('welcome')
  assert.deepEqual(limits, { subscriptions: 64, frameBytes: SESSION_FRAME_BYTES, recordBytes: 1024 * 1024 })
  const { status, problem } = await refusal(`ws://127.0.0.1:${server.port}/v1/ws?from=earliest`)
  assert.deepEqual([status, problem['code']], [400, 'unknown-parameter'])
})
