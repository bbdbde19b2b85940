import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Effect } from '../../src/paxos/effects.ts'
import type { LinkView, PeerView } from '../../src/paxos/link-view.ts'
import type { Message, TransferNow } from '../../src/paxos/messages.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { Rules } from '../../src/paxos/rules.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'
import { VirtualCluster, type VirtualClusterOptions } from './virtual-cluster.ts'

const A = ballot(1, 1)

/** Three replicas, 1 leads, all hold the same one value. */
function ledCluster(options: Partial<VirtualClusterOptions> = {}): VirtualCluster {
  const cluster = new VirtualCluster({ size: 3, ...options })
  cluster.link()
  cluster.run(100)
  cluster.propose(1, 'a')
  cluster.run(100)
  assert.equal(cluster.leader?.id, 1)
  return cluster
}

function transfer(cluster: VirtualCluster, to: number, at = 1): readonly Effect[] {
  return cluster.step(at, { kind: 'transfer', token: 7, to: brokerId(to) })
}

function kinds(effects: readonly Effect[]): readonly string[] {
  return effects.map((effect) => (effect.kind === 'send' ? effect.message.kind : effect.kind))
}

function onTheWire(cluster: VirtualCluster, kind: Message['kind']) {
  return cluster.wire.filter((letter) => letter.message.kind === kind)
}

/** Takes the TransferNow off the wire, to be handed over later. */
function catchTransferNow(cluster: VirtualCluster) {
  const letter = onTheWire(cluster, 'transferNow')[0]
  assert.ok(letter !== undefined, 'A TransferNow is on its way.')
  cluster.wire.splice(cluster.wire.indexOf(letter), 1)
  return letter
}

function refusal(effects: readonly Effect[]): string | undefined {
  const effect = effects.find(({ kind }) => kind === 'transferRefused')
  return effect?.kind === 'transferRefused' ? effect.reason : undefined
}

test('transfer: the target leads after one round, without a canvass', () => {
  const cluster = ledCluster()
  assert.deepEqual(kinds(transfer(cluster, 3)), ['transferStarted', 'transferNow'])
  let canvassCount = 0
  cluster.onEffect = (_replica, effect) => {
    if (effect.kind === 'send' && effect.message.kind === 'canvass') canvassCount++
  }
  cluster.stabilize()
  assert.equal(cluster.leader?.id, 3)
  assert.equal(cluster.paxos(1).role, 'follower')
  assert.equal(cluster.paxos(1).leader, 3)
  assert.equal(canvassCount, 0)
  cluster.propose(3, 'b')
  cluster.run(100)
  assert.deepEqual(cluster.replica(1).applied.filter(Boolean), ['a', 'b'])
})

test('transfer: only a leader hands over, and only to one voter at a time', () => {
  const cluster = ledCluster()
  assert.equal(refusal(transfer(cluster, 3, 2)), 'not-leader')
  transfer(cluster, 3)
  assert.equal(refusal(transfer(cluster, 2)), 'under-way')
})

test('transfer: a target that is not in sync, not heard, draining, stalled or short of room is refused', () => {
  const cluster = ledCluster()
  assert.equal(refusal(transfer(cluster, 9)), 'target-not-ready')
  for (const wrong of [{ alive: false }, { draining: true }, { stalled: true }, { full: true }]) {
    cluster.step(1, { kind: 'links', links: linksOf(1, 3, wrong) })
    assert.equal(refusal(transfer(cluster, 3)), 'target-not-ready', JSON.stringify(wrong))
  }
})

test('transfer: a target beyond MaxLag is refused until it has caught up', () => {
  const cluster = ledCluster({ tuning: { maxLagSlots: 2 } })
  for (const text of ['b', 'c', 'd', 'e']) {
    cluster.propose(1, text)
    for (let round = 0; round < 3; round++) {
      for (const id of [1, 2]) cluster.makeDurable(id)
      for (const letter of cluster.wire.slice()) if (letter.to !== 3) cluster.deliver(letter)
    }
  }
  assert.equal(refusal(transfer(cluster, 3)), 'target-not-ready')
  cluster.run(2_000)
  assert.equal(refusal(transfer(cluster, 3)), undefined)
})

test('transfer: nothing is admitted from its beginning on', () => {
  const cluster = ledCluster()
  transfer(cluster, 3)
  assert.equal(cluster.paxos(1).transferTarget, 3)
  const effects = cluster.propose(1, 'b')
  assert.ok(effects.length === 1 && effects[0]?.kind === 'refused')
  assert.equal(effects[0].reason, 'transferring')
})

