import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { HttpTransport } from '../../src/transport/http-transport.ts'
import type {
  Formation,
  Hello,
  PeerAddress,
  PeerRequest,
  TransportHandlers,
} from '../../src/transport/transport.ts'
import type { Digest } from '../../src/types/digest.ts'
import { brokerId, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import type { Heartbeat } from '../../src/detector/heartbeat.ts'
import type { Message } from '../../src/paxos/messages.ts'

export interface Received {
  readonly from: BrokerId
  readonly group: GroupId
  readonly message: Message
}

/** Handlers that remember everything. */
export class RecordingHandlers implements TransportHandlers {
  readonly messages: Received[] = []
  readonly heartbeats: { readonly from: BrokerId; readonly heartbeat: Heartbeat }[] = []
  readonly digests: { readonly from: BrokerId; readonly digest: Digest }[] = []
  readonly refused: { readonly peer: BrokerId; readonly atMs: number }[] = []
  readonly heard: BrokerId[] = []
  readonly formations: Formation[] = []
  readonly typed: Received[] = []
  hello: Hello | undefined
  onRequestDo: TransportHandlers['onRequest'] = () => Promise.reject(new Error('No request was expected.'))
  onFormDo: TransportHandlers['onForm'] = () => Promise.resolve()
  typedReplies: readonly Message[] = []

  onMessage(from: BrokerId, group: GroupId, message: Message): void {
    this.messages.push({ from, group, message })
  }

  onHeartbeat(from: BrokerId, heartbeat: Heartbeat): void {
    this.heartbeats.push({ from, heartbeat })
  }

  onDigest(from: BrokerId, digest: Digest): void {
    this.digests.push({ from, digest })
  }

  onRefused(peer: BrokerId): void {
    this.refused.push({ peer, atMs: performance.now() })
  }

  onHeard(peer: BrokerId): void {
    this.heard.push(peer)
  }

  onRequest(
    from: BrokerId,
    request: PeerRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    return this.onRequestDo(from, request, options)
  }

  onTypedMessage(from: BrokerId, group: GroupId, message: Message): Promise<readonly Message[]> {
    this.typed.push({ from, group, message })
    return Promise.resolve(this.typedReplies)
  }

  onHello(): Hello {
    if (this.hello === undefined) throw new Error('No hello was expected.')
    return this.hello
  }

  onForm(from: BrokerId, formation: Formation): Promise<void> {
    this.formations.push(formation)
    return this.onFormDo(from, formation)
  }
}

export interface TestBroker {
  readonly id: BrokerId
  readonly transport: HttpTransport
  readonly handlers: RecordingHandlers
  readonly warnings: string[]
}

export const TEST_SECRET = randomBytes(32)

/** A started transport on 127.0.0.1 that is stopped after the test. */
export async function startBroker(
  t: TestContext,
  id: number,
  options: {
    readonly secret?: Buffer | undefined
    readonly port?: number
    readonly clusterId?: () => string
  } = {},
): Promise<TestBroker> {
  const warnings: string[] = []
  const transport = new HttpTransport({
    self: brokerId(id),
    bootId: randomBytes(8).toString('hex'),
    clusterId: options.clusterId ?? (() => 'cluster-a'),
    secret: 'secret' in options ? options.secret : TEST_SECRET,
    bind: { host: '127.0.0.1', port: options.port ?? 0 },
    log: {
      info: () => undefined,
      warn: (message, facts) => warnings.push(`${message} ${JSON.stringify(facts)}`),
    },
  })
  const handlers = new RecordingHandlers()
  await transport.start(handlers)
  t.after(() => transport.stop())
  return { id: brokerId(id), transport, handlers, warnings }
}

/** Makes each of the brokers a peer of all others. */
export function introduce(...brokers: readonly TestBroker[]): void {
  for (const broker of brokers) {
    const others = brokers.filter((other) => other !== broker)
    broker.transport.setPeers(peersAt(others.map((other) => [other.id, other.transport.port])))
  }
}

export function peersAt(
  ports: readonly (readonly [id: number, port: number])[],
): ReadonlyMap<BrokerId, PeerAddress> {
  return new Map(ports.map(([id, port]) => [brokerId(id), { host: '127.0.0.1', port }]))
}
