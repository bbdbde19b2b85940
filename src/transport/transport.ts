import type { Digest } from '../types/digest.ts'
import type { BrokerId, GroupId } from '../types/ids.ts'
import type { Message } from '../paxos/messages.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'

/**
 * Messages between brokers. Delivery may fail, repeat or reorder; nothing depends on more, but requests.
 * Heartbeats travel in a lane of their own kind and never wait behind data.
 */
export interface Transport {
  /** The internal listener's address after `start`. */
  readonly port: number
  start(handlers: TransportHandlers): Promise<void>
  /** Where peers are; called again when metadata tells new addresses. Removed peers are disconnected. */
  setPeers(peers: ReadonlyMap<BrokerId, PeerAddress>): void
  sendMessage(to: BrokerId, group: GroupId, message: Message): void
  sendHeartbeat(to: BrokerId, heartbeat: Heartbeat): void
  /** What this broker holds of groups that both have, for comparison; it may be lost as any message. */
  sendDigest(to: BrokerId, digest: Digest): void
  /**
   * Asks a peer and waits for its answer (lane `fwd`). `kind` names the operation, the body is the operation's own.
   * Rejects with `PeerUnreachable` when the request certainly never left, `PeerLost` when it may have been acted on
   * (lane broke, deadline passed), `SynodError` when the peer answered with one.
   */
  request(
    to: BrokerId,
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array>
  stop(): Promise<void>
}

export interface PeerAddress {
  readonly host: string
  readonly port: number
}

export interface PeerRequest {
  /** 'append', 'read', 'command', … */
  readonly kind: string
  readonly group: GroupId
  readonly body: Uint8Array
}

export interface TransportHandlers {
  onMessage(from: BrokerId, group: GroupId, message: Message): void
  onHeartbeat(from: BrokerId, heartbeat: Heartbeat): void
  onDigest(from: BrokerId, digest: Digest): void
  /** Two refused connections in a row, 50 ms apart, with nothing heard since before the first (consensus 1.9). */
  onRefused(peer: BrokerId): void
  /** Anything at all came in from the peer. */
  onHeard(peer: BrokerId): void
  /** A thrown SynodError becomes the peer's answer. `deadlineMs` is the time left when it arrived. */
  onRequest(
    from: BrokerId,
    request: PeerRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array>
  /** One message by JSON from a person (`POST /internal/v1/paxos/...`): feed it to the core, return what it sends back. */
  onTypedMessage(from: BrokerId, group: GroupId, message: Message): Promise<readonly Message[]>
  /** Before a cluster is formed: this store's answer to 'who are you?', and taking a cluster from the one who forms it. */
  onHello(from: BrokerId): Hello
  onForm(from: BrokerId, formation: Formation): Promise<void>
}

/** What a seed says of itself. `empty`: no cluster id yet, and a cluster may be founded with it. */
export interface Hello {
  readonly brokerId: BrokerId
  readonly storeId: string
  readonly clusterId: string
  readonly empty: boolean
  /** Who votes on the metadata, as this broker knows; only from a member of a cluster. A new broker learns from them. */
  readonly controllers?: Formation['voters'] | undefined
}

/** The first configuration, told by the seed with the lowest id after all seeds answered 'empty'. */
export interface Formation {
  readonly clusterId: string
  readonly voters: readonly { readonly broker: BrokerId; readonly store: string }[]
}

export class PeerUnreachable extends Error {
  override readonly name = 'PeerUnreachable'
}
export class PeerLost extends Error {
  override readonly name = 'PeerLost'
}
