import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { freePorts } from '../../src/cli/dev/ports.ts'
import { HEADER } from '../../src/transport/handshake.ts'
import { eventually } from '../support/eventually.ts'
import { Network } from './network.ts'

interface Wire {
  readonly socket: Socket
  received(): string
}

/** Three brokers that give back what they are sent, each behind its gate. */
async function setUp(t: TestContext): Promise<{ network: Network; open(from: number, to: number): Wire }> {
  const ports = await freePorts(3, '127.0.0.1', new Set())
  const servers = ports.map(() => createServer((socket) => socket.on('error', () => undefined).pipe(socket)))
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  }
  const gates = servers.map((server, index) => ({
    id: index + 1,
    port: ports[index]!,
    targetPort: (server.address() as AddressInfo).port,
  }))
  const network = new Network(gates)
  t.after(async () => {
    await network.close()
    for (const server of servers) server.close()
  })
  const open = (from: number, to: number): Wire => {
    const socket = connect(ports[to - 1]!, '127.0.0.1')
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => (text += bytes.toString()))
    socket.write(`GET / HTTP/1.1\r\n${HEADER.FROM}: ${from}\r\n\r\n`)
    t.after(() => socket.destroy())
    return { socket, received: () => text.slice(text.indexOf('\r\n\r\n') + 4) }
  }
  return { network, open }
}

test('a fault on several links is on each of them, and gone from each when it is mended', async (t) => {
  const { network, open } = await setUp(t)
  await Promise.all([1, 2, 3].map((id) => network.open(id)))
  const wires = [open(1, 2), open(1, 3)]
  for (const { socket } of wires) socket.write('a')
  await eventually(() =>
    assert.deepEqual(
      wires.map((wire) => wire.received()),
      ['a', 'a'],
    ),
  )
  const fault = { isCut: true }
  await Promise.all([network.spoil(1, 2, fault), network.spoil(1, 3, fault)])
  for (const { socket } of wires) socket.write('b')
  const control = open(2, 3)
  control.socket.write('c')
  await eventually(() => assert.equal(control.received(), 'c'))
  assert.deepEqual(
    wires.map((wire) => wire.received()),
    ['a', 'a'],
  )
  await Promise.all([network.mend(1, 2, fault), network.mend(1, 3, fault)])
  await eventually(() =>
    assert.deepEqual(
      wires.map((wire) => wire.received()),
      ['ab', 'ab'],
    ),
  )
})

test('a broker that is gone refuses connections until it is back', async (t) => {
  const { network, open } = await setUp(t)
  await network.open(2)
  await network.refuse(2)
  const [refused] = (await once(open(1, 2).socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(refused.code, 'ECONNREFUSED')
  await network.open(2)
  const { socket, received } = open(1, 2)
  socket.write('a')
  await eventually(() => assert.equal(received(), 'a'))
})

test('what cannot be carried out is told', async (t) => {
  const { network } = await setUp(t)
  await assert.rejects(network.open(9), /There is no broker 9/)
})
