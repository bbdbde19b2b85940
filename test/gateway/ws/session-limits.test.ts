import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../../src/errors.ts'
import { SUBSCRIPTIONS_MAX } from '../../../src/gateway/ws/session.ts'
import { eventually } from '../../support/eventually.ts'
import { VirtualTimers } from '../reading/virtual-timers.ts'
import { openSession, PLENTY } from './session-client.ts'
import { startSubscribeServer } from './subscribe-server.ts'

const MIB = 1024 * 1024
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

/** Lets what is on its way on loopback sockets arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

for (const protocol of ['synod.v1.json', 'synod.v1.bin']) {
  test(`rule 4: of 10,000 records hardly more than 1 MiB waits for a slow session, and others miss nothing (${protocol})`, async (t) => {
    const server = await startSubscribeServer(t, { timers: new VirtualTimers() })
    const topic = server.ports.topics.add('t')
    const slow = await openSession(t, server, [protocol])
    const quick = await openSession(t, server, [protocol])
    for (const client of [slow, quick]) {
      client.send(subscribe('a'))
      await client.next('subscribed')
    }
    slow.socket.pause()
    let waitedMax = 0
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 100; index++)
        server.ports.log.put(topic, 0, [{ form: 'bytes', value: Buffer.alloc(2_500, 'x') }])
      await eventually(() => assert.equal(quick.offsets('a').at(-1), round * 100 + 99))
      waitedMax = Math.max(waitedMax, server.waitingBytes())
    }
    assert.deepEqual(quick.offsets('a'), upTo(10_000))
    assert.ok(waitedMax > MIB, `${waitedMax} bytes waited: it was slow`)
    assert.ok(waitedMax < 2 * MIB, `${waitedMax} bytes waited`)
    assert.equal(server.upgrade.count, 2)
    slow.socket.resume()
    await eventually(() => assert.equal(slow.offsets('a').length, 10_000), { timeoutMs: 20_000 })
    assert.deepEqual(slow.offsets('a'), upTo(10_000))
  })
}

test('rule 4: subscriptions of one slow session wait together: what waits does not grow with their number', async (t) => {
  const server = await startSubscribeServer(t, { timers: new VirtualTimers() })
  const topic = server.ports.topics.add('t')
  const client = await openSession(t, server)
  for (const sid of upTo(SUBSCRIPTIONS_MAX)) client.send(subscribe(`${sid}`))
  await eventually(() => assert.equal(client.of('subscribed').length, SUBSCRIPTIONS_MAX))
  client.socket.pause()
  const value = Buffer.alloc(256 * 1024, 'x')
  for (let index = 0; index < 4; index++) server.ports.log.put(topic, 0, [{ value }])
  await eventually(() => assert.ok(server.waitingBytes() > MIB))
  await settle()
  assert.ok(server.waitingBytes() < MIB + 2 * value.length, `${server.waitingBytes()} bytes wait`)
  client.socket.resume()
  await eventually(
    () => {
      assert.ok(server.waitingBytes() < MIB + 2 * value.length)
      for (const sid of upTo(SUBSCRIPTIONS_MAX)) assert.deepEqual(client.offsets(`${sid}`), upTo(4))
    },
    { timeoutMs: 20_000 },
  )
})

test('rule 5: a session that answers pings lives, and heartbeats tell browsers that the broker does', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const client = await openSession(t, server)
  let pingCount = 0
  client.socket.on('ping', () => pingCount++)
  for (let step = 0; step < 24; step++) {
    await timers.advance(5_000)
    await settle()
  }
  await eventually(() => assert.ok(pingCount >= 5 && pingCount <= 6, `${pingCount} pings in two minutes`))
  await eventually(() => assert.equal(client.of('heartbeat').length, 8))
  assert.equal(server.upgrade.count, 1)
})

test('rules 5 and 7: a session of which nothing is heard for 40 s is told 4101 and cut off', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  // One that reads and says nothing, neither pongs nor the answer to a close.
  const mute = await openSession(t, server)
  const { _sender: sender } = mute.socket as unknown as { _sender: Record<'pong' | 'close', () => void> }
  sender.pong = () => undefined
  sender.close = () => undefined
  await mute.next('welcome')
  // That the welcome left is seen at the first look, after 5 s; 40 s later it is given up.
  await timers.advance(40_000)
  assert.equal(mute.socket.readyState, mute.socket.OPEN)
  await timers.advance(5_000)
  await eventually(() => assert.equal(mute.socket.readyState, mute.socket.CLOSING))
  await timers.advance(5_000)
  await eventually(() => assert.equal(server.upgrade.count, 0))
  assert.equal(await mute.closed, 4101)
  assert.equal(timers.pendingCount, 0)
})

test('rule 6: a subscription goes on by itself when leaders change, and its client sees records alone', async (t) => {
  const timers = new VirtualTimers()
  const server = await startSubscribeServer(t, { timers })
  const topic = server.ports.topics.add('t', 2)
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  await client.next('subscribed')
  const codes = ['no-leader', 'no-quorum', 'replica-behind', 'overloaded'] as const
  for (const [round, code] of codes.entries()) {
    let failures = 3
    server.ports.log.beforeRead = () => {
      if (failures-- > 0) throw new SynodError(code, 'This passes.')
    }
    for (const partition of [0, 1]) server.ports.log.put(topic, partition, [{ value: `${round}` }])
    await eventually(async () => {
      await timers.advance(100)
      for (const partition of [0, 1]) assert.deepEqual(client.offsets('a', partition), upTo(round + 1))
    })
  }
  const types = new Set(client.frames.map(({ type }) => type))
  for (const type of ['error', 'reset', 'end', 'moving'] as const) assert.ok(!types.has(type), type)
  assert.ok(client.of('records').every(({ epoch }) => epoch === 0))
})

test('rule 7: a client that closes with 1000 is answered with it, and its subscriptions end', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server)
  client.send(subscribe('a'))
  await client.next('subscribed')
  await eventually(() => assert.equal(server.ports.log.waitingCount, 1))
  client.socket.close(1000)
  assert.equal(await client.closed, 1000)
  await eventually(() => assert.equal(server.upgrade.count, 0))
  await eventually(() => assert.equal(server.ports.log.waitingCount, 0))
})

test('64 subscriptions of one session each get all records, and one that ended makes room for another', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (const protocol of ['synod.v1.json', 'synod.v1.bin']) {
    const client = await openSession(t, server, [protocol])
    for (const sid of upTo(SUBSCRIPTIONS_MAX)) client.send(subscribe(`${sid}`))
    server.ports.log.put(topic, 0, [{ value: 'x' }, { value: 'y' }])
    const expected = upTo(server.ports.log.partition(topic, 0).highWatermark)
    await eventually(() => {
      for (const sid of upTo(SUBSCRIPTIONS_MAX)) assert.deepEqual(client.offsets(`${sid}`), expected)
    })
    client.send({ type: 'unsubscribe', id: 'u', sid: '7' })
    client.send(subscribe('more'))
    await eventually(() => assert.deepEqual(client.offsets('more'), expected))
    assert.deepEqual(client.of('error'), [])
  }
})

test('who begins and ends subscriptions faster than their starts are found is told to wait', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  server.ports.log.beforeRead = () => held
  const client = await openSession(t, server)
  for (let index = 0; index <= SUBSCRIPTIONS_MAX; index++) {
    client.send(subscribe('a', { id: `${index}`, from: '0' }))
    client.send({ type: 'unsubscribe', id: `u${index}`, sid: 'a' })
  }
  const { id, problem } = await client.next('error')
  assert.deepEqual([id, problem.code, problem.retryable], [`${SUBSCRIPTIONS_MAX}`, 'overloaded', true])
  letGo()
  await eventually(async () => {
    client.send(subscribe('b', { id: `b${client.frames.length}` }))
    await client.settled()
    assert.ok(client.of('subscribed').some(({ sid }) => sid === 'b'))
  })
})
