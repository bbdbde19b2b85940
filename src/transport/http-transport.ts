import { crc32 } from 'node:zlib'
import type { Digest } from '../types/digest.ts'
import type { BrokerId, GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Message } from '../paxos/messages.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'
import { copyCounters, newCounters, type TransportCounters } from './counters.ts'
import { FormationEndpoints } from './formation.ts'
import { FrameTooLargeError } from './frames.ts'
import { clusterKey } from './handshake.ts'
import { IncomingLanes } from './incoming-lanes.ts'
import { InternalListener } from './internal-listener.ts'
import { SECRET_BYTES_MIN, SIGN_OF_LIFE_MS } from './limits.ts'
import { QuietLog, type TransportLog } from './log.ts'
import type { LaneContext } from './outgoing-lane.ts'
import { PeerLink } from './peer-link.ts'
import {
  PeerUnreachable,
  type PeerAddress,
  type PeerRequest,
  type Transport,
  type TransportHandlers,
} from './transport.ts'
import { isLoopback } from './typed-messages.ts'

export interface HttpTransportOptions {
  readonly self: BrokerId
  /** Drawn at each start of the process; visible ASCII. */
  readonly bootId: string
  /** Empty before the cluster is formed. Lanes that were opened under another id are opened anew. */
  readonly clusterId: () => string
  /** The cluster's key, at least 32 random bytes. Undefined only when bound to loopback. */
  readonly secret: Buffer | undefined
  /** Port 0 takes any that is free. */
  readonly bind: { readonly host: string; readonly port: number }
  readonly log: TransportLog
  /** Allows no secret on an address that others reach. */
  readonly isInsecureAllowed?: boolean
}

