import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import type { LinkView, PeerView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { mayVote } from '../../src/paxos/standing.ts'
import { brokerId, slot, storeId, type StoreId } from '../../src/types/ids.ts'
import { ballot, logOf, LoneReplica } from './lone-replica.ts'
import { configurationOf } from './virtual-cluster.ts'

const LOG = { accepted: NO_BALLOT, through: slot(0), commit: slot(0) }

function storesOf(size: number, ids: readonly number[]): ReadonlySet<StoreId> {
  const { voters } = configurationOf(size)
  return new Set(voters.filter(({ broker }) => ids.includes(broker)).map(({ store }) => store))
}

function standing(size: number, answered: readonly number[], isOutsider = false) {
  return { isOutsider, answers: storesOf(size, answered) }
}

function stand(replica: LoneReplica, answered: readonly number[], isOutsider = false): void {
  replica.step({ kind: 'standing', standing: standing(3, answered, isOutsider) })
}

/** What asks a replica for its vote, or tells it what to write. */
const REQUESTS: readonly Message[] = [
  { kind: 'canvass', configNumber: 1, ...LOG, attempt: 1 },
  { kind: 'prepare', ballot: ballot(9, 1), ...LOG },
  { kind: 'acceptSync', ballot: ballot(9, 1), base: slot(0), chainAtBase: 0, entries: [], commit: slot(0) },
  { kind: 'accept', ballot: ballot(9, 1), previous: slot(0), entries: [], commit: slot(0) },
  { kind: 'learn', ballot: ballot(9, 1), commit: slot(0) },
  { kind: 'readProbe', ballot: ballot(9, 1), readId: 1 },
  { kind: 'transferNow', ballot: ballot(9, 1), lastSlot: slot(0), transferId: 1 },
  { kind: 'syncChunk', fromSlot: slot(1), entries: logOf(['a', ballot(1, 1)]), commit: slot(1) },
]

test('a group votes when half of its other voters have answered, so one that is dead blocks nobody', () => {
  const self = brokerId(1)
  const least = (size: number): number => {
    for (let count = 0; count < size; count++) {
      const answered = Array.from({ length: count }, (_, place) => place + 2)
      if (mayVote(self, configurationOf(size), standing(size, answered))) return count
    }
    return Infinity
  }
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(least), [0, 1, 1, 2, 2, 3, 3])
})

test('the own answer, and one of a store that has no vote, do not count', () => {
  const configuration = configurationOf(3)
  const answers = new Set([...storesOf(3, [1]), storeId('e'.repeat(32))])
  assert.equal(mayVote(brokerId(1), configuration, { isOutsider: false, answers }), false)
})

test('until it is admitted a replica promises, accepts, endorses and writes nothing, and does not campaign', () => {
  const replica = new LoneReplica({ self: 2 })
  stand(replica, [])
  for (const message of REQUESTS) {
    assert.deepEqual(replica.receive(1, message), [], message.kind)
    assert.deepEqual(replica.written, [], message.kind)
  }
  see(replica, {})
  assert.equal(replica.paxos.deadlineMs, undefined)
})

test('who is not admitted still serves what it knows to be chosen', () => {
  const replica = new LoneReplica({ self: 2, log: logOf(['a', ballot(1, 1)]), commit: 1 })
  stand(replica, [])
  replica.receive(1, { kind: 'syncRequest', fromSlot: slot(1), resetSlot: slot(0), part: 0 })
  assert.equal(replica.effects[0]?.kind, 'serve')
})

test('once it is admitted a replica asks whom it promised last, and answers', () => {
  const replica = new LoneReplica({ self: 2, state: { promised: ballot(3, 1) } })
  stand(replica, [])
  stand(replica, [3])
  assert.deepEqual(replica.sentTo(1), [{ kind: 'prepareRequest', ballot: ballot(3, 1) }])
  const [promise] = replica.receive(1, { kind: 'prepare', ballot: ballot(9, 1), ...LOG })
  assert.equal(promise?.kind, 'promise')
})

test('a lone voter asks nobody, and begins when it is told that its start is durable', () => {
  const replica = new LoneReplica({ self: 1, size: 1 })
  replica.step({ kind: 'standing', standing: { isOutsider: false, answers: new Set() } })
  replica.step({ kind: 'tick' })
  assert.equal(replica.paxos.role, 'candidate')
})

test('a leader that turns out to have forgotten leads no more and answers nothing', () => {
  const replica = new LoneReplica({ self: 1, size: 1 })
  replica.step({ kind: 'tick' })
  replica.step({ kind: 'persisted', id: 1 })
  assert.equal(replica.paxos.role, 'leader')
  replica.step({ kind: 'standing', standing: { isOutsider: true, answers: new Set() } })
  assert.deepEqual([replica.paxos.role, replica.paxos.leader], ['follower', undefined])
  assert.equal(replica.paxos.deadlineMs === undefined || replica.paxos.deadlineMs > replica.nowMs, true)
  replica.step({ kind: 'tick' })
  assert.equal(replica.paxos.role, 'follower')
})

test('links to a broker whose store is another one, or has forgotten, make no quorum', () => {
  const { voters } = configurationOf(3)
  const stores = [
    { store: { storeId: storeId('e'.repeat(32)), isOutsider: false }, leads: false },
    { store: { storeId: voters[2]!.store, isOutsider: true }, leads: false },
    { store: { storeId: voters[2]!.store, isOutsider: false }, leads: true },
  ]
  for (const { store, leads } of stores) {
    const replica = new LoneReplica({ self: 2 })
    see(replica, { store })
    assert.equal(replica.paxos.deadlineMs !== undefined, leads)
  }
})

/** Broker 1 is dead, broker 3 is there. */
function see(replica: LoneReplica, more: Partial<PeerView>): void {
  const links = new Set([2, 3].map(brokerId))
  const view: PeerView = {
    alive: true,
    bootId: 'c',
    stalled: false,
    draining: false,
    full: false,
    links,
    ...more,
  }
  const peers: LinkView['peers'] = new Map([[brokerId(3), view]])
  replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull: false, peers } })
}
