import type { BrokerId } from '../types/ids.ts'
import type { LaneCounters, TransportCounters } from './counters.ts'
import { FlushWriter } from './flush-writer.ts'
import { LaneQueue, type OutgoingFrame, type QueuePlace } from './lane-queue.ts'
import { LaneSession, type SessionEnd } from './lane-session.ts'
import {
  CONTROL_REOPEN_DELAY_MAX_MS,
  QUEUE_BYTES_MAX,
  REOPEN_DELAY_MAX_MS,
  REOPEN_DELAY_MIN_MS,
  STABLE_SESSION_MS,
  type LaneName,
} from './limits.ts'
import type { PeerAddress } from './transport.ts'

/** What all lanes of a broker share. */
export interface LaneContext {
  readonly self: BrokerId
  readonly bootId: string
  readonly key: Buffer
  readonly counters: TransportCounters
  clusterId(): string
}

export interface OutgoingLaneOptions {
  readonly lane: LaneName
  readonly peer: BrokerId
  readonly address: PeerAddress
  readonly context: LaneContext
  /** Asked before each attempt; who says no has to call `dial` later. */
  mayDial(): boolean
  onOpen(): void
  onFlush(flush: Buffer): void
  /** After the queue was cleared. */
  onEnd(end: SessionEnd): void
}

/** `idle`: no attempt yet. `failed`: the last attempt or session ended; what is offered now is dropped. */
export type LaneState = 'idle' | 'opening' | 'open' | 'failed' | 'closed'

/**
 * One lane to one peer, opened again and again. Frames wait while it is being opened; when it breaks, what waits is
 * given up, because the peer will ask again for what still matters.
 */
export class OutgoingLane {
  readonly #options: OutgoingLaneOptions
  readonly #counters: LaneCounters
  readonly #queue: LaneQueue
  readonly #gone = new Set<Promise<void>>()
  #state: LaneState = 'idle'
  #session: LaneSession | undefined
  #writer: FlushWriter | undefined
  #failures = 0
  #openedAtMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: OutgoingLaneOptions) {
    this.#options = options
    this.#counters = options.context.counters.lanes[options.lane]
    this.#queue = new LaneQueue(QUEUE_BYTES_MAX[options.lane], () => this.#counters.dropped++)
  }

  get state(): LaneState {
    return this.#state
  }

  /** Whether a frame of this size can be queued without giving up another. */
  hasRoomFor(byteLength: number): boolean {
    return this.#queue.hasRoomFor(byteLength)
  }

  /** Queues a frame. Undefined when it was dropped because the lane is down; its `onDropped` has then been called. */
  offer(frame: OutgoingFrame): QueuePlace | undefined {
    if (this.#state === 'failed' || this.#state === 'closed') {
      this.#counters.dropped++
      frame.onDropped?.()
      return undefined
    }
    if (this.#session !== undefined && this.#session.clusterId !== this.#options.context.clusterId()) {
      this.#session.close({ kind: 'closed', detail: 'The cluster was formed: lanes begin anew.' })
      return this.offer(frame)
    }
    const place = this.#queue.offer(frame)
    this.#writer?.wake()
    return place
  }

  withdraw(place: QueuePlace): void {
    this.#queue.withdraw(place)
  }

  /** Opens the lane now if it is down and may be opened. */
  dial(): void {
    if (this.#state === 'opening' || this.#state === 'open' || this.#state === 'closed') return
    clearTimeout(this.#timer)
    if (!this.#options.mayDial()) return
    this.#state = 'opening'
    const { context, lane, peer, address } = this.#options
    const session: LaneSession = new LaneSession({
      lane,
      self: context.self,
      peer,
      address,
      bootId: context.bootId,
      clusterId: context.clusterId(),
      key: context.key,
      onOpen: (opened, keys) => this.#onOpen(opened, keys.forward),
      onFlush: (flush) => {
        this.#counters.bytesIn += flush.length
        this.#options.onFlush(flush)
      },
      onEnd: (end) => this.#onEnd(end),
    })
    this.#session = session
    this.#gone.add(session.gone)
    void session.gone.then(() => this.#gone.delete(session.gone))
  }

  /** Ends the present session or attempt; the lane is opened again as after any loss. */
  reset(detail: string): void {
    this.#session?.close({ kind: 'lost', detail })
  }

  /** What waits for an attempt that will not come soon is given up. */
  giveUpWaiting(): void {
    if (this.#state !== 'idle') return
    this.#state = 'failed'
    this.#queue.clear()
  }

  /** For good. Resolves when every socket of this lane is gone. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    const session = this.#session
    this.#state = 'closed'
    session?.close({ kind: 'closed', detail: 'This broker closed the lane.' })
    this.#queue.clear()
    await Promise.all(this.#gone)
  }

  #onOpen(session: LaneSession, key: Buffer): void {
    this.#state = 'open'
    this.#openedAtMs = performance.now()
    this.#options.context.counters.lanesOpened++
    const writer = new FlushWriter({
      sink: session.sink,
      key,
      queue: this.#queue,
      counters: this.#counters,
      onStalled: () => this.reset('The peer took nothing for a long time.'),
    })
    this.#writer = writer
    // The first flush is empty: it proves that this side knows the key now, not only once upon a time.
    writer.writeEmpty()
    writer.wake()
    this.#options.onOpen()
  }

  #onEnd(end: SessionEnd): void {
    const wasOpen = this.#writer !== undefined
    this.#writer?.close()
    this.#writer = undefined
    this.#session = undefined
    if (wasOpen) this.#options.context.counters.lanesLost++
    if (wasOpen && performance.now() - this.#openedAtMs >= STABLE_SESSION_MS) this.#failures = 0
    if (this.#state !== 'closed') this.#state = 'failed'
    this.#queue.clear()
    this.#options.onEnd(end)
    if (this.#state !== 'failed') return
    this.#timer = setTimeout(() => this.dial(), this.#nextDelayMs(end))
  }

  /** None after a good session, then doubling; the longest for who said no or is not who it should be. */
  #nextDelayMs(end: SessionEnd): number {
    const failures = this.#failures++
    if (end.kind === 'closed') return 0
    const delayMax = this.#options.lane === 'ctl' ? CONTROL_REOPEN_DELAY_MAX_MS : REOPEN_DELAY_MAX_MS
    if (end.kind === 'rejected' || end.kind === 'forged') return delayMax
    return failures === 0 ? 0 : Math.min(delayMax, REOPEN_DELAY_MIN_MS * 2 ** Math.min(failures - 1, 10))
  }
}
