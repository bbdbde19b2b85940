import { DIGEST_PLACES_MAX, type Digest, type DigestKind, type Place } from '../types/digest.ts'
import type { BrokerId, GroupId, Slot } from '../types/ids.ts'
import { InvariantError } from '../types/invariant.ts'
import type { Paxos } from '../paxos/paxos.ts'
import { majority } from '../paxos/quorum.ts'
import { describeDifference, isSamePlace, type Difference } from './difference.ts'
import type { LoopClock } from './loop.ts'

/** How often groups in which something was chosen are compared. */
export const EXCHANGE_MS = 10_000
/** In each so many-th exchange also what an earlier one told and nobody confirmed. */
export const FULL_EXCHANGE_EVERY = 3
/** Answers to one broker gather for so long. */
const GATHER_MS = 50
/** A difference is settled, or this broker stops, after so many looks. */
export const LOOKS_MAX = 5
export const LOOK_EVERY_MS = 250

/** What a comparison needs of a replica. */
export interface ComparedReplica {
  readonly group: GroupId
  readonly paxos: Pick<Paxos, 'commit' | 'chainAt' | 'configuration'>
  readonly machine: { readonly nextOffset: number }
  /** Another broker knows everything up to `commit` to be chosen. */
  told(from: BrokerId, commit: Slot): void
}

export interface DigestsOptions {
  readonly self: BrokerId
  readonly clock: Pick<LoopClock, 'later'>
  /** Milliseconds between two exchanges. */
  readonly exchangeMs?: number
  replicas(): Iterable<ComparedReplica>
  replica(group: GroupId): ComparedReplica | undefined
  isAlive(broker: BrokerId): boolean
  send(to: BrokerId, digest: Digest): void
  /** Another broker holds what a majority does not: it has to stop, this one goes on. Once for each that differs. */
  error(sentence: string): void
  /** This broker holds what no majority does: it has to stop. */
  fatal(error: Error): void
}

/** What this broker knows of one other voter of one group. */
interface Pair {
  readonly broker: BrokerId
  /** The highest slot at which both were found equal; 0: none. */
  agreed: number
  /** What was told last and not confirmed yet. */
  told: Place | undefined
  /** What the other one said of a slot that is not applied here yet: compared when it is. */
  awaited: Place | undefined
  isAtOdds: boolean
}

interface Page {
  /** Commit at the last exchange. */
  commit: number
  readonly pairs: Map<BrokerId, Pair>
}

interface Dispute extends Difference {
  looksLeft: number
  timer: { cancel(): void }
}

/**
 * Compares what this broker's replicas hold with what the other voters of their groups hold (I4 and I7 of consensus 1.8), and tells
 * replicas that are behind. Between calls of this class nothing is applied, and it is never called while one of its replicas is in
 * the middle of a step, `applied` excepted. Bounded by the groups that are hosted here and their voters.
 */
export class Digests {
  readonly #options: DigestsOptions
  readonly #pages = new Map<GroupId, Page>()
  readonly #outbox = new Map<BrokerId, Map<DigestKind, Place[]>>()
  readonly #disputes = new Map<GroupId, Dispute>()
  #timer: { cancel(): void } | undefined
  #gathering: { cancel(): void } | undefined
  #exchangeCount = 0
  #sentCount = 0
  #differenceCount = 0
  #isStopped = false

  constructor(options: DigestsOptions) {
    this.#options = options
  }

  /** Digests sent since the start. */
  get sentCount(): number {
    return this.#sentCount
  }

  /** Differences found since the start. */
  get differenceCount(): number {
    return this.#differenceCount
  }

  start(): void {
    if (this.#isStopped) return
    const { clock, exchangeMs = EXCHANGE_MS } = this.#options
    this.#timer = clock.later(() => {
      this.#exchange()
      this.start()
    }, exchangeMs)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#gathering?.cancel()
    for (const { timer } of this.#disputes.values()) timer.cancel()
    this.#disputes.clear()
  }

