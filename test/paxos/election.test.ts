import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import { brokerId, slot, type BrokerId } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'
import { VirtualCluster } from './virtual-cluster.ts'

const A = ballot(1, 1)
const ALL = [1, 2, 3]

interface Seen {
  readonly dead?: readonly number[]
  readonly boots?: Readonly<Record<number, string>>
  /** Links of each peer; all that are not dead by default. */
  readonly links?: Readonly<Record<number, readonly number[]>>
  readonly draining?: boolean
  readonly full?: boolean
  readonly fullPeers?: readonly number[]
}

/** Tells replica 2 what its detector sees of 1 and 3. */
function see(
  replica: LoneReplica,
  { dead = [], boots = {}, links = {}, draining = false, full = false, fullPeers = [] }: Seen = {},
): void {
  const peers = new Map<BrokerId, PeerView>()
  for (const id of [1, 3]) {
    peers.set(brokerId(id), {
      alive: !dead.includes(id),
      bootId: boots[id] ?? 'first',
      stalled: false,
      draining: false,
      full: fullPeers.includes(id),
      links: new Set((links[id] ?? ALL.filter((other) => !dead.includes(other))).map(brokerId)),
    })
  }
  replica.step({
    kind: 'links',
    links: { selfStalled: false, selfDraining: draining, selfFull: full, peers },
  })
}

/** Replica 2 of three, led by 1 at ballot 1.1.1. */
function follower(commit = 0): LoneReplica {
  const log = logOf(...Array.from({ length: commit }, (_, place) => [`${place}`, A] as const))
  const replica = new LoneReplica({
    state: { promised: A, acceptedBallot: A },
    log,
    commit,
    tuning: { maxLagSlots: 2 },
  })
  see(replica)
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(commit) })
  assert.equal(replica.paxos.leader, 1)
  return replica
}

function canvass(attempt = 1, commit = 0): Message {
  return {
    kind: 'canvass',
    configNumber: 1,
    commit: slot(commit),
    accepted: A,
    through: slot(commit),
    attempt,
  }
}

function kinds(messages: readonly Message[]): string[] {
  return messages.map((message) => message.kind)
}

/** Lets the replica's deadline come, and says what it sends to 3. */
function wake(replica: LoneReplica): string[] {
  replica.nowMs = replica.paxos.deadlineMs ?? Infinity
  replica.step({ kind: 'tick' })
  return kinds(replica.sentTo(3))
}

test('a follower with a happy leader wants no ticks and endorses nobody', () => {
  const replica = follower()
  assert.equal(replica.paxos.deadlineMs, undefined)
  assert.deepEqual(kinds(replica.receive(3, canvass())), ['refuse'])
})

test('a follower canvasses when its leader is dead', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  assert.deepEqual(wake(replica), ['canvass'])
  assert.equal(replica.paxos.role, 'follower', 'A canvass raises no ballot.')
  assert.deepEqual(replica.paxos.promised, A)
})

test('a follower canvasses when its leader lost its quorum', () => {
  const replica = follower()
  see(replica, { links: { 1: [1] } })
  assert.deepEqual(wake(replica), ['canvass'])
})

test('a follower canvasses when its leader is another process now', () => {
  const replica = follower()
  see(replica, { boots: { 1: 'second' } })
  assert.deepEqual(wake(replica), ['canvass'])
})

test('a leader that speaks on is no longer missed as another process: its first word came before its first heartbeat', () => {
  const replica = follower()
  see(replica, { boots: { 1: 'second' } })
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(0) })
  assert.deepEqual([replica.paxos.leader, replica.paxos.deadlineMs], [brokerId(1), undefined])
  assert.deepEqual(kinds(replica.receive(3, canvass())), ['refuse'])
  // A word that was on its way while it cannot be heard makes no other process of it.
  see(replica, { dead: [1] })
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(0) })
  see(replica, { boots: { 1: 'third' } })
  assert.deepEqual(wake(replica), ['canvass'])
})

test('a leader answers a canvass with its word alone, which no refusal can overtake', () => {
  const cluster = new VirtualCluster({ size: 3 })
  cluster.link()
  cluster.run(2_000)
  const leader = cluster.leader!.id
  const other = leader === 1 ? 2 : 1
  const effects = cluster.step(leader, { kind: 'message', from: brokerId(other), message: canvass() })
  const sent = effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message.kind] : []))
  assert.deepEqual(sent, ['learn'])
})

test('a leader that was heard before its first heartbeat is not another process when that one comes', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A } })
  see(replica, { boots: { 1: '' } })
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(0) })
  see(replica)
  assert.equal(replica.paxos.deadlineMs, undefined)
  see(replica, { boots: { 1: 'second' } })
  assert.notEqual(replica.paxos.deadlineMs, undefined)
})

test('a leader that only others hear, and that reaches a quorum, is happy', () => {
  const replica = follower()
  see(replica, { dead: [1], links: { 3: [1, 2, 3] } })
  assert.deepEqual(kinds(replica.receive(3, canvass())), ['refuse'])
  assert.deepEqual(wake(replica), ['syncRequest'], 'It asks the one it hears for what is chosen.')
})