/** The `Transport` between processes: lanes over HTTP/1.1, and the internal listener with all its endpoints. */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions
  readonly #log: QuietLog
  readonly #counters = newCounters()
  readonly #context: LaneContext
  readonly #links = new Map<BrokerId, PeerLink>()
  readonly #closing = new Set<Promise<void>>()
  #peers: ReadonlyMap<BrokerId, PeerAddress> = new Map()
  #listener: InternalListener | undefined
  #handlers: TransportHandlers | undefined
  #incoming: IncomingLanes | undefined
  #silenceTimer: NodeJS.Timeout | undefined
  #isStarted = false
  #isStopped = false

  /** Throws an Error with one clear sentence when the secret does not fit the address. */
  constructor(options: HttpTransportOptions) {
    const { secret, bind, self, bootId } = options
    if (secret !== undefined && secret.length < SECRET_BYTES_MIN) {
      throw new Error(
        `The cluster secret has ${secret.length} bytes; it needs at least ${SECRET_BYTES_MIN} random ones.`,
      )
    }
    if (secret === undefined && !isLoopback(bind.host) && options.isInsecureAllowed !== true) {
      throw new Error(
        `The internal listener on ${bind.host} can be reached by others: it needs a cluster secret, or an address like 127.0.0.1.`,
      )
    }
    this.#options = options
    this.#log = new QuietLog(options.log)
    this.#context = {
      self,
      bootId,
      key: clusterKey(secret),
      counters: this.#counters,
      clusterId: options.clusterId,
    }
  }

  get port(): number {
    invariant(this.#listener !== undefined, 'The transport has a port once it was started.')
    return this.#listener.port
  }

  /** Everything counted since the start; a copy. */
  counters(): TransportCounters {
    return copyCounters(this.#counters)
  }

  /** Resolves when the listener accepts. Rejects when it cannot be bound. */
  async start(handlers: TransportHandlers): Promise<void> {
    invariant(this.#listener === undefined && !this.#isStopped, 'A transport is started once.')
    const { secret, bind } = this.#options
    this.#handlers = handlers
    this.#incoming = new IncomingLanes({
      context: this.#context,
      handlers,
      checksum: crc32,
      log: this.#log,
      onHeard: (peer) => this.#onHeard(peer),
      onArrived: (peer) => this.#links.get(peer)?.open(),
    })
    this.#listener = new InternalListener({
      secret,
      handlers,
      incoming: this.#incoming,
      formation: new FormationEndpoints(secret, handlers),
      checksum: crc32,
      counters: this.#counters,
      log: this.#log,
    })
    await this.#listener.listen(bind)
    this.#isStarted = true
    this.#watchSilence()
    this.#connect()
  }

  setPeers(peers: ReadonlyMap<BrokerId, PeerAddress>): void {
    this.#peers = new Map([...peers].filter(([broker]) => broker !== this.#options.self))
    if (this.#isStarted && !this.#isStopped) this.#connect()
  }

  /** What is addressed to a broker that is no peer is dropped. */
  sendMessage(to: BrokerId, group: GroupId, message: Message): void {
    invariant(to !== this.#options.self, 'A broker sends nothing to itself.')
    try {
      this.#links.get(to)?.sendMessage(group, message)
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error
      this.#counters.oversizedFrames++
      const facts = { to, group, kind: message.kind, reason: error.message }
      this.#log.warnOnce(`oversized ${group}`, 'A message is too large to be sent.', facts)
    }
  }

  sendHeartbeat(to: BrokerId, heartbeat: Heartbeat): void {
    invariant(to !== this.#options.self, 'A broker sends nothing to itself.')
    this.#links.get(to)?.sendHeartbeat(heartbeat)
  }

  sendDigest(to: BrokerId, digest: Digest): void {
    invariant(to !== this.#options.self, 'A broker sends nothing to itself.')
    this.#links.get(to)?.sendDigest(digest)
  }

  /** Beside the errors of the contract: SynodError 'overloaded' when too many requests to this peer are under way. */
  request(
    to: BrokerId,
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    invariant(to !== this.#options.self, 'A broker asks nothing of itself.')
    const link = this.#links.get(to)
    if (link === undefined) return Promise.reject(new PeerUnreachable(`Broker ${to} is no peer of this one.`))
    return link.request(request, options)
  }

  /** Closes every lane and the listener. Resolves when all sockets are gone. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#silenceTimer)
    for (const [broker, link] of this.#links) this.#disconnect(broker, link)
    this.#incoming?.close()
    await this.#listener?.close()
    await Promise.all(this.#closing)
  }

  #onHeard(peer: BrokerId): void {
    const link = this.#links.get(peer)
    if (link === undefined) this.#handlers?.onHeard(peer)
    else link.heard()
  }

  /** Makes the links fit the peers. */
  #connect(): void {
    for (const [broker, link] of this.#links) {
      const address = this.#peers.get(broker)
      if (address === undefined) this.#incoming?.remove(broker)
      if (address?.host === link.address.host && address.port === link.address.port) continue
      this.#disconnect(broker, link)
    }
    for (const [broker, address] of this.#peers) {
      this.#incoming?.admit(broker)
      if (this.#links.has(broker)) continue
      const link = new PeerLink({
        peer: broker,
        address,
        context: this.#context,
        log: this.#log,
        onHeard: () => this.#handlers?.onHeard(broker),
        onRefused: () => this.#handlers?.onRefused(broker),
      })
      this.#links.set(broker, link)
      link.open()
    }
  }

  #disconnect(broker: BrokerId, link: PeerLink): void {
    this.#links.delete(broker)
    const closed = link.close()
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
  }

  #watchSilence(): void {
    let lastAtMs = performance.now()
    this.#silenceTimer = setInterval(() => {
      const now = performance.now()
      const hasSlept = now - lastAtMs > SIGN_OF_LIFE_MS * 3
      lastAtMs = now
      // After a pause of this process what came meanwhile has not been read yet: silence would be its own.
      if (hasSlept) return
      for (const link of this.#links.values()) link.checkSilence()
    }, SIGN_OF_LIFE_MS)
  }
}