  received(from: BrokerId, digest: Digest): void {
    for (const place of digest.places) {
      const replica = this.#options.replica(place.group)
      if (replica === undefined || from === this.#options.self) continue
      const pair = this.#pair(replica, from)
      if (pair !== undefined) this.#hear(replica, pair, from, digest.kind, place)
      // It may vote in a configuration that this replica has not heard of.
      else if (place.slot > replica.paxos.commit) replica.told(from, place.slot)
    }
  }

  /** A replica has applied a slot, and is here now. Somebody may have said before what has to be there. */
  applied(place: Place): void {
    const page = this.#pages.get(place.group)
    if (page === undefined) return
    for (const pair of page.pairs.values()) {
      const { broker, awaited } = pair
      if (awaited === undefined || awaited.slot > place.slot) continue
      pair.awaited = undefined
      if (awaited.slot === place.slot && this.#agrees(pair, broker, place, awaited))
        this.#put(broker, 'confirm', place)
    }
  }

  /** Tells each voter where the replicas are that it does not know to be there: those that moved, and now and then all. */
  #exchange(): void {
    const { replicas, isAlive, self } = this.#options
    this.#exchangeCount++
    const isFull = this.#exchangeCount % FULL_EXCHANGE_EVERY === 0
    const present = new Set<GroupId>()
    for (const replica of replicas()) {
      present.add(replica.group)
      const page = this.#page(replica)
      const { commit, configuration } = replica.paxos
      const hasMoved = page.commit !== commit
      page.commit = commit
      if (!hasMoved && !isFull) continue
      for (const { broker } of configuration.voters) {
        const agreed = page.pairs.get(broker)?.agreed ?? 0
        if (broker === self || !isAlive(broker) || agreed === commit) continue
        this.#tell(replica, broker, 'tell')
      }
    }
    for (const group of this.#pages.keys()) if (!present.has(group)) this.#pages.delete(group)
    this.#sendAll()
  }

  #hear(replica: ComparedReplica, pair: Pair, from: BrokerId, kind: DigestKind, theirs: Place): void {
    const own = placeOf(replica)
    const known = own.slot === theirs.slot ? own : pair.told?.slot === theirs.slot ? pair.told : undefined
    if (known !== undefined && !this.#agrees(pair, from, known, theirs)) return
    if (theirs.slot === own.slot) {
      if (kind !== 'confirm') this.#put(from, 'confirm', own)
    } else if (theirs.slot > own.slot) {
      pair.awaited = theirs
      replica.told(from, theirs.slot)
    } else {
      const chain = replica.paxos.chainAt(theirs.slot)
      if (chain !== undefined && chain !== theirs.chain)
        this.#differ(pair, from, { ...theirs, chain, nextOffset: undefined }, theirs)
      else if (kind === 'tell') this.#tell(replica, from, 'reply')
    }
  }

  #agrees(pair: Pair, broker: BrokerId, own: Place, theirs: Place): boolean {
    if (!isSamePlace(own, theirs)) {
      this.#differ(pair, broker, own, theirs)
      return false
    }
    pair.agreed = Math.max(pair.agreed, own.slot)
    pair.isAtOdds = false
    if (pair.told !== undefined && pair.told.slot <= own.slot) pair.told = undefined
    return true
  }

  /**
   * One of the two is wrong. The other has to notice as well, and the other voters may know better: all are told once more, and
   * asked by that, before anybody stops.
   */
  #differ(pair: Pair, broker: BrokerId, own: Difference['own'], theirs: Place): void {
    const { group, slot } = theirs
    if (this.#isStopped || this.#disputes.has(group)) return
    this.#differenceCount++
    pair.told = undefined
    const timer = this.#options.clock.later(() => this.#look(dispute), 0)
    const dispute: Dispute = { group, slot, own, theirs, broker, looksLeft: LOOKS_MAX, timer }
    this.#disputes.set(group, dispute)
  }

  #look(dispute: Dispute): void {
    const { clock, replica: replicaOf, error, fatal } = this.#options
    const { group, slot, broker } = dispute
    const replica = replicaOf(group)
    if (replica === undefined) return void this.#disputes.delete(group)
    const isFirst = dispute.looksLeft === LOOKS_MAX
    if (!isFirst && this.#isConfirmed(replica, slot)) {
      this.#disputes.delete(group)
      const pair = this.#pair(replica, broker)
      if (pair === undefined || pair.isAtOdds) return
      pair.isAtOdds = true
      return error(`${describeDifference(dispute)} A majority holds what is here: that broker has to stop.`)
    }
    if (dispute.looksLeft === 0) {
      this.#disputes.delete(group)
      const verdict = 'No majority is known to hold what is here.'
      return fatal(new InvariantError(`${describeDifference(dispute)} ${verdict}`))
    }
    dispute.looksLeft--
    for (const voter of replica.paxos.configuration.voters)
      if (voter.broker !== this.#options.self) this.#tell(replica, voter.broker, 'tell')
    this.#sendAll()
    dispute.timer = clock.later(() => this.#look(dispute), LOOK_EVERY_MS)
  }

  /** Whether a majority, this replica included, was found equal at the slot or above it. */
  #isConfirmed(replica: ComparedReplica, slot: Slot): boolean {
    const { voters } = replica.paxos.configuration
    let count = 1
    for (const pair of this.#page(replica).pairs.values()) if (pair.agreed >= slot) count++
    return count >= majority(voters.length)
  }

  #tell(replica: ComparedReplica, to: BrokerId, kind: DigestKind): void {
    const pair = this.#pair(replica, to)
    if (pair === undefined) return
    pair.told = placeOf(replica)
    this.#put(to, kind, pair.told)
  }

  #page(replica: ComparedReplica): Page {
    let page = this.#pages.get(replica.group)
    if (page === undefined) this.#pages.set(replica.group, (page = { commit: 0, pairs: new Map() }))
    return page
  }

