import { crc32 } from 'node:zlib'
import { SynodError } from '../../src/errors.ts'
import { ByteReader } from '../../src/transport/byte-reader.ts'
import {
  FRAME_TYPE,
  framesOf,
  encodeDigestFrame,
  encodeHeartbeatFrame,
  encodeMessageFrame,
  type EncodedFrame,
} from '../../src/transport/frames.ts'
import { decodeDigest } from '../../src/transport/digest-codec.ts'
import { decodeHeartbeat } from '../../src/transport/heartbeat-codec.ts'
import { decodeMessage } from '../../src/transport/message-codec.ts'
import { messageKindOf } from '../../src/transport/message-fields.ts'
import {
  PeerLost,
  PeerUnreachable,
  type Formation,
  type Hello,
  type PeerAddress,
  type PeerRequest,
  type Transport,
  type TransportHandlers,
} from '../../src/transport/transport.ts'
import type { Digest } from '../../src/types/digest.ts'
import type { Heartbeat } from '../../src/detector/heartbeat.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { BrokerId, GroupId } from '../../src/types/ids.ts'

type RequestOptions = { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined }

/**
 * Several transports in one process. Everything is delivered in a later turn of the event loop, encoded and decoded as
 * on the wire, so that nothing is shared. Links can be cut, one way or both; what is sent over a cut link is dropped.
 */
export class MemoryNetwork {
  readonly #started = new Map<BrokerId, MemoryTransport>()
  readonly #cuts = new Set<string>()
  readonly #onCut = new Set<() => void>()
  /** Messages that a test lets vanish on their way. */
  loses: (from: BrokerId, to: BrokerId, group: GroupId, message: Message) => boolean = () => false

  transport(self: BrokerId): MemoryTransport {
    return new MemoryTransport(this, self)
  }

