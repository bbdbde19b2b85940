import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { isSamePeer, isSameSelf, type LinkView, type PeerStore, type PeerView } from '../paxos/link-view.ts'
import type { Pulse } from './heartbeat.ts'

/** Milliseconds of the host's monotonic clock (consensus 1.9). */
export interface DetectorTuning {
  readonly heartbeatMs: number
  /** Silence after which a broker is not alive. */
  readonly suspectMs: number
  /** Age of the oldest unfinished write from which the own disk counts as stalled. */
  readonly stalledMs: number
}

export const DEFAULT_DETECTOR_TUNING: DetectorTuning = { heartbeatMs: 100, suspectMs: 1000, stalledMs: 2000 }

/** A link is down when so many heartbeats in a row are missing in either direction; a short pause is no partition. */
const LINK_HEARTBEATS = 5

/** What is known of one peer. */
interface PeerBook {
  bootId: string
  /** Anything at all; -Infinity when never. */
  heardAtMs: number
  /** Two connections were refused with nothing heard since before the first: the process is gone. */
  isRefused: boolean
  /** Of the last heartbeat to it, and the highest one it acknowledged, with the time when that rose. */
  sentSequence: number
  acknowledged: number
  acknowledgedAtMs: number
  /** Of the last heartbeat from it. */
  receivedSequence: number
  report: Report
}

type Report = Pick<Pulse, 'heard' | 'stalled' | 'draining' | 'full'> & {
  readonly store?: PeerStore | undefined
}

const NO_REPORT: Report = { heard: [], stalled: false, draining: false, full: false }

/**
 * The failure detector of one broker, over all groups (D4): who is alive, and which pairs hear each other both ways. As
 * pure as the core: the host sends the heartbeats and tells the time. Times are monotonic milliseconds.
 */
export class Detector {
  readonly #self: BrokerId
  readonly #bootId: string
  readonly #tuning: DetectorTuning
  /** Bounded by `setPeers`: heartbeats of others are ignored. */
  readonly #peers = new Map<BrokerId, PeerBook>()
  #oldestPendingMs = 0
  #isDraining = false
  #isFull = false
  #view: LinkView = { selfStalled: false, selfDraining: false, selfFull: false, peers: new Map() }
  #hasMembersChanged = false
  #nowMs = 0

  constructor(options: {
    readonly self: BrokerId
    readonly bootId: string
    readonly tuning: DetectorTuning
  }) {
    const { heartbeatMs, suspectMs, stalledMs } = options.tuning
    invariant(heartbeatMs > 0 && suspectMs > 2 * heartbeatMs, 'Suspicion takes longer than two heartbeats.')
    invariant(stalledMs > 0, 'A disk is not stalled at once.')
    this.#self = options.self
    this.#bootId = options.bootId
    this.#tuning = options.tuning
  }

  /** The brokers to watch, without the own one. Books of those that stay are kept. */
  setPeers(peers: readonly BrokerId[], nowMs: number): void {
    this.#nowMs = nowMs
    const wanted = new Set(peers)
    wanted.delete(this.#self)
    for (const peer of this.#peers.keys()) {
      if (wanted.has(peer)) continue
      this.#peers.delete(peer)
      this.#hasMembersChanged = true
    }
    for (const peer of wanted) {
      if (this.#peers.has(peer)) continue
      this.#hasMembersChanged = true
      this.#peers.set(peer, {
        bootId: '',
        heardAtMs: -Infinity,
        isRefused: false,
        sentSequence: 0,
        acknowledged: 0,
        acknowledgedAtMs: -Infinity,
        receivedSequence: 0,
        report: NO_REPORT,
      })
    }
  }

  /** What the own heartbeats tell. */
  setSelf(self: {
    readonly oldestPendingMs: number
    readonly draining: boolean
    readonly full: boolean
  }): void {
    this.#oldestPendingMs = self.oldestPendingMs
    this.#isDraining = self.draining
    this.#isFull = self.full
  }

