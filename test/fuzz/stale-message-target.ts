import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatBallot } from '../../src/paxos/ballot.ts'
import type { Effect } from '../../src/paxos/effects.ts'
import { brokerId } from '../../src/types/ids.ts'
import { VirtualCluster, type Letter, type VirtualReplica } from '../paxos/virtual-cluster.ts'
import { Random } from '../sim/random.ts'
import type { FuzzTarget } from './target.ts'

/** Letters of the past that are kept to be delivered again. */
const PAST_MAX = 400
const HEALED_MS = 15_000

/** A whole group whose network repeats, delays and reorders without end, over crashes, ballots and new leaders. */
class Ordeal {
  readonly cluster: VirtualCluster
  readonly #random: Random
  readonly #past: Letter[] = []
  /** Texts by slot, as any replica of any life applied them (I4). */
  readonly #chosen: string[] = []
  /** Chain values by ballot and slot (I2). */
  readonly #proposed = new Map<string, number>()
  #valueCount = 0

  constructor(draw: number) {
    this.#random = new Random(draw)
    const size = this.#random.pick([3, 3, 4, 5])
    this.cluster = new VirtualCluster({
      size,
      random: () => this.#random.next(),
      tuning: { maxLagSlots: 4, windowMessagesMax: 3, uncommittedSlotsMax: 12 },
      onEffect: (replica, effect) => this.#watch(replica, effect),
    })
    this.cluster.link()
  }

  #watch(replica: VirtualReplica, effect: Effect): void {
    if (effect.kind === 'apply') {
      for (const { slot, body } of effect.entries) {
        const text = new TextDecoder().decode(body)
        this.#chosen[slot] ??= text
        assert.equal(text, this.#chosen[slot], `I4: slot ${slot} at replica ${replica.id}.`)
      }
    }
    if (effect.kind !== 'send') return
    const { message } = effect
    if (message.kind !== 'accept' && message.kind !== 'acceptSync') return
    for (const { slot, chain } of message.entries) {
      const name: string = `${formatBallot(message.ballot)} ${slot}`
      assert.equal(this.#proposed.get(name) ?? chain, chain, `I2: one value at ${name}.`)
      this.#proposed.set(name, chain)
    }
  }

  step(): void {
    const { cluster } = this
    const random = this.#random
    const id = 1 + random.integer(cluster.replicas.length)
    const turn = random.integer(100)
    if (turn < 35) this.#deliver()
    else if (turn < 60) this.#deliverAgain()
    else if (turn < 64) this.#lose()
    else if (turn < 78) cluster.makeDurable(id)
    else if (turn < 86) cluster.propose(cluster.leader?.id ?? id, `v${++this.#valueCount}`)
    else if (turn < 87)
      cluster.step(cluster.leader?.id ?? id, {
        kind: 'transfer',
        token: ++this.#valueCount,
        to: brokerId(id),
      })
    else if (turn < 93) cluster.pass(random.pick([1, 10, 60, 400, 1_200]))
    else if (turn < 96) this.#cut()
    else if (turn < 98) cluster.link()
    else this.#restart(id)
  }

  #deliver(): void {
    const { cluster } = this
    if (cluster.wire.length === 0) return
    const letter = this.#random.pick(cluster.wire)
    this.#keep(letter)
    cluster.deliver(letter)
  }

  /** To whoever has the name of the addressee now, also in another life of it. */
  #deliverAgain(): void {
    if (this.#past.length === 0) return
    const { from, to, message } = this.#random.pick(this.#past)
    this.cluster.step(to, { kind: 'message', from: brokerId(from), message })
  }

  #lose(): void {
    const { wire } = this.cluster
    if (wire.length > 0) this.#keep(wire.splice(this.#random.integer(wire.length), 1)[0] as Letter)
  }

  #keep(letter: Letter): void {
    this.#past.push(letter)
    if (this.#past.length > PAST_MAX) this.#past.splice(this.#random.integer(PAST_MAX), 1)
  }

  /** The detectors see links that work one way, both ways or not at all. */
  #cut(): void {
    const size = this.cluster.replicas.length
    const cuts = new Set(Array.from({ length: size }, () => this.#random.integer(size * 10) + 11))
    this.cluster.link((from, to) => !cuts.has(from * 10 + to))
  }

  #restart(id: number): void {
    for (const letter of this.cluster.wire) if (letter.to === id) this.#keep(letter)
    this.cluster.crash(id)
    this.cluster.start(id)
    this.cluster.link()
  }

  /** With a network that works again all replicas come to the same log, and to one value more. */
  heal(): void {
    const { cluster } = this
    cluster.link()
    cluster.run(HEALED_MS)
    const { leader } = cluster
    assert.ok(leader !== undefined, 'A healed group has a leader.')
    cluster.propose(leader.id, 'last')
    cluster.run(HEALED_MS / 5)
    const expected = this.#chosen.slice(1)
    assert.equal(expected.at(-1), 'last', 'A healed group decides.')
    for (const { id, applied } of cluster.replicas)
      assert.deepEqual(applied, expected, `Replica ${id} has it all.`)
  }
}

/** Every message was true once. However late and often it comes, nothing is chosen twice and nobody stops. */
export const staleMessageTarget: FuzzTarget = {
  name: 'stale and repeated messages in a group',
  boundedCases: 150,
  async run({ cases, seed }) {
    fc.assert(
      fc.property(fc.noBias(fc.nat()), fc.integer({ min: 1, max: 1_500 }), (draw, steps) => {
        const ordeal = new Ordeal(draw)
        for (let step = 0; step < steps; step++) ordeal.step()
        ordeal.heal()
      }),
      { numRuns: cases, seed, interruptAfterTimeLimit: 600_000 },
    )
  },
}