test('transfer: TransferNow leaves only when the target has everything on disk', () => {
  const cluster = ledCluster()
  cluster.propose(1, 'b')
  cluster.makeDurable(1)
  assert.deepEqual(kinds(transfer(cluster, 3)), ['transferStarted'])
  for (const letter of onTheWire(cluster, 'accept')) cluster.deliver(letter)
  cluster.makeDurable(2)
  for (const letter of onTheWire(cluster, 'accepted')) cluster.deliver(letter)
  assert.equal(onTheWire(cluster, 'transferNow').length, 0)
  cluster.makeDurable(3)
  for (const letter of onTheWire(cluster, 'accepted')) cluster.deliver(letter)
  const { message } = catchTransferNow(cluster)
  assert.equal((message as TransferNow).lastSlot, 2)
})

test('transfer: the other replicas in sync are waited for as well, but not for long', () => {
  const cluster = ledCluster()
  cluster.propose(1, 'b')
  cluster.makeDurable(1)
  transfer(cluster, 3)
  for (const letter of onTheWire(cluster, 'accept')) if (letter.to === 3) cluster.deliver(letter)
  cluster.makeDurable(3)
  for (const letter of onTheWire(cluster, 'accepted')) cluster.deliver(letter)
  assert.equal(onTheWire(cluster, 'transferNow').length, 0)
  cluster.pass(200)
  assert.equal(onTheWire(cluster, 'transferNow').length, 1)
})

test('transfer: after a second the leader leads on, and a TransferNow that comes late matches nothing', () => {
  const cluster = ledCluster()
  transfer(cluster, 3)
  const late = catchTransferNow(cluster)
  cluster.run(1_100)
  assert.equal(cluster.paxos(1).transferTarget, undefined)
  assert.equal(cluster.paxos(3).through, 2)
  assert.equal(cluster.replica(3).entries.get(2)?.kind, ENTRY_KIND.NOOP)
  cluster.step(3, { kind: 'message', from: brokerId(1), message: late.message })
  cluster.run(100)
  assert.equal(cluster.leader?.id, 1)
  cluster.propose(1, 'b')
  cluster.run(100)
  assert.deepEqual(cluster.replica(1).applied, ['a', '', 'b'])
})

test('transfer: a leader that resumes before it sent TransferNow leaves its log as it is', () => {
  const cluster = ledCluster()
  cluster.propose(1, 'b')
  transfer(cluster, 3)
  cluster.wire = cluster.wire.filter((letter) => letter.to !== 3)
  cluster.pass(400)
  cluster.wire = cluster.wire.filter((letter) => letter.to !== 3)
  cluster.step(1, { kind: 'links', links: linksOf(1, 3, { draining: true }) })
  assert.equal(cluster.paxos(1).transferTarget, undefined)
  assert.equal(cluster.paxos(1).through, 2)
})

test('transfer: a target that begins to drain, runs out of room, or is lost, ends it at once', () => {
  for (const wrong of [{ draining: true }, { full: true }, { alive: false }]) {
    const cluster = ledCluster()
    transfer(cluster, 3)
    cluster.step(1, { kind: 'links', links: linksOf(1, 3, wrong) })
    assert.equal(cluster.paxos(1).transferTarget, undefined)
    assert.equal(kinds(cluster.propose(1, 'b')).includes('appended'), true)
  }
})

test('transfer: what the leader had appended before is chosen under the new one', () => {
  const cluster = ledCluster()
  cluster.propose(1, 'b')
  transfer(cluster, 3)
  cluster.run(50)
  assert.equal(cluster.leader?.id, 3)
  assert.deepEqual(cluster.replica(3).applied, ['a', 'b'])
})

test('transfer: linearizable reads go on until another leads', () => {
  const cluster = ledCluster()
  transfer(cluster, 3)
  catchTransferNow(cluster)
  assert.deepEqual(kinds(cluster.step(1, { kind: 'readIndex', token: 1 })), ['readProbe', 'readProbe'])
  const answers: Effect[] = []
  cluster.onEffect = (_replica, effect) => void answers.push(effect)
  cluster.stabilize()
  assert.ok(kinds(answers).includes('readReady'))
})

// What the target checks.

