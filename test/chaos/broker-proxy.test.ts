import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { freePorts } from '../../src/cli/dev/ports.ts'
import { eventually } from '../support/eventually.ts'
import { BrokerProxy } from './broker-proxy.ts'
import { Link } from './link.ts'

interface Setting {
  /** From broker 1 to broker 2, and back; from broker 3 to broker 2. */
  readonly there: Link
  readonly back: Link
  readonly fromThird: Link
  readonly proxy: BrokerProxy
  /** A connection to broker 2 that says that it is of this broker, and all that came back on it. */
  open(opener: number): { readonly socket: Socket; readonly received: () => string }
}

/** Broker 2 gives back what it is sent. */
async function setUp(t: TestContext): Promise<Setting> {
  const target = createServer((socket) => socket.on('error', () => undefined).pipe(socket))
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  const [port] = await freePorts(1, '127.0.0.1', new Set())
  const links = { there: new Link(), back: new Link(), fromThird: new Link() }
  const proxy = new BrokerProxy({
    port: port!,
    targetPort: (target.address() as AddressInfo).port,
    linkFrom: (opener) => (opener === 1 ? links.there : links.fromThird),
    linkTo: (opener) => (opener === 1 ? links.back : new Link()),
  })
  await proxy.open()
  t.after(() => {
    proxy.close()
    target.close()
  })
  return {
    ...links,
    proxy,
    open(opener) {
      const socket = connect(port!, '127.0.0.1')
      let text = ''
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => (text += chunk.toString()))
      socket.write(`POST / HTTP/1.1\r\nSynod-From: ${opener}\r\n\r\n`)
      t.after(() => socket.destroy())
      return { socket, received: () => text.replace(/^[^]*\r\n\r\n/, '') }
    },
  }
}

test('holds back what a cut link carries, one way or both, and gives it on when it is mended', async (t) => {
  const { there, back, open } = await setUp(t)
  const [first, third] = [open(1), open(3)]
  first.socket.write('a')
  await eventually(() => assert.equal(first.received(), 'a'))
  for (const link of [there, back]) {
    const cut = { isCut: true }
    const before = first.received()
    link.add(cut)
    first.socket.write('b')
    third.socket.write('c')
    await eventually(() => assert.ok(third.received().endsWith('c')))
    assert.equal(first.received(), before)
    link.remove(cut)
    await eventually(() => assert.equal(first.received(), `${before}b`))
  }
})

test('tells of the end of a connection only when the link is mended', async (t) => {
  const { there, open, proxy } = await setUp(t)
  const { socket, received } = open(1)
  socket.write('a')
  await eventually(() => assert.equal(received(), 'a'))
  const cut = { isCut: true }
  there.add(cut)
  socket.write('last words')
  socket.end()
  proxy.refuse()
  there.remove(cut)
  await eventually(() => assert.equal(received(), 'alast words'))
  await eventually(() => assert.ok(socket.closed))
})

test('delays by as much as all faults together say', async (t) => {
  const { there, back, open } = await setUp(t)
  const { socket, received } = open(1)
  socket.write('a')
  await eventually(() => assert.equal(received(), 'a'))
  there.add({ delayMs: 100 })
  there.add({ delayMs: 50 })
  back.add({ delayMs: 50 })
  const startMs = performance.now()
  socket.write('b')
  await eventually(() => assert.equal(received(), 'ab'))
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 195, `${tookMs} ms`)
})

test('lets only so many bytes pass in a second, and all of them in the end', async (t) => {
  const { there, open } = await setUp(t)
  const { socket, received } = open(1)
  socket.write('a')
  await eventually(() => assert.equal(received(), 'a'))
  const text = 'x'.repeat(20_000)
  there.add({ bytesPerSecond: 40_000 })
  const startMs = performance.now()
  socket.write(text)
  await eventually(() => assert.equal(received(), `a${text}`))
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 350, `${tookMs} ms`)
})

test('makes a sender wait that has much under way on a cut link', async (t) => {
  const { there, open } = await setUp(t)
  const [first, third] = [open(1), open(3)]
  const cut = { isCut: true }
  there.add(cut)
  first.socket.write(Buffer.alloc(32 * 1024 * 1024))
  third.socket.write('c'.repeat(1024 * 1024))
  await eventually(() => assert.equal(third.received().length, 1024 * 1024))
  assert.ok(first.socket.writableLength > 0, 'not everything was taken')
  there.remove(cut)
  await eventually(() => assert.equal(first.socket.writableLength, 0))
})

test('refuses connections like a machine whose process is gone, until it is opened again', async (t) => {
  const { proxy, open } = await setUp(t)
  proxy.refuse()
  const { socket } = open(1)
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
  await proxy.open()
  const again = open(1)
  again.socket.write('a')
  await eventually(() => assert.equal(again.received(), 'a'))
})
