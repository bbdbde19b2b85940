import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { WebSocket } from 'ws'
import { openSession, PLENTY } from './session-client.ts'
import { startSubscribeServer } from './subscribe-server.ts'

test('a ping is answered with a pong of the same id, in both forms, after what was asked before it', async (t) => {
  const server = await startSubscribeServer(t)
  for (const protocol of ['synod.v1.json', 'synod.v1.bin']) {
    const client = await openSession(t, server, [protocol])
    client.send({ type: 'unsubscribe', id: 'u', sid: 'nobody' })
    client.send({ type: 'ping', id: 'here' })
    client.send({ type: 'ping' })
    await client.next('pong', ({ id }) => id === undefined)
    assert.deepEqual(
      client.frames.map((frame) => [frame.type, 'id' in frame ? frame.id : undefined]),
      [
        ['welcome', undefined],
        ['error', 'u'],
        ['pong', 'here'],
        ['pong', undefined],
      ],
    )
  }
})

test('after unsubscribe comes end, and no frame of the subscription follows', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const client = await openSession(t, server)
  for (const sid of ['leaves', 'stays'])
    client.send({ type: 'subscribe', id: sid, sid, topic: 't', from: 'earliest', credit: PLENTY })
  await client.next('subscribed', ({ sid }) => sid === 'stays')
  client.send({ type: 'unsubscribe', id: 'u', sid: 'leaves' })
  await client.next('end', ({ sid }) => sid === 'leaves')
  const before = client.frames.length
  server.ports.log.put(topic, 0, [{ value: 'x' }])
  await client.next('records')
  await client.settled()
  assert.deepEqual(
    client.frames.slice(before).map((frame) => ('sid' in frame ? frame.sid : frame.type)),
    ['stays', 'pong'],
  )
})

test('rule 7: what is no WebSocket closes with 1002, what is no UTF-8 with 1007, in sessions and the simple form', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const reserved = Buffer.from([0xf1, 0x80, 0, 0, 0, 0])
  for (const path of ['/v1/ws', '/v1/topics/t/subscribe']) {
    const broken = await openSession(t, server, [], path)
    socketOf(broken.socket).write(reserved)
    assert.equal(await broken.closed, 1002, path)
    const garbled = await openSession(t, server, [], path)
    garbled.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
    assert.equal(await garbled.closed, 1007, path)
  }
})

/** Below the client's own framing, which would never send what is wrong. */
function socketOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket
}
