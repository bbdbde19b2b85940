import type { Digest } from '../types/digest.ts'
import type { BrokerId, GroupId } from '../types/ids.ts'
import type { Message } from '../paxos/messages.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'
import { ByteReader, MalformedFrameError } from './byte-reader.ts'
import {
  FRAME_TYPE,
  encodeDigestFrame,
  encodeHeartbeatFrame,
  encodeMessageFrame,
  framesOf,
  type EncodedFrame,
} from './frames.ts'
import type { SessionEnd } from './lane-session.ts'
import { laneOf } from './lanes.ts'
import { LANES, SILENCE_MS_MAX, type LaneName } from './limits.ts'
import type { QuietLog } from './log.ts'
import { OutgoingLane, type LaneContext } from './outgoing-lane.ts'
import { PendingRequests } from './pending-requests.ts'
import { RefusalWatch } from './refusal-watch.ts'
import { decodeAnswer, decodeError } from './request-codec.ts'
import type { PeerAddress, PeerRequest } from './transport.ts'

export interface PeerLinkOptions {
  readonly peer: BrokerId
  readonly address: PeerAddress
  readonly context: LaneContext
  readonly log: QuietLog
  onHeard(): void
  onRefused(): void
}

/**
 * The four lanes that this broker opens to one peer. `ctl` is always being opened; the others follow when it is open,
 * so that a peer that is gone costs one attempt at a time.
 */
export class PeerLink {
  readonly address: PeerAddress
  readonly #options: PeerLinkOptions
  readonly #lanes: Readonly<Record<LaneName, OutgoingLane>>
  readonly #requests: PendingRequests
  readonly #refusals = new RefusalWatch()
  #controlHeardAtMs = 0
  #controlSentAtMs = 0

  constructor(options: PeerLinkOptions) {
    this.address = options.address
    this.#options = options
    this.#lanes = {
      ctl: this.#lane('ctl'),
      data: this.#lane('data'),
      bulk: this.#lane('bulk'),
      fwd: this.#lane('fwd'),
    }
    this.#requests = new PendingRequests(this.#lanes.fwd)
  }

  /** Opens `ctl` now if it is down. */
  open(): void {
    this.#lanes.ctl.dial()
  }

  sendMessage(group: GroupId, message: Message): void {
    const frame = encodeMessageFrame(group, message)
    const lane = laneOf(message, frame.byteLength)
    this.#offer(lane, frame, message.kind === 'accept' ? 'accept' : 'ordinary')
  }

  sendHeartbeat(heartbeat: Heartbeat): void {
    this.#offer('ctl', encodeHeartbeatFrame(heartbeat), 'heartbeat')
  }

  sendDigest(digest: Digest): void {
    this.#offer('ctl', encodeDigestFrame(digest), 'ordinary')
  }

  request(
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    return this.#requests.send(request, options)
  }

  /** Something verified came in from the peer, on whichever lane of either side. */
  heard(): void {
    this.#refusals.heard(performance.now())
    this.#options.onHeard()
  }

  /** Called now and then: opens the lanes anew when the peer has not answered for long, though it was spoken to. */
  checkSilence(): void {
    if (this.#lanes.ctl.state !== 'open' || this.#controlSentAtMs <= this.#controlHeardAtMs) return
    if (performance.now() - this.#controlHeardAtMs < SILENCE_MS_MAX) return
    for (const lane of LANES) this.#lanes[lane].reset(`Nothing was heard for ${SILENCE_MS_MAX} ms.`)
  }

  /** For good; rejects what waits. Resolves when every socket is gone. */
  async close(): Promise<void> {
    await Promise.all(LANES.map((lane) => this.#lanes[lane].close()))
  }

  #lane(lane: LaneName): OutgoingLane {
    const { peer, address, context } = this.#options
    return new OutgoingLane({
      lane,
      peer,
      address,
      context,
      mayDial: () => lane === 'ctl' || this.#lanes.ctl.state === 'open',
      onOpen: () => this.#onOpen(lane),
      onFlush: (flush) => this.#onFlush(lane, flush),
      onEnd: (end) => this.#onEnd(lane, end),
    })
  }

  #offer(lane: LaneName, frame: EncodedFrame, rank: 'accept' | 'ordinary' | 'heartbeat'): void {
    if (lane === 'ctl') this.#controlSentAtMs = performance.now()
    this.#lanes[lane].offer({ ...frame, rank })
  }

  #onOpen(lane: LaneName): void {
    this.#refusals.interrupted()
    if (lane === 'ctl') {
      this.#options.log.ended(this.#topic())
      this.#options.log.ended(this.#topic('rejected'))
      this.#controlHeardAtMs = performance.now()
      for (const other of LANES) this.#lanes[other].dial()
    }
    this.heard()
  }

  #onFlush(lane: LaneName, flush: Buffer): void {
    if (lane === 'ctl') this.#controlHeardAtMs = performance.now()
    this.heard()
    try {
      for (const frame of framesOf(flush)) {
        this.#options.context.counters.lanes[lane].framesIn++
        if (lane !== 'fwd') throw new MalformedFrameError(`Nothing is answered on lane ${lane}.`)
        this.#onAnswer(frame.type, new ByteReader(frame.payload))
      }
    } catch (error) {
      if (!(error instanceof MalformedFrameError)) throw error
      this.#lanes[lane].reset(error.message)
      this.#options.context.counters.malformedFrames++
    }
  }

  #onAnswer(type: number, reader: ByteReader): void {
    if (type === FRAME_TYPE.ANSWER) {
      const { id, body } = decodeAnswer(reader)
      this.#requests.answered(id, body)
    } else if (type === FRAME_TYPE.ERROR) {
      const { id, error } = decodeError(reader)
      this.#requests.failed(id, error)
    } else {
      throw new MalformedFrameError(`A frame of type ${type} is no answer.`)
    }
  }

  #onEnd(lane: LaneName, end: SessionEnd): void {
    const { counters } = this.#options.context
    if (end.kind === 'forged') counters.authenticationFailures++
    if (end.kind === 'malformed') counters.malformedFrames++
    this.#report(lane, end)
    if (lane === 'fwd') this.#requests.laneLost(`The lane to the broker is gone: ${end.detail}`)
    if (lane !== 'ctl') return
    for (const other of LANES) this.#lanes[other].giveUpWaiting()
    if (end.kind !== 'refused') return this.#refusals.interrupted()
    if (this.#refusals.refused(performance.now())) this.#options.onRefused()
  }

  #report(lane: LaneName, end: SessionEnd): void {
    if (end.kind === 'closed') return
    const { peer, address, log } = this.#options
    const facts = { peer, lane, address: `${address.host}:${address.port}`, reason: end.detail }
    const isOrdinary = end.kind === 'refused' || end.kind === 'unreachable' || end.kind === 'lost'
    log.warnOnce(
      this.#topic(end.kind),
      isOrdinary
        ? 'A broker cannot be reached.'
        : 'A broker does not accept this one, or is not who it should be.',
      facts,
    )
  }

  #topic(kind?: SessionEnd['kind']): string {
    const isOrdinary = kind === undefined || kind === 'refused' || kind === 'unreachable' || kind === 'lost'
    return `peer ${this.#options.peer} ${isOrdinary ? 'away' : kind}`
  }
}
