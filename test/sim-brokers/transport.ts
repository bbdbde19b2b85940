import { crc32 } from 'node:zlib'
import type { Heartbeat } from '../../src/detector/heartbeat.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { ByteReader } from '../../src/transport/byte-reader.ts'
import { decodeDigest } from '../../src/transport/digest-codec.ts'
import {
  encodeDigestFrame,
  encodeHeartbeatFrame,
  encodeMessageFrame,
  FRAME_TYPE,
  framesOf,
  type EncodedFrame,
} from '../../src/transport/frames.ts'
import { decodeHeartbeat } from '../../src/transport/heartbeat-codec.ts'
import { decodeMessage } from '../../src/transport/message-codec.ts'
import { messageKindOf } from '../../src/transport/message-fields.ts'
import {
  PeerUnreachable,
  type Formation,
  type Hello,
  type PeerAddress,
  type PeerRequest,
  type Transport,
  type TransportHandlers,
} from '../../src/transport/transport.ts'
import type { Digest } from '../../src/types/digest.ts'
import { brokerId, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import { describeMessage, digestMessage } from '../sim/describe.ts'
import { TRACED } from '../sim/trace.ts'
import type { LaneEnd } from './lanes.ts'
import type { BrokersScene } from './scene.ts'

const BASE_PORT = 1_000
/** As long as the real transport waits for a founding broker. */
const HELLO_TIMEOUT_MS = 1_000

export function portOf(id: BrokerId): number {
  return BASE_PORT + id
}

/** One process's transport over the simulated lanes. */
export class SimulatedTransport implements Transport {
  readonly port: number
  readonly #scene: BrokersScene
  readonly #id: BrokerId
  readonly #process: Pick<LaneEnd, 'inProcess' | 'later'>
  #peers: ReadonlyMap<BrokerId, PeerAddress> = new Map()
  /** Brokers that were peers and are none any more: they are not let in, as by the real transport. */
  readonly #removed = new Set<BrokerId>()
  #end: LaneEnd | undefined

  constructor(scene: BrokersScene, id: BrokerId, process: Pick<LaneEnd, 'inProcess' | 'later'>) {
    this.#scene = scene
    this.#id = id
    this.#process = process
    this.port = portOf(id)
  }

  start(handlers: TransportHandlers): Promise<void> {
    const { inProcess, later } = this.#process
    const letsIn = (from: BrokerId): boolean => !this.#removed.has(from)
    this.#end = { id: this.#id, handlers, letsIn, inProcess, later }
    this.#scene.lanes.open(this.#end)
    return Promise.resolve()
  }

  setPeers(peers: ReadonlyMap<BrokerId, PeerAddress>): void {
    for (const peer of this.#peers.keys()) this.#removed.add(peer)
    for (const peer of peers.keys()) this.#removed.delete(peer)
    this.#peers = new Map(peers)
  }

  sendMessage(to: BrokerId, group: GroupId, message: Message): void {
    const { swarm, trace, queue } = this.#scene
    if (this.#end === undefined || !this.#peers.has(to)) return
    const from = this.#id
    const note = () =>
      trace.note(
        TRACED.DELIVER,
        to,
        digestMessage(message),
        queue.nowMs,
        () => `${from} > ${to}  g${group} ${describeMessage(message)}`,
      )
    if (swarm.isEncoded) return this.#sendFrame(to, encodeMessageFrame(group, message), note)
    this.#scene.lanes.send(from, to, (end) => {
      note()
      end.handlers.onMessage(from, group, message)
    })
  }

  sendHeartbeat(to: BrokerId, heartbeat: Heartbeat): void {
    if (this.#end === undefined || !this.#peers.has(to)) return
    if (this.#scene.swarm.isEncoded) return this.#sendFrame(to, encodeHeartbeatFrame(heartbeat), () => {})
    this.#scene.lanes.send(this.#id, to, (end) => end.handlers.onHeartbeat(this.#id, heartbeat))
  }

  sendDigest(to: BrokerId, digest: Digest): void {
    if (this.#end === undefined || !this.#peers.has(to)) return
    if (this.#scene.swarm.isEncoded) return this.#sendFrame(to, encodeDigestFrame(digest), () => {})
    this.#scene.lanes.send(this.#id, to, (end) => end.handlers.onDigest(this.#id, digest))
  }

  request(
    to: BrokerId,
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    if (this.#end === undefined || !this.#peers.has(to))
      return Promise.reject(new PeerUnreachable(`Broker ${to} is no peer.`))
    return this.#scene.lanes.request(this.#end, to, request, options)
  }

  stop(): Promise<void> {
    this.halt()
    return Promise.resolve()
  }

  /** The process has ended, in whatever way. */
  halt(): void {
    if (this.#end !== undefined) this.#scene.lanes.close(this.#end)
    this.#end = undefined
  }

  /** As `askHello` of the real transport. */
  askHello({ port }: PeerAddress): Promise<Hello> {
    return this.#found(brokerId(port - BASE_PORT), (end) => Promise.resolve(end.handlers.onHello(this.#id)))
  }

  /** As `tellFormation` of the real transport. */
  tellFormation({ port }: PeerAddress, formation: Formation): Promise<void> {
    return this.#found(brokerId(port - BASE_PORT), (end) =>
      end.handlers.onForm(this.#id, structuredClone(formation)),
    )
  }

  #found<Answer>(to: BrokerId, ask: (end: LaneEnd) => Promise<Answer>): Promise<Answer> {
    const { lanes, network } = this.#scene
    const target = lanes.find(to)
    const { inProcess, later } = this.#process
    return new Promise((resolve, reject) => {
      const timer = later(
        () => reject(new PeerUnreachable(`Broker ${to} does not answer.`)),
        target === undefined ? 1 : HELLO_TIMEOUT_MS,
      )
      const answer = (settle: () => void): void =>
        network.sendOnce(to, this.#id, () =>
          inProcess(() => {
            timer.cancel()
            settle()
          }),
        )
      network.sendOnce(this.#id, to, () => {
        if (target === undefined || lanes.find(to) !== target) return
        target.inProcess(() => {
          ask(target).then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(new Error(String(error)))),
          )
        })
      })
    })
  }

  #sendFrame(to: BrokerId, frame: EncodedFrame, note: () => void): void {
    const bytes = Buffer.concat(frame.chunks)
    const from = this.#id
    this.#scene.lanes.send(from, to, ({ handlers }) => {
      note()
      for (const { group, type, payload } of framesOf(bytes)) {
        const kind = messageKindOf(type)
        const reader = new ByteReader(payload)
        if (type === FRAME_TYPE.DIGEST) handlers.onDigest(from, decodeDigest(reader))
        else if (kind === undefined) handlers.onHeartbeat(from, decodeHeartbeat(reader))
        else handlers.onMessage(from, group, decodeMessage(kind, reader, crc32))
      }
    })
  }
}
