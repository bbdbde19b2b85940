import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { CONNECTIONS_MAX } from '../../src/transport/limits.ts'
import { eventually } from '../support/eventually.ts'
import { startBroker } from '../support/http-cluster.ts'

test('the listener takes no more connections than its bound', async (t) => {
  const one = await startBroker(t, 1)
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  let closed = 0
  for (let count = 0; count < CONNECTIONS_MAX + 5; count++) {
    const socket = connect(one.transport.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('close', () => closed++)
    sockets.push(socket)
  }
  await eventually(() => assert.equal(closed, 5))
})

test('bytes that are no HTTP get a 400 and the connection is closed', async (t) => {
  const one = await startBroker(t, 1)
  const answer = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(one.transport.port, '127.0.0.1', () => socket.write('hello?\r\n\r\n'))
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('close', () => resolve(text))
  })
  assert.match(answer, /^HTTP\/1.1 400/)
})