  /** Undefined for a broker that has no vote in the group: nothing is compared with what it says. */
  #pair(replica: ComparedReplica, broker: BrokerId): Pair | undefined {
    const { pairs } = this.#page(replica)
    let pair = pairs.get(broker)
    const { voters } = replica.paxos.configuration
    if (
      pair === undefined &&
      broker !== this.#options.self &&
      voters.some((voter) => voter.broker === broker)
    )
      pairs.set(broker, (pair = { broker, agreed: 0, told: undefined, awaited: undefined, isAtOdds: false }))
    return pair
  }

  /** What goes to one broker gathers, so that a thousand groups need few messages. */
  #put(to: BrokerId, kind: DigestKind, place: Place): void {
    if (this.#isStopped) return
    let kinds = this.#outbox.get(to)
    if (kinds === undefined) this.#outbox.set(to, (kinds = new Map()))
    const places = kinds.get(kind) ?? []
    kinds.set(kind, places)
    places.push(place)
    if (places.length === DIGEST_PLACES_MAX) this.#send(to, kind, kinds)
    this.#gathering ??= this.#options.clock.later(() => this.#sendAll(), GATHER_MS)
  }

  #sendAll(): void {
    this.#gathering?.cancel()
    this.#gathering = undefined
    for (const [to, kinds] of this.#outbox) for (const kind of kinds.keys()) this.#send(to, kind, kinds)
    this.#outbox.clear()
  }

  #send(to: BrokerId, kind: DigestKind, kinds: Map<DigestKind, Place[]>): void {
    const places = kinds.get(kind)
    kinds.delete(kind)
    if (places === undefined) return
    this.#sentCount++
    this.#options.send(to, { kind, places })
  }
}

function placeOf(replica: ComparedReplica): Place {
  const { group, paxos, machine } = replica
  const { commit } = paxos
  return { group, slot: commit, chain: paxos.chainAt(commit) ?? 0, nextOffset: machine.nextOffset }
}
