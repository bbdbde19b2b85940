import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import {
  createSubscribeUpgrade,
  type SubscribeDependencies,
  type SubscribeUpgrade,
} from '../../../src/gateway/ws/subscribe.ts'
import { fakePorts, type FakePorts } from '../fakes.ts'

export interface SubscribeServer {
  readonly ports: FakePorts
  readonly upgrade: SubscribeUpgrade
  readonly port: number
  readonly errors: unknown[]
  /** Opens a subscription; resolves when it is open. */
  subscribe(pathAndQuery: string, headers?: Record<string, string>): Promise<Received>
}

/** What a client got so far. */
export interface Received {
  readonly socket: WebSocket
  readonly frames: { readonly text: string; readonly binary: boolean }[]
  records(): { partition: number; offset: number; text?: string }[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

/** A bare server on a free port that only takes subscriptions. Closed after the test. */
export async function startSubscribeServer(
  t: TestContext,
  more: Partial<SubscribeDependencies> = {},
): Promise<SubscribeServer> {
  const ports = fakePorts()
  const errors: unknown[] = []
  let requestCount = 0
  const upgrade = createSubscribeUpgrade({
    ports,
    isOriginAllowed: (request) => request.headers.origin !== 'https://evil.example',
    subscribersMax: 1_000,
    newRequestId: () => `request-${++requestCount}`,
    headers: { 'Synod-Broker': '1' },
    log: { info: () => undefined, warn: () => undefined, error: (fields) => void errors.push(fields) },
    ...more,
  })
  const server = createServer()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', upgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(async () => {
    const closing = upgrade.closeAll()
    // Clients that never answer a close frame would be waited for.
    for (const socket of sockets) socket.destroy()
    server.close()
    await closing
  })
  return {
    ports,
    upgrade,
    port,
    errors,
    async subscribe(pathAndQuery, headers = {}) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/topics/${pathAndQuery}`, { headers })
      t.after(() => socket.terminate())
      const received = receive(socket)
      await once(socket, 'open')
      return received
    },
  }
}

function receive(socket: WebSocket): Received {
  const frames: { text: string; binary: boolean }[] = []
  socket.on('message', (data: Buffer, binary: boolean) => frames.push({ text: data.toString(), binary }))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  return {
    socket,
    frames,
    closed,
    records: () =>
      frames.map(({ text }) => JSON.parse(text) as { partition: number; offset: number; text?: string }),
  }
}

/** What a refused handshake was answered. */
export interface Refusal {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly problem: Record<string, unknown>
}

export async function refusal(url: string, headers: Record<string, string> = {}): Promise<Refusal> {
  const socket = new WebSocket(url, { headers })
  socket.on('error', () => undefined)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  const parts: Buffer[] = []
  for await (const part of response) parts.push(part as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    problem: JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>,
  }
}
