import { crc32 } from 'node:zlib'
import { compareBallots, NO_BALLOT } from '../../src/paxos/ballot.ts'
import type { Effect, PaxosEvent } from '../../src/paxos/effects.ts'
import type { LinkView, PeerView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { DEFAULT_TUNING, type PaxosOptions, type PaxosTuning } from '../../src/paxos/options.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import {
  ENTRY_KIND,
  initialState,
  type Configuration,
  type Entry,
  type RecoveredState,
  type StateRecord,
} from '../../src/paxos/state.ts'
import { configurationOf as configurationOfEntry } from '../../src/paxos/stop-sign.ts'
import { brokerId, slot, storeId, type BrokerId, type Replica } from '../../src/types/ids.ts'
import { ADMITTED } from '../support/admitted.ts'

/** Entries that one answer to a pull carries, few so that tests see several. */
const CHUNK_ENTRIES_MAX = 4

type Persist = Extract<Effect, { kind: 'persist' }>
type Send = Extract<Effect, { kind: 'send' }>

export interface Letter {
  readonly from: number
  readonly to: number
  readonly message: Message
}

export interface VirtualReplica {
  readonly id: number
  paxos: Paxos | undefined
  /** What a crash leaves. */
  state: StateRecord
  entries: Map<number, Entry>
  /** Persists that are not durable yet, and messages that wait for one. */
  pending: Persist[]
  gated: Send[]
  durable: number
  boot: number
  /** Bodies applied since the start, as text. */
  applied: string[]
}

export function replicaOf(id: number): Replica {
  return { broker: brokerId(id), store: storeId(id.toString(16).padStart(32, '0')) }
}

export function configurationOf(size: number): Configuration {
  const voters = Array.from({ length: size }, (_, place) => replicaOf(place + 1))
  return { number: 1, voters, learners: [], fromSlot: slot(0) }
}

/** The body as text; of a stop-sign the configuration that it begins. */
export function textOf(entry: Entry): string {
  const next = configurationOfEntry(entry)
  if (next === undefined) return new TextDecoder().decode(entry.body)
  return `stop-sign(${next.number}: ${next.voters.map((voter) => voter.broker).join(' ')})`
}

export interface VirtualClusterOptions {
  /** Voters of the first configuration. */
  readonly size: number
  /** Replicas beside them, made to learn. */
  readonly spares?: number
  readonly tuning?: Partial<PaxosTuning>
  readonly random?: () => number
  readonly onEffect?: (replica: VirtualReplica, effect: Effect) => void
  /** Another core than the real one, to show that a test would notice. */
  readonly paxos?: (options: PaxosOptions, recovered: RecoveredState) => Paxos
}

/** Several replicas, their disks and a wire between them, all under the hand of a test. Nothing moves by itself. */
export class VirtualCluster {
  readonly replicas: VirtualReplica[]
  readonly #tuning: PaxosTuning
  readonly #random: () => number
  readonly #paxos: NonNullable<VirtualClusterOptions['paxos']>
  onEffect: (replica: VirtualReplica, effect: Effect) => void
  /** Messages that have left and not arrived, oldest first. */
  wire: Letter[] = []
  nowMs = 1000
  #tokens = 0

