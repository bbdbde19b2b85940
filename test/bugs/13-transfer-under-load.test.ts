import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect } from '../../src/paxos/effects.ts'
import { brokerId } from '../../src/types/ids.ts'
import { seeded } from '../paxos/random.ts'
import { VirtualCluster, type Letter, type VirtualReplica } from '../paxos/virtual-cluster.ts'

const STEP_MS = 5
const TRANSFER_EVERY_MS = 1_500
const TRANSFERS = 16
/** Without a decision, whatever becomes of a transfer. */
const GAP_MAX_MS = 1_000
const SETTLE_STEPS_MAX = 10_000

/** A load that never ends, over a wire that loses some of all and keeps each TransferNow to deliver it again much later. */
class LoadedCluster {
  readonly cluster: VirtualCluster
  readonly #random = seeded(13)
  readonly #stale: Letter[] = []
  /** Which replica led at which ballot: never two at one. */
  readonly #leaders = new Map<string, number>()
  #lastAppliedMs = 0
  longestGapMs = 0
  transferCount = 0
  #valueCount = 0

  constructor() {
    this.cluster = new VirtualCluster({
      size: 3,
      random: this.#random,
      onEffect: (replica, effect) => this.#watch(replica, effect),
    })
    this.cluster.link()
    this.cluster.run(500)
    this.#lastAppliedMs = this.cluster.nowMs
  }

  #watch({ id }: VirtualReplica, effect: Effect): void {
    if (effect.kind === 'transferStarted') this.transferCount++
    if (effect.kind === 'apply') {
      this.longestGapMs = Math.max(this.longestGapMs, this.cluster.nowMs - this.#lastAppliedMs)
      this.#lastAppliedMs = this.cluster.nowMs
    }
    if (effect.kind !== 'role' || effect.role !== 'leader') return
    const ballot = `${effect.ballot.round}.${effect.ballot.broker}`
    assert.equal(this.#leaders.get(ballot) ?? id, id, `Two lead at ballot ${ballot}.`)
    this.#leaders.set(ballot, id)
  }

  /** Without losses and new values until all have the same. */
  settle(): void {
    const { cluster } = this
    const isSettled = (): boolean => new Set(cluster.replicas.map(({ paxos }) => paxos?.commit)).size === 1
    for (let step = 0; step < SETTLE_STEPS_MAX && !isSettled(); step++) {
      cluster.pass(STEP_MS)
      for (const { id } of cluster.replicas) cluster.makeDurable(id)
      for (const letter of cluster.wire.slice()) cluster.deliver(letter)
    }
    assert.ok(isSettled(), 'All replicas come to the same log.')
  }

  run(ms: number): void {
    const { cluster } = this
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      cluster.pass(STEP_MS)
      const { leader } = cluster
      if (leader !== undefined) cluster.propose(leader.id, `v${++this.#valueCount}`)
      for (const { id } of cluster.replicas) cluster.makeDurable(id)
      for (const letter of cluster.wire.slice()) this.#hand(letter)
    }
  }

  #hand(letter: Letter): void {
    const { cluster } = this
    if (letter.message.kind === 'transferNow') this.#stale.push(letter)
    if (this.#random() < 0.03) cluster.wire.splice(cluster.wire.indexOf(letter), 1)
    else cluster.deliver(letter)
  }

  transfer(): void {
    const { leader } = this.cluster
    if (leader === undefined) return
    const to = 1 + ((leader.id + Math.floor(this.#random() * 2)) % 3)
    this.cluster.step(leader.id, { kind: 'transfer', token: this.#valueCount, to: brokerId(to) })
    for (const { from, to: addressee, message } of this.#stale)
      this.cluster.step(addressee, { kind: 'message', from: brokerId(from), message })
  }
}

/*
 * redpanda #2606, hashicorp/raft #487 and #581, raft-rs #234, openraft #2088: a transfer under load left nobody leading, or a
 * stale TimeoutNow made two lead.
 */
test('bug 13: leaders are moved again and again under load, with losses and stale orders, and the load goes on', () => {
  const loaded = new LoadedCluster()
  for (let turn = 0; turn < TRANSFERS; turn++) {
    loaded.transfer()
    loaded.run(TRANSFER_EVERY_MS)
  }
  assert.ok(loaded.transferCount > TRANSFERS / 2, `${loaded.transferCount} transfers began.`)
  assert.ok(loaded.longestGapMs <= GAP_MAX_MS, `Nothing was decided for ${loaded.longestGapMs} ms.`)
  const { cluster } = loaded
  loaded.settle()
  const [first, ...others] = cluster.replicas.map(({ applied }) => applied.filter((text) => text !== ''))
  for (const log of others) assert.deepEqual(log, first)
  assert.equal(new Set(first).size, first?.length, 'Nothing is decided twice.')
})
