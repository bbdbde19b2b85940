import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import type { Proposal } from '../../src/paxos/effects.ts'
import type { LinkView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { ENTRY_KIND, initialState } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { LoneReplica } from '../paxos/lone-replica.ts'
import { configurationOf } from '../paxos/virtual-cluster.ts'
import { Random } from '../sim/random.ts'
import { StepOracle } from './step-oracle.ts'
import { SELF, Stranger } from './stranger.ts'
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
    if (turn === 8) return { kind: 'transfer', token: ++this.#lastToken, to: brokerId(stranger.voter()) }
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
  const view = { alive: true, stalled: false, draining: false, full: false, links: new Set(ids) }
  const peers = new Map(ids.filter((id) => id !== SELF).map((id) => [id, { ...view, bootId: `${id}#0` }]))
  return { selfStalled: false, selfDraining: false, selfFull: false, peers }
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
            full: false,
            links,
          },
        ]
      }),
  )
  return { selfStalled: random.chance(0.02), selfDraining: random.chance(0.05), selfFull: false, peers }
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