function target(options: Partial<ConstructorParameters<typeof LoneReplica>[0]> = {}): LoneReplica {
  const log = logOf(['a', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log, commit: 1, ...options })
  replica.step({ kind: 'links', links: linksOf(2, 3, {}) })
  return replica
}

function now(changes: Partial<TransferNow> = {}): TransferNow {
  return { kind: 'transferNow', ballot: A, lastSlot: slot(1), transferId: 1, ...changes }
}

test('transfer: a follower with the very log of the leader campaigns', () => {
  const replica = target()
  replica.receive(1, now())
  assert.equal(replica.paxos.role, 'candidate')
})

test('transfer: TransferNow of another ballot, of another sender or for another slot is ignored', () => {
  for (const [from, message] of [
    [3, now({ ballot: ballot(2, 3) })],
    [3, now()],
    [1, now({ lastSlot: slot(2) })],
    [1, now({ lastSlot: slot(0) })],
  ] as const) {
    const replica = target()
    replica.receive(from, message)
    assert.equal(replica.paxos.role, 'follower')
  }
})

test('transfer: who has promised another ballot since, or holds another log, does not campaign', () => {
  for (const state of [
    { promised: ballot(2, 3), acceptedBallot: A },
    { promised: A, acceptedBallot: ballot(0, 1) },
  ]) {
    const replica = target({ state })
    replica.receive(1, now())
    assert.equal(replica.paxos.role, 'follower')
  }
})

test('transfer: who drains, is short of room, or has no links to a majority, does not campaign', () => {
  const draining = target()
  draining.step({ kind: 'links', links: { ...linksOf(2, 3, {}), selfDraining: true } })
  const full = target()
  full.step({ kind: 'links', links: { ...linksOf(2, 3, {}), selfFull: true } })
  const alone = new LoneReplica({
    state: { promised: A, acceptedBallot: A },
    log: logOf(['a', A]),
    commit: 1,
  })
  for (const replica of [draining, full, alone]) {
    replica.receive(1, now())
    assert.equal(replica.paxos.role, 'follower')
  }
})

test('transfer: a log that is not all on disk does not do', () => {
  const replica = target()
  const [, entry] = logOf(['a', A], ['b', A])
  assert.ok(entry !== undefined)
  replica.receive(1, { kind: 'accept', ballot: A, previous: slot(1), entries: [entry], commit: slot(1) })
  const { persistId } = replica
  replica.receive(1, now({ lastSlot: slot(2) }))
  assert.equal(replica.paxos.role, 'follower')
  replica.step({ kind: 'persisted', id: persistId })
  replica.receive(1, now({ lastSlot: slot(2) }))
  assert.equal(replica.paxos.role, 'candidate')
})

// The guards against a late TransferNow, each taken away: the leader that leads on is deposed.

class AnySlot extends Rules {
  override matchesTransfer(): boolean {
    return true
  }
}

class SilentResume extends Rules {
  override mustOutdateTransfer(): boolean {
    return false
  }
}

for (const [name, MutantRules] of [
  ['T-a: TransferNow is accepted without a look at its slot', AnySlot],
  ['T-b: a leader resumes without a new entry', SilentResume],
] as const) {
  test(`transfer: the schedule of a late TransferNow catches the mutant ${name}`, () => {
    class MutantPaxos extends Paxos {
      protected override rules(): Rules {
        return new MutantRules()
      }
    }
    const cluster = ledCluster({ paxos: (options, recovered) => new MutantPaxos(options, recovered) })
    transfer(cluster, 3)
    const late = catchTransferNow(cluster)
    cluster.run(1_100)
    assert.equal(cluster.leader?.id, 1)
    cluster.step(3, { kind: 'message', from: brokerId(1), message: late.message })
    cluster.run(100)
    assert.equal(cluster.leader?.id, 3, 'Without the guard the late message takes leadership away.')
  })
}

/** All three hear each other, but for what `wrong` says of one peer. */
function linksOf(self: number, peer: number, wrong: Partial<PeerView>): LinkView {
  const all = new Set([1, 2, 3].map(brokerId))
  const peers = new Map(
    [1, 2, 3]
      .filter((id) => id !== self)
      .map((id) => {
        const view = {
          alive: true,
          bootId: `${id}#1`,
          stalled: false,
          draining: false,
          full: false,
          links: all,
        }
        return [brokerId(id), id === peer ? { ...view, ...wrong } : view]
      }),
  )
  return { selfStalled: false, selfDraining: false, selfFull: false, peers }
}