test('who reaches no quorum does not canvass', () => {
  const replica = follower()
  see(replica, { dead: [1, 3] })
  assert.equal(replica.paxos.deadlineMs, undefined)
})

test('a broker that drains does not canvass, but endorses', () => {
  const replica = follower()
  see(replica, { dead: [1], draining: true })
  assert.equal(replica.paxos.deadlineMs, undefined)
  assert.deepEqual(kinds(replica.receive(3, canvass())), ['endorse'])
})

test('a broker that is short of room canvasses after those that are not, and is not kept from it', () => {
  const waitOf = (seen: Seen): number => {
    const replica = follower()
    see(replica, { dead: [1], ...seen })
    assert.ok(replica.paxos.deadlineMs !== undefined)
    return replica.paxos.deadlineMs
  }
  const rankMs = DEFAULT_TUNING.canvassRankMs
  assert.equal(waitOf({ full: true }), waitOf({}) + 2 * rankMs)
  assert.equal(waitOf({ full: true, fullPeers: [3] }), waitOf({}) + rankMs)
})

test('a leader that is short of room leads on until somebody takes over', () => {
  const replica = follower()
  see(replica, { fullPeers: [1] })
  assert.equal(replica.paxos.deadlineMs, undefined)
})

test('a new group is not begun by the first of its replicas when that one is short of room', () => {
  const peer = { alive: true, bootId: 'first', stalled: false, draining: false, full: false }
  const peers = new Map([2, 3].map((id) => [brokerId(id), { ...peer, links: new Set(ALL.map(brokerId)) }]))
  const waitOf = (selfFull: boolean): number => {
    const replica = new LoneReplica({ self: 1 })
    replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull, peers } })
    return (replica.paxos.deadlineMs ?? Infinity) - replica.nowMs
  }
  assert.equal(waitOf(false), 0)
  assert.ok(waitOf(true) >= 3 * DEFAULT_TUNING.canvassRankMs)
})

test('a leader that comes back before the canvass is left in peace', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  assert.notEqual(replica.paxos.deadlineMs, undefined)
  see(replica)
  assert.equal(replica.paxos.deadlineMs, undefined)
})

test('a voter forgets its leader when that one canvasses, resigns, endorses or refuses', () => {
  const signs: Message[] = [
    canvass(),
    { kind: 'resign', ballot: A },
    { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(0) },
    { kind: 'refuse', configNumber: 1, attempt: 1, commit: slot(0), promised: A },
  ]
  for (const sign of signs) {
    const replica = follower()
    replica.receive(1, sign)
    assert.equal(replica.paxos.leader, undefined, sign.kind)
    assert.notEqual(replica.paxos.deadlineMs, undefined)
  }
})

test('MaxLag: a canvasser that is far behind is refused twice, and endorsed the third time', () => {
  const replica = follower(5)
  see(replica, { dead: [1] })
  assert.deepEqual(kinds(replica.receive(3, canvass(1, 3))), ['endorse'])
  assert.deepEqual(kinds(replica.receive(3, canvass(1, 2))), ['refuse'])
  assert.deepEqual(kinds(replica.receive(3, canvass(2, 2))), ['refuse'])
  assert.deepEqual(kinds(replica.receive(3, canvass(3, 2))), ['endorse'])
})

test('an endorsement delays the own canvass for a first attempt only, so nobody who fails keeps others from trying', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  const { deadlineMs } = replica.paxos
  replica.receive(3, canvass(2))
  assert.equal(replica.paxos.deadlineMs, deadlineMs)
  replica.receive(3, canvass(1))
  assert.ok((replica.paxos.deadlineMs ?? 0) > (deadlineMs ?? 0))
})

test('a canvass that a majority refuses is tried again after a longer wait', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  wake(replica)
  const { deadlineMs } = replica.paxos
  replica.receive(1, { kind: 'refuse', configNumber: 1, attempt: 1, commit: slot(0), promised: A })
  assert.equal(replica.paxos.deadlineMs, deadlineMs)
  replica.receive(3, { kind: 'refuse', configNumber: 1, attempt: 1, commit: slot(0), promised: A })
  assert.ok((replica.paxos.deadlineMs ?? Infinity) < (deadlineMs ?? 0))
  assert.deepEqual(wake(replica), ['canvass'])
})

test('answers to an earlier attempt elect nobody', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  wake(replica)
  assert.deepEqual(wake(replica), ['canvass'], 'No answer came, so it asks again.')
  replica.receive(3, { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(0) })
  assert.equal(replica.paxos.role, 'follower')
  replica.receive(3, { kind: 'endorse', configNumber: 1, attempt: 2, commit: slot(0) })
  assert.equal(replica.paxos.role, 'candidate')
})

test('a campaign goes above every round that was met', () => {
  const replica = follower()
  see(replica, { dead: [1] })
  wake(replica)
  replica.receive(1, { kind: 'refuse', configNumber: 1, attempt: 1, commit: slot(0), promised: ballot(7, 1) })
  replica.receive(3, { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(0) })
  assert.deepEqual(replica.paxos.promised, ballot(8, 2))
})

test('only the first voter of a group that nobody has led campaigns without asking', () => {
  const second = new LoneReplica({ self: 2 })
  see(second)
  assert.deepEqual(wake(second), ['canvass'])
})