  onHeartbeat(from: BrokerId, heartbeat: Pulse & Pick<Report, 'store'>, nowMs: number): void {
    const book = this.#peers.get(from)
    if (book === undefined) return
    this.#hear(book, nowMs)
    if (book.bootId !== heartbeat.bootId) {
      book.bootId = heartbeat.bootId
      book.receivedSequence = 0
    }
    // A heartbeat that was overtaken tells nothing new.
    if (heartbeat.sequence <= book.receivedSequence) return
    book.receivedSequence = heartbeat.sequence
    book.report = heartbeat
    // A peer may still acknowledge what an earlier process of this broker sent; only own sequences count.
    if (heartbeat.acknowledged <= book.acknowledged || heartbeat.acknowledged > book.sentSequence) return
    book.acknowledged = heartbeat.acknowledged
    book.acknowledgedAtMs = nowMs
  }

  /** Anything at all came in from the peer. */
  onHeard(peer: BrokerId, nowMs: number): void {
    const book = this.#peers.get(peer)
    if (book !== undefined) this.#hear(book, nowMs)
  }

  #hear(book: PeerBook, nowMs: number): void {
    this.#nowMs = nowMs
    book.heardAtMs = nowMs
    book.isRefused = false
  }

  /** Two refusals in a row with nothing heard since before the first: suspects the peer at once, until it is heard. */
  onRefused(peer: BrokerId, nowMs: number): void {
    this.#nowMs = nowMs
    const book = this.#peers.get(peer)
    if (book !== undefined) book.isRefused = true
  }

  /** The part of the heartbeat to send now that is about being alive. Counts the sequence of this peer, so each one made is to be sent. */
  heartbeat(to: BrokerId): Pulse {
    const book = this.#peers.get(to)
    if (book !== undefined) book.sentSequence++
    return {
      bootId: this.#bootId,
      sequence: book?.sentSequence ?? 0,
      acknowledged: book?.receivedSequence ?? 0,
      heard: [...this.#peers.keys()].filter((peer) => this.#isLinked(peer)),
      stalled: this.#isStalled,
      draining: this.#isDraining,
      full: this.#isFull,
    }
  }

  get #isStalled(): boolean {
    return this.#oldestPendingMs > this.#tuning.stalledMs
  }

  #isAlive(book: PeerBook): boolean {
    return !book.isRefused && this.#nowMs - book.heardAtMs <= this.#tuning.suspectMs
  }

  /** Both ways: it is heard, and what is sent to it arrives, since its acknowledgements rise. */
  #isLinked(peer: BrokerId): boolean {
    const book = this.#peers.get(peer)
    if (book === undefined || !this.#isAlive(book)) return false
    const oldestMs = this.#nowMs - this.#tuning.heartbeatMs * LINK_HEARTBEATS
    return book.heardAtMs >= oldestMs && book.acknowledgedAtMs >= oldestMs
  }

  /** Recomputes; true when the view changed since the last call. Call it every heartbeatMs and after onRefused and onHeartbeat. */
  tick(nowMs: number): boolean {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    const isSame = !this.#hasMembersChanged && this.#isViewCurrent()
    if (isSame) return false
    const peers = new Map<BrokerId, PeerView>()
    for (const peer of this.#peers.keys()) peers.set(peer, this.#describe(peer))
    this.#view = { ...this.#own(), peers }
    this.#hasMembersChanged = false
    return true
  }

  #own(): Omit<LinkView, 'peers'> {
    return { selfStalled: this.#isStalled, selfDraining: this.#isDraining, selfFull: this.#isFull }
  }

  #isViewCurrent(): boolean {
    if (!isSameSelf(this.#view, this.#own())) return false
    for (const [peer, view] of this.#view.peers) {
      if (!isSamePeer(view, this.#describe(peer))) return false
    }
    return true
  }

  /**
   * Links of a peer come from its own report, which lists two-way links only; the one with this broker is judged here,
   * where it is known sooner. A peer that is not alive has no links that anybody could rely on.
   */
  #describe(peer: BrokerId): PeerView {
    const book = this.#peers.get(peer)
    invariant(book !== undefined, 'Only watched peers are described.')
    const alive = this.#isAlive(book)
    const links = new Set<BrokerId>([peer])
    if (alive) for (const other of book.report.heard) if (other !== this.#self) links.add(other)
    if (this.#isLinked(peer)) links.add(this.#self)
    const { stalled, draining, full, store } = book.report
    return { alive, bootId: book.bootId, stalled, draining, full, links, store }
  }

  /** Never changed, only replaced. */
  get view(): LinkView {
    return this.#view
  }
}
