import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BrokerId } from '../types/ids.ts'
import type { Checksum } from '../paxos/state.ts'
import { ByteReader, DamagedBodyError, MalformedFrameError } from './byte-reader.ts'
import type { TransportCounters } from './counters.ts'
import { decodeDigest } from './digest-codec.ts'
import { FlushReader, ForgedFlushError } from './flush-reader.ts'
import { FlushWriter } from './flush-writer.ts'
import { FRAME_TYPE, framesOf, type EncodedFrame, type ReceivedFrame } from './frames.ts'
import type { SessionKeys } from './handshake.ts'
import { decodeHeartbeat } from './heartbeat-codec.ts'
import { IncomingRequests } from './incoming-requests.ts'
import { LaneQueue } from './lane-queue.ts'
import {
  FLUSH_BYTES_MAX,
  PROOF_TIMEOUT_MS,
  QUEUE_BYTES_MAX,
  SIGN_OF_LIFE_MS,
  type LaneName,
} from './limits.ts'
import type { QuietLog } from './log.ts'
import { decodeMessage } from './message-codec.ts'
import { messageKindOf } from './message-fields.ts'
import type { TransportHandlers } from './transport.ts'

export interface IncomingLaneOptions {
  readonly lane: LaneName
  readonly from: BrokerId
  readonly clusterId: string
  readonly keys: SessionKeys
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly handlers: TransportHandlers
  readonly counters: TransportCounters
  readonly checksum: Checksum
  readonly log: QuietLog
  /** The cluster id of now: a lane that was opened under another one is closed. */
  currentClusterId(): string
  /** The peer has proven that it knows the key now. */
  onProven(lane: IncomingLane): void
  /** A verified flush came. */
  onHeard(): void
  onEnd(lane: IncomingLane): void
}

/** One lane that a peer has opened to this broker: verifies each flush, and hands its frames to the handlers. */
export class IncomingLane {
  readonly lane: LaneName
  readonly from: BrokerId
  readonly #options: IncomingLaneOptions
  readonly #reader: FlushReader
  readonly #queue: LaneQueue
  readonly #writer: FlushWriter
  readonly #requests: IncomingRequests | undefined
  readonly #proofTimer: NodeJS.Timeout
  #isProven = false
  #hasEnded = false
  #signOfLifeAtMs = 0

  constructor(options: IncomingLaneOptions) {
    this.lane = options.lane
    this.from = options.from
    this.#options = options
    const { request, response, counters, lane } = options
    // Nothing but an empty flush is taken before the key is proven.
    this.#reader = new FlushReader({
      key: options.keys.forward,
      bytesMax: 0,
      onFlush: (flush) => this.#onFlush(flush),
    })
    this.#queue = new LaneQueue(QUEUE_BYTES_MAX[lane], () => counters.lanes[lane].dropped++)
    this.#writer = new FlushWriter({
      sink: response,
      key: options.keys.backward,
      queue: this.#queue,
      counters: counters.lanes[lane],
      onStalled: () => this.close(),
    })
    this.#requests = lane === 'fwd' ? this.#requestsOf(options) : undefined
    this.#proofTimer = setTimeout(() => this.close(), PROOF_TIMEOUT_MS)
    request.on('data', (chunk: Buffer) => this.#onData(chunk))
    request.on('error', () => this.close())
    response.on('error', () => this.close())
    response.on('close', () => this.close())
    request.on('end', () => this.close())
  }

  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#proofTimer)
    this.#reader.close()
    this.#writer.close()
    this.#queue.clear()
    this.#requests?.close()
    this.#options.request.socket.destroy()
    this.#options.onEnd(this)
  }

  #requestsOf(options: IncomingLaneOptions): IncomingRequests {
    return new IncomingRequests({
      from: options.from,
      onRequest: (from, request, more) => options.handlers.onRequest(from, request, more),
      log: options.log,
      reply: (frame) => this.#reply(frame),
    })
  }

  #onData(chunk: Buffer): void {
    this.#options.counters.lanes[this.lane].bytesIn += chunk.length
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#onBadBytes(error)
    }
  }

  #onFlush(flush: Buffer): void {
    if (this.#options.clusterId !== this.#options.currentClusterId()) return this.close()
    if (!this.#isProven) {
      this.#isProven = true
      clearTimeout(this.#proofTimer)
      this.#reader.bytesMax = FLUSH_BYTES_MAX
      this.#options.onProven(this)
    }
    this.#options.onHeard()
    if (this.lane === 'ctl') this.#showLife()
    for (const frame of framesOf(flush)) {
      if (this.#hasEnded) return
      this.#options.counters.lanes[this.lane].framesIn++
      this.#onFrame(frame)
    }
  }

  #onFrame(frame: ReceivedFrame): void {
    if (this.#requests !== undefined) return this.#requests.receive(frame)
    const { handlers, checksum, counters } = this.#options
    if (frame.type === FRAME_TYPE.HEARTBEAT) {
      return handlers.onHeartbeat(this.from, decodeHeartbeat(new ByteReader(frame.payload)))
    }
    if (frame.type === FRAME_TYPE.DIGEST) {
      return handlers.onDigest(this.from, decodeDigest(new ByteReader(frame.payload)))
    }
    const kind = messageKindOf(frame.type)
    if (kind === undefined) throw new MalformedFrameError(`There is no frame of type ${frame.type}.`)
    let message
    try {
      message = decodeMessage(kind, new ByteReader(frame.payload), checksum)
    } catch (error) {
      if (!(error instanceof DamagedBodyError)) throw error
      counters.damagedFrames++
      const facts = { from: this.from, group: frame.group, kind, reason: error.message }
      return this.#options.log.warnOnce(`damaged from ${this.from}`, 'A broker sends a damaged entry.', facts)
    }
    handlers.onMessage(this.from, frame.group, message)
  }

  /** Answers wait in a bounded queue. One that finds no room ends the lane: the asker must not take it for unsent. */
  #reply(frame: EncodedFrame): void {
    if (this.#hasEnded) return
    if (!this.#queue.hasRoomFor(frame.byteLength)) return this.close()
    this.#queue.offer({ ...frame, rank: 'ordinary' })
    this.#writer.wake()
  }

  /** The peer's only sign, besides its own lanes, that this side still reads. */
  #showLife(): void {
    const now = performance.now()
    if (now - this.#signOfLifeAtMs < SIGN_OF_LIFE_MS) return
    this.#signOfLifeAtMs = now
    this.#writer.writeEmpty()
  }

  #onBadBytes(error: unknown): void {
    const { counters, log } = this.#options
    const facts = { from: this.from, lane: this.lane, reason: (error as Error).message }
    if (error instanceof ForgedFlushError) {
      counters.authenticationFailures++
      log.warnOnce(`forged from ${this.from}`, 'A lane carried bytes that its broker did not send.', facts)
    } else if (error instanceof MalformedFrameError) {
      counters.malformedFrames++
      log.warnOnce(`malformed from ${this.from}`, 'A broker does not speak the language of this one.', facts)
    } else {
      throw error
    }
    this.close()
  }
}