  /** Nothing passes from `a` to `b` any more; nor back, unless `oneWay`. */
  cut(a: BrokerId, b: BrokerId, options: { readonly oneWay?: boolean } = {}): void {
    this.#cuts.add(`${a} ${b}`)
    if (options.oneWay !== true) this.#cuts.add(`${b} ${a}`)
    for (const check of [...this.#onCut]) check()
  }

  heal(a: BrokerId, b: BrokerId): void {
    this.#cuts.delete(`${a} ${b}`)
    this.#cuts.delete(`${b} ${a}`)
  }

  /** Cuts a broker off from all others that have started. */
  isolate(broker: BrokerId): void {
    for (const other of this.#started.keys()) if (other !== broker) this.cut(broker, other)
  }

  healAll(): void {
    this.#cuts.clear()
  }

  canPass(from: BrokerId, to: BrokerId): boolean {
    return !this.#cuts.has(`${from} ${to}`)
  }

  /** The broker's transport, if it runs. */
  find(broker: BrokerId): MemoryTransport | undefined {
    return this.#started.get(broker)
  }

  add(transport: MemoryTransport): void {
    this.#started.set(transport.self, transport)
  }

  /** Whoever had the broker as a peer finds its connections refused. */
  remove(transport: MemoryTransport): void {
    if (this.#started.get(transport.self) !== transport) return
    this.#started.delete(transport.self)
    for (const check of [...this.#onCut]) check()
    for (const other of this.#started.values()) other.notePeerGone(transport.self)
  }

  /** Calls `check` at every cut and stop, until the returned function is called. */
  watch(check: () => void): () => void {
    this.#onCut.add(check)
    return () => this.#onCut.delete(check)
  }

  /** As `askHello` of the real transport. */
  async askHello(from: BrokerId, to: BrokerId): Promise<Hello> {
    await nextTurn()
    return this.#reachable(from, to).handlers.onHello(from)
  }

  /** As `tellFormation` of the real transport. */
  async tellFormation(from: BrokerId, to: BrokerId, formation: Formation): Promise<void> {
    await nextTurn()
    await this.#reachable(from, to).handlers.onForm(from, structuredClone(formation))
  }

  #reachable(from: BrokerId, to: BrokerId): MemoryTransport {
    const target = this.#started.get(to)
    if (target === undefined || !this.canPass(from, to) || !this.canPass(to, from)) {
      throw new PeerUnreachable(`Broker ${to} does not answer.`)
    }
    return target
  }
}

/** One broker's transport in a `MemoryNetwork`. */
export class MemoryTransport implements Transport {
  readonly self: BrokerId
  readonly #network: MemoryNetwork
  #handlers: TransportHandlers | undefined
  #peers: ReadonlyMap<BrokerId, PeerAddress> = new Map()
  /** Brokers that were peers and are none any more: they are not let in, as by the real transport. */
  readonly #removed = new Set<BrokerId>()
  #isRunning = false

  constructor(network: MemoryNetwork, self: BrokerId) {
    this.#network = network
    this.self = self
  }

  get port(): number {
    return 1_000 + this.self
  }

  get handlers(): TransportHandlers {
    if (this.#handlers === undefined) throw new Error(`Broker ${this.self} has not started.`)
    return this.#handlers
  }

  start(handlers: TransportHandlers): Promise<void> {
    this.#handlers = handlers
    this.#isRunning = true
    this.#network.add(this)
    return Promise.resolve()
  }

  setPeers(peers: ReadonlyMap<BrokerId, PeerAddress>): void {
    for (const peer of this.#peers.keys()) this.#removed.add(peer)
    for (const peer of peers.keys()) this.#removed.delete(peer)
    this.#peers = new Map(peers)
  }

  letsIn(from: BrokerId): boolean {
    return !this.#removed.has(from)
  }

  sendMessage(to: BrokerId, group: GroupId, message: Message): void {
    if (!this.#network.loses(this.self, to, group, message))
      this.#send(to, encodeMessageFrame(group, message))
  }

  sendHeartbeat(to: BrokerId, heartbeat: Heartbeat): void {
    this.#send(to, encodeHeartbeatFrame(heartbeat))
  }

  sendDigest(to: BrokerId, digest: Digest): void {
    this.#send(to, encodeDigestFrame(digest))
  }

  async request(to: BrokerId, request: PeerRequest, options: RequestOptions): Promise<Uint8Array> {
    const target = this.#network.find(to)
    if (!this.#canReach(to) || target === undefined || options.signal?.aborted === true) {
      throw new PeerUnreachable(`No lane to broker ${to} is open.`)
    }
    const copy = { ...request, body: Buffer.from(request.body) }
    const controller = new AbortController()
    return new Promise<Uint8Array>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer)
        unwatch()
        options.signal?.removeEventListener('abort', onAbort)
        settle()
      }
      const lose = (detail: string): void =>
        finish(() => {
          controller.abort(new Error(detail))
          reject(new PeerLost(detail))
        })
      const timer = setTimeout(() => lose('No answer in time.'), options.timeoutMs)
      const onAbort = (): void => lose('The request was cancelled.')
      const unwatch = this.#network.watch(() => {
        const isThere = this.#isRunning && this.#network.find(to) === target && this.#canReach(to)
        if (!isThere) lose('The lane to the broker is gone.')
      })
      options.signal?.addEventListener('abort', onAbort, { once: true })
      this.#run(target, copy, options.timeoutMs, controller.signal).then(
        (answer) => finish(() => resolve(answer)),
        (error: unknown) => finish(() => reject(error)),
      )
    })
  }

  /** As if a person had typed a message to this broker. */
  typed(from: BrokerId, group: GroupId, message: Message): Promise<readonly Message[]> {
    return this.handlers.onTypedMessage(from, group, message)
  }

  stop(): Promise<void> {
    this.#isRunning = false
    this.#network.remove(this)
    return Promise.resolve()
  }

  notePeerGone(peer: BrokerId): void {
    if (!this.#peers.has(peer) || !this.#network.canPass(this.self, peer)) return
    setImmediate(() => {
      if (this.#isRunning && this.#network.find(peer) === undefined) this.handlers.onRefused(peer)
    })
  }

  receive(from: BrokerId, bytes: Buffer): void {
    if (!this.#isRunning || !this.letsIn(from)) return
    this.handlers.onHeard(from)
    for (const { group, type, payload } of framesOf(bytes)) {
      const kind = messageKindOf(type)
      const reader = new ByteReader(payload)
      if (type === FRAME_TYPE.DIGEST) this.handlers.onDigest(from, decodeDigest(reader))
      else if (kind === undefined) this.handlers.onHeartbeat(from, decodeHeartbeat(reader))
      else this.handlers.onMessage(from, group, decodeMessage(kind, reader, crc32))
    }
  }

  async #run(
    target: MemoryTransport,
    request: PeerRequest,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    await nextTurn()
    target.handlers.onHeard(this.self)
    try {
      const answer = Buffer.from(await target.handlers.onRequest(this.self, request, { deadlineMs, signal }))
      await nextTurn()
      return answer
    } catch (error) {
      await nextTurn()
      throw error instanceof SynodError
        ? error
        : new SynodError('internal', 'The broker failed.', { cause: error })
    }
  }

  #send(to: BrokerId, frame: EncodedFrame): void {
    if (!this.#peers.has(to) || !this.#isRunning) return
    const bytes = Buffer.concat(frame.chunks)
    setImmediate(() => {
      if (this.#network.canPass(this.self, to)) this.#network.find(to)?.receive(this.self, bytes)
    })
  }

  #canReach(to: BrokerId): boolean {
    const isPeer =
      this.#isRunning && this.#peers.has(to) && this.#network.find(to)?.letsIn(this.self) === true
    return isPeer && this.#network.canPass(this.self, to) && this.#network.canPass(to, this.self)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