  constructor(options: VirtualClusterOptions) {
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning }
    this.#random = options.random ?? (() => 0)
    this.#paxos = options.paxos ?? ((...parts) => new Paxos(...parts))
    this.onEffect = options.onEffect ?? (() => {})
    const configuration = configurationOf(options.size)
    const ids = Array.from({ length: options.size + (options.spares ?? 0) }, (_, place) => place + 1)
    this.replicas = ids.map((id) => ({
      id,
      paxos: undefined,
      state: initialState(id <= options.size ? configuration : { ...configuration, number: 0 }),
      entries: new Map<number, Entry>(),
      pending: [],
      gated: [],
      durable: 0,
      boot: 0,
      applied: [],
    }))
    for (const replica of this.replicas) this.start(replica.id)
  }

  /** Deletes a replica and makes another one in its place, as a learner. */
  remake(id: number, minConfiguration: number): void {
    const replica = this.replica(id)
    const voters = configurationOf(3)
    replica.state = initialState({ ...voters, number: 0 }, minConfiguration)
    replica.entries.clear()
    this.start(id)
  }

  /** Tells everybody who learns. */
  learn(...ids: readonly number[]): void {
    const replicas = ids.map(replicaOf)
    for (const { id } of this.replicas) this.step(id, { kind: 'learners', replicas })
  }

  reconfigure(id: number, ...voters: readonly number[]): readonly Effect[] {
    this.#tokens++
    return this.step(id, { kind: 'reconfigure', token: this.#tokens, voters: voters.map(replicaOf) })
  }

  replica(id: number): VirtualReplica {
    const replica = this.replicas[id - 1]
    if (replica === undefined) throw new Error(`There is no replica ${id}.`)
    return replica
  }

  paxos(id: number): Paxos {
    const { paxos } = this.replica(id)
    if (paxos === undefined) throw new Error(`Replica ${id} is down.`)
    return paxos
  }

  /** Starts a replica from its disk; what is chosen it has to find out again. */
  start(id: number): void {
    const replica = this.replica(id)
    const tail: Entry[] = []
    for (let place = 1; place <= replica.state.through; place++) {
      const entry = replica.entries.get(place)
      if (entry === undefined) throw new Error(`The disk of replica ${id} has no slot ${place}.`)
      tail.push(entry)
    }
    replica.boot++
    replica.paxos = this.#paxos(
      { self: replicaOf(id), tuning: this.#tuning, checksum: crc32, bootNumber: replica.boot },
      { state: replica.state, commit: slot(0), chainAtCommit: 0, tail },
    )
    Object.assign(replica, { pending: [], gated: [], durable: 0, applied: [] })
    const effects = replica.paxos.step(ADMITTED, { nowMs: this.nowMs, random: this.#random() })
    // What it would ask for now is left to the test: nothing moves by itself. What it knows to be chosen is applied.
    for (const effect of effects) if (effect.kind === 'apply') this.#carryOut(replica, effect)
  }

  /** Loses what is not durable, and what has not left. */
  crash(id: number): void {
    this.replica(id).paxos = undefined
    this.wire = this.wire.filter((letter) => letter.to !== id)
  }

  step(id: number, event: PaxosEvent): readonly Effect[] {
    const replica = this.replica(id)
    if (replica.paxos === undefined) return []
    const effects = replica.paxos.step(event, { nowMs: this.nowMs, random: this.#random() })
    for (const effect of effects) this.#carryOut(replica, effect)
    return effects
  }

  #carryOut(replica: VirtualReplica, effect: Effect): void {
    this.onEffect(replica, effect)
    if (effect.kind === 'persist') replica.pending.push(effect)
    else if (effect.kind === 'send') {
      if (effect.after <= replica.durable)
        this.wire.push({ from: replica.id, to: effect.to, message: effect.message })
      else replica.gated.push(effect)
    } else if (effect.kind === 'apply') replica.applied.push(...effect.entries.map(textOf))
    else if (effect.kind === 'serve') this.#serve(replica, effect)
  }

  /** What is chosen may still wait for the disk here, so the read looks through pending writes as a store does. */
  #serve(replica: VirtualReplica, { to, fromSlot, commit }: Extract<Effect, { kind: 'serve' }>): void {
    const written = new Map(replica.entries)
    for (const persist of replica.pending) {
      for (const write of persist.writes)
        if (write.kind === 'entry') written.set(write.entry.slot, write.entry)
    }
    const entries: Entry[] = []
    for (let place: number = fromSlot; place <= commit && entries.length < CHUNK_ENTRIES_MAX; place++) {
      const entry = written.get(place)
      if (entry === undefined) throw new Error(`Slot ${place} is chosen and not stored.`)
      entries.push(entry)
    }
    const message: Message = { kind: 'syncChunk', fromSlot, entries, commit }
    this.#carryOut(replica, { kind: 'send', to, message, after: 0 })
  }

  /** Makes everything that was written durable, and lets go what waited for it. */
  makeDurable(id: number): boolean {
    const replica = this.replica(id)
    if (replica.paxos === undefined || replica.pending.length === 0) return false
    const persists = replica.pending
    replica.pending = []
    for (const { id: persistId, writes } of persists) {
      for (const write of writes) {
        if (write.kind === 'state') replica.state = write.state
        else if (write.kind === 'entry') {
          replica.entries.set(write.entry.slot, write.entry)
          replica.state = { ...replica.state, through: write.entry.slot }
        }
      }
      replica.durable = persistId
    }
    const released = replica.gated.filter((send) => send.after <= replica.durable)
    replica.gated = replica.gated.filter((send) => send.after > replica.durable)
    for (const send of released) this.wire.push({ from: id, to: send.to, message: send.message })
    this.step(id, { kind: 'persisted', id: replica.durable })
    return true
  }

  /** Takes a letter off the wire and hands it over. */
  deliver(letter: Letter): void {
    this.wire.splice(this.wire.indexOf(letter), 1)
    this.step(letter.to, { kind: 'message', from: brokerId(letter.from), message: letter.message })
  }

  /** Syncs disks and delivers until nothing moves. Time stands still. */
  stabilize(): void {
    for (let round = 0; round < 1000; round++) {
      let hasMoved = false
      for (const { id } of this.replicas) if (this.makeDurable(id)) hasMoved = true
      for (const letter of this.wire.slice()) {
        this.deliver(letter)
        hasMoved = true
      }
      if (!hasMoved) return
    }
    throw new Error('The cluster does not come to rest.')
  }

  /** Lets time pass; each replica gets its ticks when it asked for them. */
  pass(ms: number): void {
    const end = this.nowMs + ms
    for (;;) {
      const deadline = Math.min(...this.replicas.map(({ paxos }) => paxos?.deadlineMs ?? Infinity))
      if (deadline > end) break
      this.nowMs = Math.max(this.nowMs, deadline)
      for (const { id, paxos } of this.replicas) {
        const at = paxos?.deadlineMs
        if (at === undefined || at > this.nowMs) continue
        this.step(id, { kind: 'tick' })
        if (paxos?.deadlineMs === at) throw new Error(`Replica ${id} does not move its deadline.`)
      }
    }
    this.nowMs = end
  }

  /** Time passes, disks sync and messages arrive, in steps of a few milliseconds. */
  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += 5) {
      this.pass(5)
      this.stabilize()
    }
  }

  propose(id: number, ...texts: readonly string[]): readonly Effect[] {
    const proposals = texts.map((text) => {
      const body = new TextEncoder().encode(text)
      this.#tokens++
      return { token: this.#tokens, kind: ENTRY_KIND.DATA, recordCount: 1, body, crc: crc32(body) }
    })
    return this.step(id, { kind: 'propose', proposals })
  }

  /** Tells every replica who hears whom, as its detector would. `hears(a, b)`: b hears a. */
  link(hears: (from: number, to: number) => boolean = () => true, unaware: readonly number[] = []): void {
    const isUp = (id: number): boolean => this.replica(id).paxos !== undefined
    const ids = this.replicas.map(({ id }) => id)
    const isLinked = (a: number, b: number): boolean => isUp(a) && isUp(b) && hears(a, b) && hears(b, a)
    for (const self of ids) {
      if (!isUp(self) || unaware.includes(self)) continue
      const peers = new Map<BrokerId, PeerView>()
      for (const peer of ids) {
        if (peer === self) continue
        const alive = isUp(peer) && hears(peer, self)
        const links = new Set(
          ids.filter((other) => other === peer || (alive && isLinked(peer, other))).map(brokerId),
        )
        const bootId = `${peer}#${this.replica(peer).boot}`
        peers.set(brokerId(peer), { alive, bootId, stalled: false, draining: false, full: false, links })
      }
      const links: LinkView = { selfStalled: false, selfDraining: false, selfFull: false, peers }
      this.step(self, { kind: 'links', links })
    }
  }

  /** The one that leads at the highest ballot, if any does. */
  get leader(): VirtualReplica | undefined {
    const leaders = this.replicas.filter(({ paxos }) => paxos?.role === 'leader')
    return leaders.sort((a, b) =>
      compareBallots(b.paxos?.ballot ?? NO_BALLOT, a.paxos?.ballot ?? NO_BALLOT),
    )[0]
  }
}
