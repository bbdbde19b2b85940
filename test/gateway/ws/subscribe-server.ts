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
import { ByteBudget } from '../../../src/gateway/http/byte-budget.ts'
import type { GatewayContext } from '../../../src/gateway/http/context.ts'
import { Admission } from '../../../src/gateway/http/admission.ts'
import { PartitionTurns } from '../../../src/gateway/http/partition-choice.ts'
import { TopicCreator } from '../../../src/gateway/http/topic-lookup.ts'
import { DEFAULT_GATEWAY_OPTIONS } from '../../../src/gateway/options.ts'
import { fakePorts, type FakePorts } from '../fakes.ts'

export const SESSION_FRAME_BYTES = 256 * 1024
export const SESSION_BUDGET_BYTES = 512 * 1024
export const UNFINISHED_BYTES = 256 * 1024

export interface SubscribeServer {
  readonly budget: ByteBudget
  /** What unfinished messages hold. */
  readonly unfinished: ByteBudget
  readonly ports: FakePorts
  readonly upgrade: SubscribeUpgrade
  readonly port: number
  readonly errors: unknown[]
  /** Bytes that wait in this process for the clients' sockets, of the one with the most. */
  waitingBytes(): number
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
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: unknown) => void errors.push(fields),
  }
  const gateway: GatewayContext = {
    ports,
    options: { ...DEFAULT_GATEWAY_OPTIONS, version: '0.0.0', metrics: () => Promise.resolve(''), log },
    closing: new AbortController().signal,
    answers: new ByteBudget(1024 * 1024),
    ingests: new ByteBudget(1024 * 1024),
  }
  const budget = new ByteBudget(SESSION_BUDGET_BYTES)
  const unfinished = new ByteBudget(UNFINISHED_BYTES)
  const upgrade = createSubscribeUpgrade({
    ports,
    sessions: {
      gateway,
      produce: {
        creator: new TopicCreator(gateway),
        turns: new PartitionTurns(),
        admission: new Admission(1_000_000),
      },
      budget,
      unfinished,
      frameBytesMax: SESSION_FRAME_BYTES,
    },
    isOriginAllowed: (request) => request.headers.origin !== 'https://evil.example',
    subscribersMax: 1_000,
    newRequestId: () => `request-${++requestCount}`,
    headers: { 'Synod-Broker': '1' },
    log,
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
    budget,
    unfinished,
    upgrade,
    port,
    errors,
    waitingBytes: () => Math.max(0, ...[...sockets].map((socket) => socket.writableLength)),
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
