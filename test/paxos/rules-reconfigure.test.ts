import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { test } from 'node:test'
import { LEARNERS_MAX } from '../../src/paxos/core.ts'
import type { Effect } from '../../src/paxos/effects.ts'
import { chainEntry } from '../../src/paxos/entry.ts'
import type { PaxosOptions } from '../../src/paxos/options.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { Rules } from '../../src/paxos/rules.ts'
import { ENTRY_KIND, type Entry, type RecoveredState } from '../../src/paxos/state.ts'
import { encodeStopSign } from '../../src/paxos/stop-sign.ts'
import { brokerId, slot, type Slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'
import { configurationOf, replicaOf, VirtualCluster, type VirtualClusterOptions } from './virtual-cluster.ts'

const A = ballot(1, 1)

/** 1, 2 and 3 vote, 1 leads, all hold one value; 4 and 5 learn it when they are told. */
function ledCluster(options: Partial<VirtualClusterOptions> = {}): VirtualCluster {
  const cluster = new VirtualCluster({ size: 3, spares: 2, ...options })
  cluster.link()
  cluster.run(100)
  cluster.propose(1, 'a')
  cluster.run(100)
  assert.equal(cluster.leader?.id, 1)
  return cluster
}

function withRules(rules: new () => Rules): NonNullable<VirtualClusterOptions['paxos']> {
  class MutantPaxos extends Paxos {
    protected override rules(): Rules {
      return new rules()
    }
  }
  return (options: PaxosOptions, recovered: RecoveredState) => new MutantPaxos(options, recovered)
}

function answerOf(effects: readonly Effect[]): string {
  for (const effect of effects) {
    if (effect.kind === 'reconfigured') return `configuration ${effect.number}`
    if (effect.kind === 'reconfigureRefused') return effect.reason
  }
  return 'nothing'
}

function numbers(cluster: VirtualCluster, ...ids: readonly number[]): readonly number[] {
  return ids.map((id) => cluster.paxos(id).configuration.number)
}

/** Chosen in configuration 1, told to nobody but the leader. */
function changeUnheard(cluster: VirtualCluster, ...voters: readonly number[]): void {
  assert.equal(answerOf(cluster.reconfigure(1, ...voters)), 'nothing')
  for (const id of [1, 2]) cluster.makeDurable(id)
  for (const letter of cluster.wire.slice()) if (letter.to === 2) cluster.deliver(letter)
  cluster.makeDurable(2)
  for (const letter of cluster.wire.slice()) if (letter.to === 1) cluster.deliver(letter)
  assert.deepEqual(numbers(cluster, 1, 2, 3), [2, 1, 1])
}

test('1.12: voters are added, and the old leader leads the new configuration without a canvass', () => {
  const cluster = ledCluster()
  cluster.learn(4, 5)
  cluster.run(50)
  const answers: string[] = []
  cluster.onEffect = (_replica, effect) => {
    assert.notEqual(effect.kind === 'send' ? effect.message.kind : effect.kind, 'canvass')
    if (effect.kind === 'reconfigured') answers.push(answerOf([effect]))
  }
  cluster.reconfigure(1, 1, 2, 3, 4, 5)
  cluster.stabilize()
  assert.deepEqual(answers, ['configuration 2'])
  assert.deepEqual(cluster.paxos(1).ballot, { config: 2, round: 1, broker: 1 })
  assert.deepEqual(numbers(cluster, 1, 2, 3, 4, 5), [2, 2, 2, 2, 2])
})

test('1.12: a leader that votes no more leaves the lead to the first of the voters that stay', () => {
  const cluster = ledCluster()
  cluster.learn(4)
  cluster.run(50)
  cluster.reconfigure(1, 4, 3, 2)
  cluster.run(100)
  assert.equal(cluster.paxos(1).role, 'retired')
  assert.equal(cluster.leader?.id, 3)
  cluster.propose(3, 'b')
  cluster.run(100)
  assert.deepEqual(cluster.replica(4).applied, ['a', 'stop-sign(2: 4 3 2)', 'b'])
})

test('1.12: all voters are replaced at once, and nothing is lost', () => {
  const cluster = ledCluster()
  cluster.learn(4, 5)
  cluster.run(50)
  cluster.reconfigure(1, 4, 5)
  cluster.run(3_000)
  const leader = cluster.leader?.id ?? 0
  assert.ok(leader >= 4)
  cluster.propose(leader, 'b')
  cluster.run(100)
  for (const id of [4, 5]) assert.deepEqual(cluster.replica(id).applied, ['a', 'stop-sign(2: 4 5)', 'b'])
  for (const id of [1, 2, 3]) assert.equal(cluster.paxos(id).role, 'retired')
  assert.deepEqual(
    [1, 2, 3].map((id) => cluster.paxos(id).deadlineMs),
    [undefined, undefined, undefined],
  )
})

test('1.12: an order that cannot be carried out is refused with the reason, and nothing is appended', () => {
  const cluster = ledCluster()
  const order = (...voters: readonly number[]): string => answerOf(cluster.reconfigure(1, ...voters))
  assert.equal(answerOf(cluster.reconfigure(2, 1, 2)), 'not-leader')
  assert.equal(order(1, 2, 4), 'learner-behind')
  assert.equal(order(), 'invalid')
  assert.equal(order(1, 1), 'invalid')
  assert.equal(order(1, 2, 3, 4, 5, 6, 7, 8), 'invalid')
  const voters = [replicaOf(1), { ...replicaOf(2), store: replicaOf(1).store }]
  assert.equal(answerOf(cluster.step(1, { kind: 'reconfigure', token: 1, voters })), 'invalid')
  assert.equal(order(3, 2, 1), 'configuration 1')
  cluster.crash(3)
  cluster.link()
  cluster.run(20)
  assert.equal(order(1, 3), 'not-enough-in-sync')
  cluster.learn(4)
  cluster.run(50)
  cluster.step(1, { kind: 'transfer', token: 1, to: brokerId(2) })
  assert.equal(order(1, 2, 4), 'under-way')
  assert.equal(cluster.paxos(1).through, 1)
})

test('1.12: a learner that stays behind does not become a voter', () => {
  const cluster = ledCluster({ tuning: { maxLagSlots: 4 } })
  cluster.learn(4)
  cluster.run(50)
  cluster.crash(4)
  for (const text of ['b', 'c', 'd']) {
    cluster.propose(1, text)
    cluster.run(50)
  }
  assert.equal(answerOf(cluster.reconfigure(1, 1, 2, 4)), 'learner-behind')
  cluster.start(4)
  cluster.link()
  cluster.learn(4)
  cluster.run(50)
  assert.equal(answerOf(cluster.reconfigure(1, 1, 2, 4)), 'nothing')
})

test('1.12: nothing is proposed behind a stop-sign, also not by the next leader', () => {
  const cluster = ledCluster()
  cluster.reconfigure(1, 1, 2)
  const refused = (id: number) =>
    cluster.propose(id, 'b').map((effect) => 'reason' in effect && effect.reason)
  assert.deepEqual(refused(1), ['reconfiguring'])
  assert.equal(cluster.paxos(1).isReconfiguring, true)
  assert.equal(answerOf(cluster.reconfigure(1, 1)), 'under-way')
  const transfer = cluster.step(1, { kind: 'transfer', token: 1, to: brokerId(2) })
  assert.deepEqual(transfer, [{ kind: 'transferRefused', token: 1, reason: 'under-way' }])
  // Both others have the stop-sign, and do not know it chosen, when the leader dies.
  cluster.makeDurable(1)
  for (const letter of cluster.wire.slice()) cluster.deliver(letter)
  for (const id of [2, 3]) cluster.makeDurable(id)
  cluster.crash(1)
  cluster.link()
  cluster.pass(1_000)
  for (const letter of cluster.wire.slice()) cluster.deliver(letter)
  for (let round = 0; cluster.leader === undefined; round++) {
    assert.ok(round < 20)
    for (const { id } of cluster.replicas) cluster.makeDurable(id)
    for (const letter of cluster.wire.slice()) if (cluster.leader === undefined) cluster.deliver(letter)
  }
  const { id } = cluster.leader
  assert.deepEqual(refused(id), ['reconfiguring'])
  cluster.run(500)
  assert.deepEqual(numbers(cluster, 2, 3), [2, 2])
})

test('1.12: the record of the new configuration is written before the stop-sign is applied', () => {
  const cluster = ledCluster()
  const order: string[] = []
  cluster.onEffect = ({ id }, effect) => {
    if (id !== 2) return
    if (effect.kind === 'persist')
      for (const write of effect.writes)
        if (write.kind === 'state')
          order.push(`state ${write.state.configuration.number} ${write.state.through}`)
    if (effect.kind === 'apply') order.push(`apply ${effect.entries.at(-1)?.slot}`)
  }
  cluster.reconfigure(1, 1, 2)
  cluster.stabilize()
  assert.deepEqual(order.slice(0, 2), ['state 2 2', 'apply 2'])
})

class ForgetsStopSign extends Rules {
  override knownChosen(applied: Slot): Slot {
    return applied
  }
}

/** All are cut short after they have taken up configuration 2, and the store has applied nothing yet. */
function restartAll(options: Partial<VirtualClusterOptions> = {}): VirtualCluster {
  const cluster = ledCluster(options)
  cluster.reconfigure(1, 1, 2)
  cluster.stabilize()
  for (const id of [1, 2, 3]) cluster.crash(id)
  for (const id of [1, 2, 3]) cluster.start(id)
  cluster.link()
  cluster.run(3_000)
  return cluster
}

test('R2: who is in a configuration knows its stop-sign to be chosen, also after a start', () => {
  const cluster = restartAll()
  assert.deepEqual(cluster.replica(1).applied, ['a', 'stop-sign(2: 1 2)'])
  assert.ok([1, 2].includes(cluster.leader?.id ?? 0))
  assert.equal(restartAll({ paxos: withRules(ForgetsStopSign) }).leader, undefined, 'nobody may campaign')
})

test('1.12: a quorum is one of the configuration that governs the slot', () => {
  const cluster = new VirtualCluster({ size: 1, spares: 2 })
  cluster.link()
  cluster.run(100)
  cluster.learn(2, 3)
  cluster.run(50)
  cluster.reconfigure(1, 1, 2, 3)
  cluster.makeDurable(1)
  // Alone it has chosen the stop-sign; of the new configuration it is one of three.
  assert.equal(cluster.paxos(1).configuration.number, 2)
  cluster.wire = []
  for (let round = 0; round < 5; round++) cluster.makeDurable(1)
  assert.equal(cluster.paxos(1).role, 'candidate')
  cluster.run(2_000)
  assert.deepEqual(numbers(cluster, 1, 2, 3), [2, 2, 2])
  assert.ok(cluster.leader !== undefined)
})

const PREPARE = { kind: 'prepare', accepted: A, through: slot(1), commit: slot(1) } as const

test('config gate: a newer configuration is asked for, an older one told that it has ended', () => {
  const log = logOf(['a', A])
  const behind = new LoneReplica({ log, commit: 1 })
  const newer = { ...ballot(1, 3), config: 2 }
  const [request, ...rest] = behind.receive(3, { ...PREPARE, ballot: newer, commit: slot(2) })
  assert.equal(request?.kind === 'syncRequest' ? request.fromSlot : undefined, 2)
  assert.deepEqual(rest, [])
  assert.equal(behind.paxos.promised.round, 0)
  const configuration = { ...configurationOf(3), number: 3, fromSlot: slot(1) }
  const ahead = new LoneReplica({ log, commit: 1, state: { configuration } })
  ahead.step({ kind: 'tick' })
  assert.deepEqual(ahead.receive(3, { ...PREPARE, ballot: newer, commit: slot(0) }), [])
  assert.deepEqual(
    ahead.effects.filter((effect) => effect.kind === 'serve').map((effect) => [effect.to, effect.fromSlot]),
    [[3, 1]],
  )
})

test('config gate: who does not vote in a configuration answers nothing of it, and no stranger is answered', () => {
  const configuration = { ...configurationOf(3), voters: [1, 3, 4].map(replicaOf) }
  const outside = new LoneReplica({ self: 2, state: { configuration } })
  assert.deepEqual(outside.receive(3, { ...PREPARE, ballot: ballot(1, 3), commit: slot(0) }), [])
  assert.equal(outside.paxos.role, 'retired')
  const inside = new LoneReplica({ self: 2 })
  assert.deepEqual(inside.receive(4, { ...PREPARE, ballot: ballot(1, 4), commit: slot(0) }), [])
  const sameBroker = { ...replicaOf(2), store: replicaOf(9).store }
  const replaced = new LoneReplica({
    self: 2,
    state: { configuration: { ...configurationOf(3), voters: [replicaOf(1), sameBroker] } },
  })
  assert.deepEqual(replaced.receive(1, { ...PREPARE, ballot: A, commit: slot(0) }), [])
})

test('1.12: a leader that votes no more tells the new voters until a majority of them knows', () => {
  const cluster = ledCluster()
  cluster.learn(4, 5)
  cluster.run(50)
  changeUnheard(cluster, 4, 5)
  // Whatever it said at once is lost.
  cluster.wire = []
  assert.equal(cluster.paxos(1).role, 'retired')
  cluster.run(3_000)
  assert.deepEqual(numbers(cluster, 4, 5), [2, 2])
  assert.ok((cluster.leader?.id ?? 0) >= 4)
  assert.equal(cluster.paxos(1).deadlineMs, undefined, 'its work is done')
})

test('1.12: who is told of a stop-sign chunk by chunk, and votes and learns no more, asks for the rest', () => {
  const entries = logOf(['a', A], ['b', A], ['c', A])
  const chunk = (at: number) =>
    ({ kind: 'syncChunk', fromSlot: slot(at), entries: entries.slice(at - 1, at), commit: slot(3) }) as const
  const replica = new LoneReplica({ self: 4, state: { configuration: { ...configurationOf(3), number: 0 } } })
  assert.equal(replica.paxos.role, 'retired')
  const asked = [1, 2, 3].map((at) => replica.receive(1, chunk(at)))
  assert.deepEqual(
    asked.map((messages) => messages.map((message) => 'fromSlot' in message && message.fromSlot)),
    [[2], [3], []],
  )
  assert.equal(replica.paxos.commit, 3)
})

test('an order is fulfilled by whoever brings these voters about, and void when others come', () => {
  for (const [other, answer] of [
    [[1, 2], 'configuration 2'],
    [[2, 3], 'under-way'],
  ] as const) {
    const cluster = ledCluster()
    const answers: string[] = []
    cluster.onEffect = ({ id }, effect) => {
      if (id === 1 && effect.kind.startsWith('reconfigure')) answers.push(answerOf([effect]))
    }
    // Its stop-sign reaches nobody, and another leads meanwhile.
    cluster.reconfigure(1, 1, 2)
    cluster.wire = []
    runAmong(cluster, [2, 3], 4_000)
    const { leader } = cluster.paxos(3)
    assert.ok(leader !== undefined && leader > 1)
    assert.deepEqual(answers, [])
    runAmong(cluster, [1, 2, 3], 2_000)
    cluster.reconfigure(cluster.leader?.id ?? 0, ...other)
    cluster.run(2_000)
    assert.deepEqual(answers, [answer])
  }
})

class VotesAtOnce extends Rules {
  override votesIn(): boolean {
    return true
  }
}

/** Time passes for these alone; what they send to others, or hear from them, is lost. */
function runAmong(cluster: VirtualCluster, ids: readonly number[], ms: number): void {
  cluster.link((a, b) => ids.includes(a) && ids.includes(b))
  for (let passed = 0; passed < ms; passed += 5) {
    cluster.pass(5)
    for (let round = 0; round < 20; round++) {
      for (const id of ids) cluster.makeDurable(id)
      for (const letter of cluster.wire.slice()) {
        if (ids.includes(letter.from) && ids.includes(letter.to)) cluster.deliver(letter)
        else cluster.wire.splice(cluster.wire.indexOf(letter), 1)
      }
    }
  }
}

/**
 * 2 takes part in choosing configuration 3, of which 3 hears nothing, leaves by it, is deleted, and returns. On its way up it
 * passes configuration 2, in which it voted and 3 believes still; and it has forgotten what it promised and accepted there.
 */
function returnToTheOld(options: Partial<VirtualClusterOptions> = {}): VirtualCluster {
  const cluster = ledCluster(options)
  cluster.learn(4)
  cluster.run(50)
  cluster.reconfigure(1, 2, 3, 4)
  cluster.run(1_000)
  assert.equal(cluster.leader?.id, 2)
  cluster.learn(1, 5)
  runAmong(cluster, [1, 2, 4, 5], 1_500)
  assert.equal(answerOf(cluster.reconfigure(2, 1, 4, 5)), 'nothing')
  runAmong(cluster, [1, 2, 4, 5], 1_500)
  assert.deepEqual(numbers(cluster, 1, 2, 3, 4, 5), [3, 3, 2, 3, 3])
  cluster.remake(2, 3)
  cluster.learn(2)
  runAmong(cluster, [2, 3], 4_000)
  assert.equal(cluster.paxos(2).configuration.number, 2)
  return cluster
}

test('R3: a replica that was deleted and returns votes only above the configuration that it retired with', () => {
  const cluster = returnToTheOld()
  assert.notEqual(cluster.paxos(3).role, 'leader')
  assert.equal(cluster.paxos(2).promised.round, 0, 'it has promised nothing anew')
  const mutant = returnToTheOld({ paxos: withRules(VotesAtOnce) })
  assert.equal(mutant.paxos(3).role, 'leader')
  mutant.propose(3, 'other')
  runAmong(mutant, [2, 3], 200)
  const bySlot = (id: number): string | undefined => mutant.replica(id).applied[2]
  assert.deepEqual([bySlot(1), bySlot(3)], ['stop-sign(3: 1 4 5)', 'other'], 'two values at one slot')
})

test('a returned replica votes again in a configuration above the one that it retired with', () => {
  const cluster = returnToTheOld()
  cluster.link()
  cluster.run(1_500)
  const leader = cluster.leader?.id ?? 0
  assert.ok([1, 4, 5].includes(leader))
  assert.equal(answerOf(cluster.reconfigure(leader, 2, leader)), 'nothing')
  cluster.run(2_000)
  assert.equal(cluster.paxos(2).configuration.number, 4)
  assert.notEqual(cluster.paxos(2).role, 'retired')
  cluster.propose(cluster.leader?.id ?? 0, 'b')
  cluster.run(100)
  assert.equal(cluster.replica(2).applied.at(-1), 'b')
})

test('1.12: who is told to learn while it still votes, in an earlier configuration, learns once it is dropped', () => {
  for (const since of [1, 2]) {
    const cluster = ledCluster()
    changeUnheard(cluster, 1)
    const replicas = [1, 2, 3].map(replicaOf)
    for (const { id } of cluster.replicas) cluster.step(id, { kind: 'learners', replicas, since })
    assert.notEqual(cluster.paxos(3).role, 'retired')
    cluster.run(3_000)
    assert.deepEqual(numbers(cluster, 1, 3), [2, 2])
    // What was said beside the configuration that it voted in says nothing of the one after that.
    assert.equal(cluster.paxos(3).role, since === 2 ? 'follower' : 'retired')
  }
})

test('1.12: a learner goes on learning though it was told so before its configuration ended', () => {
  const cluster = ledCluster()
  changeUnheard(cluster, 1)
  for (const { id } of cluster.replicas)
    cluster.step(id, { kind: 'learners', replicas: [1, 2, 3].map(replicaOf), since: 2 })
  cluster.run(1_500)
  for (const text of ['a', 'b', 'c']) {
    cluster.propose(1, text)
    cluster.run(1_500)
    assert.equal(cluster.replica(3).applied.at(-1), text)
  }
})

test('1.12: a store that came in the place of a voter learns and takes over its vote', () => {
  const cluster = ledCluster()
  cluster.crash(2)
  cluster.link()
  const anew = { ...replicaOf(2), store: replicaOf(9).store }
  const peers = new Map(
    [2, 3].map((id) => {
      const links = new Set([1, 2, 3].map(brokerId))
      const store = { storeId: id === 2 ? anew.store : replicaOf(3).store, isOutsider: false }
      return [
        brokerId(id),
        { alive: true, bootId: `${id}#1`, stalled: false, draining: false, full: false, links, store },
      ]
    }),
  )
  cluster.step(1, {
    kind: 'links',
    links: { selfStalled: false, selfDraining: false, selfFull: false, peers },
  })
  cluster.step(1, { kind: 'learners', replicas: [anew] })
  assert.deepEqual(
    cluster.wire.filter((letter) => letter.to === 2).map((letter) => letter.message.kind),
    ['learn'],
  )
  const voters = [replicaOf(1), anew, replicaOf(3)]
  const order = (): string => answerOf(cluster.step(1, { kind: 'reconfigure', token: 1, voters }))
  cluster.step(1, {
    kind: 'message',
    from: brokerId(2),
    message: { kind: 'syncRequest', fromSlot: slot(2), resetSlot: slot(0), part: 0 },
  })
  const rows = cluster.paxos(1).progress({ nowMs: cluster.nowMs, random: 0 })
  assert.deepEqual(
    rows.filter(({ broker }) => broker === 2).map(({ state, inSync }) => [state, inSync]),
    [
      ['unreachable', false],
      ['learner', true],
    ],
  )
  assert.equal(order(), 'nothing')
  cluster.wire = cluster.wire.filter((letter) => letter.to !== 2)
  cluster.stabilize()
  assert.deepEqual(numbers(cluster, 1, 3), [2, 2])
  assert.deepEqual(cluster.paxos(1).configuration.voters, voters)
})

test('a stop-sign that no leader wrote is no message of a replica', () => {
  const body = encodeStopSign({ number: 2, voters: [replicaOf(1)] })
  for (const wrong of [body.slice(0, 3), body.slice(0, -1), new Uint8Array(30)]) {
    const facts = { slot: slot(1), origin: A, kind: ENTRY_KIND.STOPSIGN, recordCount: 0, crc: crc32(wrong) }
    const entry: Entry = chainEntry(0, facts, wrong, crc32)
    const replica = new LoneReplica({})
    const chunk = { kind: 'syncChunk', fromSlot: slot(1), entries: [entry], commit: slot(1) } as const
    assert.deepEqual(replica.receive(1, chunk), [])
    assert.equal(replica.paxos.commit, 0)
  }
})

test('a group has no more learners than LEARNERS_MAX', () => {
  const replica = new LoneReplica({})
  const learners = Array.from({ length: LEARNERS_MAX }, (_, place) => replicaOf(place + 10))
  replica.step({ kind: 'learners', replicas: learners })
  assert.throws(() => replica.step({ kind: 'learners', replicas: [...learners, replicaOf(9)] }), /bounded/)
})
