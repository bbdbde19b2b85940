import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { NO_BALLOT, type Ballot } from '../../src/paxos/ballot.ts'
import type { Proposal } from '../../src/paxos/effects.ts'
import type { LinkView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { Paxos } from '../../src/paxos/paxos.ts'
import { ENTRY_KIND, initialState, type Entry } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { LoneReplica, logOf } from '../paxos/lone-replica.ts'
import { configurationOf } from '../paxos/virtual-cluster.ts'
import { Random } from '../sim/random.ts'
import { StepOracle } from './step-oracle.ts'
import type { FuzzTarget } from './target.ts'

/**
 * Sentences at which a replica may stop when a *peer* breaks the protocol; such peers are outside the threat model, and each
 * of these also says that this replica itself may be the one that is wrong, so going on would be a guess.
 */
const STOPS: ReadonlySet<string> = new Set([
  // Two replicas hold different values for one chosen slot: one of both disks or programs is wrong.
  'I4: a slot that is chosen in two places has one chain value.',
  'I4: what is chosen elsewhere continues what is chosen here.',
  // As above, or two replicas hold different values that one ballot accepted at a slot.
  'P2c: the fullest log of a quorum continues what is kept of the own one.',
  // The own ballot was accepted further than this leader sent: it led before and has forgotten it.
  'Nobody accepts at a ballot what its leader did not send.',
])

const SELF = 2
const SLOTS_MAX = 6
/** Leaves room for the few slots that follow it in a message. */
const SLOT_MAX = Number.MAX_SAFE_INTEGER - 100

/** Several logs that part at some slot, so that what strangers say fits together often enough to be believed. */
function branches(random: Random): readonly (readonly Entry[])[] {
  const stem = logValues(random, 1 + random.integer(3), 1)
  return Array.from({ length: 4 }, (_, place) => {
    const kept = stem.slice(0, random.integer(stem.length + 1))
    const own = logValues(random, random.integer(4), 4 + place)
    return logOf(...kept, ...own)
  })
}

type Value = readonly [text: string, origin: Ballot]

function logValues(random: Random, count: number, roundMin: number): Value[] {
  let round = roundMin
  return Array.from({ length: count }, () => {
    if (random.chance(0.3)) round++
    return [`v${random.integer(1000)}`, { config: 1, round, broker: brokerId(1 + (round % 3)) }] as const
  })
}

/** Draws messages that are well formed and seldom true. */
class Stranger {
  readonly random: Random
  readonly size: number
  readonly logs: readonly (readonly Entry[])[]

  constructor(random: Random, size: number) {
    this.random = random
    this.size = size
    this.logs = branches(random)
  }

  voter(): number {
    return 1 + this.random.integer(this.size + 1)
  }

  slot(): number {
    return this.random.chance(0.01) ? SLOT_MAX : this.random.integer(SLOTS_MAX + 2)
  }

  ballot(broker = this.voter()): Ballot {
    const { random } = this
    if (random.chance(0.05)) return NO_BALLOT
    const round = random.chance(0.002) ? 0xffffffff : 1 + random.integer(12)
    return { config: random.chance(0.05) ? 2 : 1, round, broker: brokerId(broker) }
  }

  /** A stretch of one of the logs, whole or with something wrong in the middle. */
  entries(): { readonly base: number; readonly chainAtBase: number; readonly entries: readonly Entry[] } {
    const { random } = this
    const log = random.pick(this.logs)
    const base = random.integer(log.length + 1)
    const part = log.slice(base, base + random.integer(log.length - base + 1))
    const chainAtBase = random.chance(0.1) ? random.integer(1000) : (log[base - 1]?.chain ?? 0)
    if (part.length > 1 && random.chance(0.1)) part.splice(random.integer(part.length), 1)
    const spoiled = random.chance(0.1) ? random.integer(part.length) : -1
    const entries = part.map((entry, place) => (place === spoiled ? this.#spoiled(entry) : entry))
    return { base: random.chance(0.1) ? this.slot() : base, chainAtBase, entries }
  }

  #spoiled(entry: Entry): Entry {
    const { random } = this
    const changes: readonly Partial<Entry>[] = [
      { chain: random.integer(2 ** 32) },
      { slot: slot(this.slot()) },
      { origin: this.ballot() },
      { recordCount: random.integer(5) },
      { kind: ENTRY_KIND.STOPSIGN },
    ]
    return { ...entry, ...random.pick(changes) }
  }

  /** The ballot that a message is about: seldom any, mostly one that means something to the replica. */
  about(from: number, { promised, ballot }: Paxos): Ballot {
    const { random } = this
    const turn = random.integer(8)
    if (turn < 4) return ballot.round > 0 && ballot.broker === SELF ? ballot : promised
    if (turn === 4) return { ...promised, round: promised.round + 1, broker: brokerId(from) }
    return this.ballot(random.chance(0.2) ? SELF : from)
  }

  message(from: number, paxos: Paxos): Message {
    const { random } = this
    const ballot = this.about(from, paxos)
    const attempt = random.integer(4)
    const [commit, through, accepted] = [slot(this.slot()), slot(this.slot()), this.ballot()]
    const { base, chainAtBase, entries } = this.entries()
    const number = random.chance(0.9) ? 1 : 2
    const messages: readonly Message[] = [
      { kind: 'canvass', configNumber: number, commit, accepted, through, attempt },
      { kind: 'endorse', configNumber: number, attempt, commit },
      { kind: 'refuse', configNumber: number, attempt, commit, promised: accepted },
      { kind: 'prepare', ballot, accepted, through, commit },
      {
        kind: 'promise',
        ballot,
        accepted,
        through: slot(base + entries.length),
        commit,
        base: slot(base),
        suffix: entries,
        nonVoting: random.chance(0.1),
        tooFar: random.chance(0.1),
      },
      { kind: 'prepareRequest', ballot },
      { kind: 'acceptSync', ballot, base: slot(base), chainAtBase, entries, commit },
      { kind: 'accept', ballot, previous: slot(base), entries, commit },
      { kind: 'accepted', ballot, through, commit },
      { kind: 'nack', promised: ballot },
      { kind: 'learn', ballot, commit },
      { kind: 'syncRequired', ballot, commit },
      { kind: 'syncRequest', fromSlot: slot(this.slot()) },
      { kind: 'syncChunk', fromSlot: slot(base + 1), entries, commit },
      { kind: 'resign', ballot },
      { kind: 'readProbe', ballot, readId: random.integer(9) },
      { kind: 'readAck', ballot, readId: random.integer(9) },
      { kind: 'transferNow', ballot, lastSlot: commit, transferId: 1 },
    ]
    return random.pick(messages)
  }
}

type Event = Parameters<LoneReplica['step']>[0]

/** One replica in the hands of strangers. */
class Victim {
  readonly stranger: Stranger
  readonly replica: LoneReplica
  readonly #oracle: StepOracle
  #lastPersist = 0
  #lastToken = 0

  constructor(random: Random) {
    const size = random.pick([3, 3, 4, 5])
    this.stranger = new Stranger(random, size)
    const log = random.pick(this.stranger.logs)
    const acceptedBallot = log.at(-1)?.origin ?? NO_BALLOT
    const through = slot(log.length)
    const state = {
      ...initialState(configurationOf(size)),
      promised: acceptedBallot,
      acceptedBallot,
      through,
    }
    const commit = random.integer(log.length + 1)
    this.replica = new LoneReplica({ self: SELF, size, state, log, commit, tuning: { maxLagSlots: 3 } })
    this.#oracle = new StepOracle(this.replica.paxos, { state, log })
  }

  step(event: Event): void {
    this.#oracle.stepped(event, this.replica.step(event))
    this.#lastPersist = Math.max(this.#lastPersist, this.replica.persistId)
  }

  /** Peers that keep the rules make it a leader, so that strangers meet one. */
  elect(): void {
    const { replica, stranger } = this
    const others = Array.from({ length: stranger.size }, (_, place) => place + 1).filter((id) => id !== SELF)
    this.step({ kind: 'links', links: wholeLinks(stranger.size) })
    replica.nowMs += 5_000
    this.step({ kind: 'tick' })
    for (const peer of others) {
      const { commit } = replica.paxos
      this.#hear(peer, { kind: 'endorse', configNumber: 1, attempt: 1, commit })
    }
    this.step({ kind: 'persisted', id: this.#lastPersist })
    const none = { accepted: NO_BALLOT, through: slot(0), base: slot(0), suffix: [] }
    for (const peer of others) {
      const { ballot } = replica.paxos
      this.#hear(peer, { kind: 'promise', ballot, commit: slot(0), ...none, nonVoting: false, tooFar: false })
    }
    this.step({ kind: 'persisted', id: this.#lastPersist })
    if (stranger.random.chance(0.5)) return
    for (const peer of others) {
      const { ballot, commit, through } = replica.paxos
      this.#hear(peer, { kind: 'accepted', ballot, through, commit })
    }
  }

  #hear(from: number, message: Message): void {
    this.step({ kind: 'message', from: brokerId(from), message })
  }

  drawEvent(): Event {
    const { stranger, replica } = this
    const { random } = stranger
    const turn = random.integer(24)
    if (turn < 2) return { kind: 'tick' }
    if (turn === 2) return { kind: 'persisted', id: random.integer(this.#lastPersist + 1) }
    if (turn < 5) return { kind: 'persisted', id: this.#lastPersist }
    if (turn === 5) return { kind: 'links', links: drawLinks(stranger) }
    if (turn === 6) return { kind: 'propose', proposals: [proposal(++this.#lastToken)] }
    if (turn === 7)
      return random.chance(0.8) ? { kind: 'readIndex', token: ++this.#lastToken } : { kind: 'resign' }
    const voter = stranger.voter()
    const message = stranger.message(voter, replica.paxos)
    // A leader speaks for itself: what others say of its ballot is passed over.
    const isOwners = 'ballot' in message && random.chance(0.7) && message.ballot.broker !== SELF
    const from = brokerId(isOwners ? Math.max(1, message.ballot.broker) : voter)
    return { kind: 'message', from, message }
  }
}

/** Until it has had enough or stops with reason; returns whether it stopped. */
function torment(draw: number, steps: number): boolean {
  const random = new Random(draw)
  const victim = new Victim(random)
  if (random.chance(0.5)) victim.elect()
  for (let step = 0; step < steps; step++) {
    victim.replica.nowMs += random.chance(0.2) ? random.integer(900) : 0
    const event = victim.drawEvent()
    try {
      victim.step(event)
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      assert.ok(STOPS.has(error.message), `${JSON.stringify(event)}: ${error.stack}`)
      return true
    }
  }
  return false
}

function proposal(token: number): Proposal {
  const body = new TextEncoder().encode(`p${token}`)
  return { token, kind: ENTRY_KIND.DATA, recordCount: 1, body, crc: crc32(body) }
}

function wholeLinks(size: number): LinkView {
  const ids = Array.from({ length: size }, (_, place) => brokerId(place + 1))
  const view = { alive: true, stalled: false, draining: false, links: new Set(ids) }
  const peers = new Map(ids.filter((id) => id !== SELF).map((id) => [id, { ...view, bootId: `${id}#0` }]))
  return { selfStalled: false, selfDraining: false, peers }
}

function drawLinks({ random, size }: Stranger): LinkView {
  const ids = Array.from({ length: size }, (_, place) => brokerId(place + 1))
  const peers = new Map(
    ids
      .filter((id) => id !== SELF)
      .map((id) => {
        const links = new Set(ids.filter(() => random.chance(0.85)))
        const stalled = random.chance(0.1)
        return [
          id,
          {
            alive: random.chance(0.85),
            bootId: `${id}#${random.integer(2)}`,
            stalled,
            draining: false,
            links,
          },
        ]
      }),
  )
  return { selfStalled: random.chance(0.02), selfDraining: random.chance(0.05), peers }
}

/** Whatever well-formed messages come, from whomever: the rules hold, or the replica stops where going on would be a guess. */
export const wildMessageTarget: FuzzTarget = {
  name: 'arbitrary messages for one replica',
  boundedCases: 3_000,
  async run({ cases, seed }) {
    let stopCount = 0
    fc.assert(
      fc.property(fc.noBias(fc.nat()), fc.integer({ min: 1, max: 150 }), (draw, steps) => {
        if (torment(draw, steps)) stopCount++
      }),
      { numRuns: cases, seed },
    )
    assert.ok(stopCount < cases / 2, `${stopCount} of ${cases} replicas stopped.`)
  },
}
