import type { BrokerId, StoreId } from '../types/ids.ts'
import type { Detector } from '../detector/detector.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'
import type { Witness } from '../detector/witness.ts'
import { isFitToLead, isSamePeer, isSameSelf, type LinkView } from '../paxos/link-view.ts'
import type { StoreUsage } from '../storage/log-store.ts'
import type { LoopClock } from './loop.ts'
import type { Registry } from './registry.ts'

export interface HeartbeatOptions {
  readonly detector: Detector
  readonly witness: Witness
  readonly registry: Registry
  readonly clock: LoopClock
  readonly heartbeatMs: number
  readonly store: { usage(): StoreUsage; readonly durableLsn: number }
  send(to: BrokerId, heartbeat: Heartbeat): void
  /** A broker came, went, or changed its mind about others. */
  onChange(view: LinkView): void
  /** Somebody saw more of the own store than this start found: it must not vote. */
  onForgotten(): void
}

/** Drives the failure detector: one heartbeat a peer and interval, whatever the number of groups, and word to the groups concerned. */
export class Heartbeats {
  readonly #options: HeartbeatOptions
  #peers: readonly BrokerId[] = []
  #view: LinkView | undefined
  #isDraining = false
  #isFull = false
  #isStarted = false
  #timer: { cancel(): void } | undefined

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  get view(): LinkView | undefined {
    return this.#view
  }

  isAlive(broker: BrokerId): boolean {
    return this.#view?.peers.get(broker)?.alive ?? false
  }

  /** Heard, neither about to stop nor short of room or of its disk's answers: a leadership may be handed to it. */
  mayLead(broker: BrokerId): boolean {
    return isFitToLead(this.#view?.peers.get(broker))
  }

  /** Alive, and with a disk that remembers: the registered one, as far as both are known. */
  isVoting(broker: BrokerId, registered: StoreId | undefined): boolean {
    if (!this.isAlive(broker)) return false
    const store = this.#view?.peers.get(broker)?.store
    if (store === undefined) return true
    return !store.isOutsider && (registered === undefined || registered === store.storeId)
  }

  setPeers(peers: readonly BrokerId[]): void {
    this.#peers = peers
    this.#options.detector.setPeers(peers, this.#options.clock.nowMs())
  }

  /** After the witness began. From here on who vouches for the own store is told to the groups. */
  start(): void {
    this.#options.registry.standingChanged(this.#options.witness.standing)
    this.#isStarted = true
    this.#beat()
  }

  /** The own store is known to have forgotten: no group votes any more, and the others are told. */
  exclude(): void {
    if (!this.#options.witness.exclude()) return
    this.#tellStanding()
    this.#sendAll()
  }

  /** Tells peers that this broker is about to stop: nobody counts on it as a leader any more. */
  drain(): void {
    this.#isDraining = true
    this.#sendAll()
    this.#look()
  }

  /** Tells peers whether this broker's disk has room: without, nobody counts on it as a leader. */
  setFull(isFull: boolean): void {
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    if (!this.#isStarted) return
    this.#sendAll()
    this.#look()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  heard(peer: BrokerId): void {
    this.#options.detector.onHeard(peer, this.#options.clock.nowMs())
  }

  refused(peer: BrokerId): void {
    this.#options.detector.onRefused(peer, this.#options.clock.nowMs())
    this.#look()
  }

  received(from: BrokerId, heartbeat: Heartbeat): void {
    const { detector, witness, clock } = this.#options
    const isNewProcess = witness.peer(from)?.bootId !== heartbeat.bootId
    const hasStandingChanged = witness.onHeartbeat(from, heartbeat)
    detector.onHeartbeat(from, heartbeat, clock.nowMs())
    // A start is answered at once: until then it may not vote.
    if (isNewProcess && this.#isStarted) this.#send(from)
    if (hasStandingChanged) this.#tellStanding()
    this.#look()
  }

  #tellStanding(): void {
    const { registry, witness, onForgotten } = this.#options
    if (this.#isStarted) registry.standingChanged(witness.standing)
    if (witness.standing.isOutsider) onForgotten()
  }

  #beat(): void {
    this.#sendAll()
    this.#look()
    this.#timer = this.#options.clock.later(() => this.#beat(), this.#options.heartbeatMs)
  }

  #sendAll(): void {
    const { detector, store } = this.#options
    detector.setSelf({
      oldestPendingMs: store.usage().oldestPendingMs,
      draining: this.#isDraining,
      full: this.#isFull,
    })
    for (const peer of this.#peers) this.#send(peer)
  }

  #send(peer: BrokerId): void {
    const { detector, witness, store, send } = this.#options
    const report = witness.report(peer, store.durableLsn)
    if (report !== undefined) send(peer, { ...detector.heartbeat(peer), store: report })
  }

  #look(): void {
    const { detector, clock, registry, onChange } = this.#options
    if (!detector.tick(clock.nowMs()) && this.#view !== undefined) return
    const before = this.#view
    this.#view = detector.view
    registry.linksChanged(this.#view, changedBrokers(before, this.#view))
    onChange(this.#view)
  }
}

/** Whose view differs; 'self' when this broker's own state does, which concerns every group. */
export function changedBrokers(before: LinkView | undefined, now: LinkView): ReadonlySet<BrokerId> | 'self' {
  if (before === undefined || !isSameSelf(before, now)) return 'self'
  const changed = new Set<BrokerId>()
  for (const [broker, peer] of now.peers) {
    const known = before.peers.get(broker)
    if (known === undefined || !isSamePeer(known, peer)) changed.add(broker)
  }
  for (const broker of before.peers.keys()) if (!now.peers.has(broker)) changed.add(broker)
  return changed
}
