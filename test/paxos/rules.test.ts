import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'

const A = ballot(1, 1)
const B = ballot(2, 3)
const C = ballot(3, 1)

function prepare(at = B, log: { accepted?: typeof A; through?: number; commit?: number } = {}): Message {
  const { accepted = NO_BALLOT, through = 0, commit = 0 } = log
  return { kind: 'prepare', ballot: at, accepted, through: slot(through), commit: slot(commit) }
}

function only<Kind extends Message['kind']>(
  messages: readonly Message[],
  kind: Kind,
): Extract<Message, { kind: Kind }> {
  assert.deepEqual(
    messages.map((message) => message.kind),
    [kind],
  )
  return messages[0] as Extract<Message, { kind: Kind }>
}

// Promise phase (Paxos Made Simple, phase 1; consensus 1.6).

test('promise: a higher ballot is promised, and the promise leaves only when it is durable', () => {
  const replica = new LoneReplica({})
  const promise = only(replica.receive(3, prepare(B)), 'promise')
  assert.deepEqual(promise.ballot, B)
  assert.deepEqual(replica.paxos.promised, B)
  assert.equal(replica.gate, replica.persistId)
  assert.ok(replica.persistId > 0)
})

test('promise: a lower ballot than the promised one is refused with the promise', () => {
  const replica = new LoneReplica({ state: { promised: B } })
  assert.deepEqual(only(replica.receive(1, prepare(A)), 'nack').promised, B)
  assert.deepEqual(replica.written, [])
})

test('promise: the same ballot again is answered again without a write, behind the first write', () => {
  const replica = new LoneReplica({})
  replica.receive(3, prepare(B))
  const first = replica.persistId
  only(replica.receive(3, prepare(B)), 'promise')
  assert.deepEqual(replica.written, [])
  assert.equal(replica.gate, first)
})

test('promise: the owner of the ballot promised before is told that it leads no more', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A } })
  replica.receive(3, prepare(B))
  assert.deepEqual(only(replica.sentTo(1), 'nack').promised, B)
  assert.equal(replica.gate, replica.persistId)
})

test('promise: a ballot that is not of the sender is ignored', () => {
  assert.deepEqual(new LoneReplica({}).receive(1, prepare(B)), [])
})

test('promise: a ballot of a newer configuration is not promised; its sender is asked for what is chosen', () => {
  const effects = new LoneReplica({}).receive(3, prepare({ ...B, config: 2 }))
  assert.equal(only(effects, 'syncRequest').fromSlot, 1)
  assert.equal(effects.length, 1)
})

test('P2c: a promise brings what was accepted at a higher ballot than the candidate knows, from its commit on', () => {
  const log = logOf(['a', A], ['b', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  const promise = only(replica.receive(3, prepare(B, { through: 2, commit: 1 })), 'promise')
  assert.equal(promise.base, 1)
  assert.deepEqual(promise.suffix, log.slice(1))
})

test('P2c: between logs of one ballot only what the candidate lacks is sent', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  const promise = only(replica.receive(3, prepare(B, { accepted: A, through: 2 })), 'promise')
  assert.equal(promise.base, 2)
  assert.deepEqual(promise.suffix, log.slice(2))
})

test('P2c: a longer log of a lower ballot is not sent', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  const promise = only(replica.receive(1, prepare(C, { accepted: B, through: 1 })), 'promise')
  assert.deepEqual(promise.suffix, [])
})

test('promise: a suffix that begins below the memory tail is too far, and does not count', () => {
  const log = logOf(['a', A], ['b', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log, commit: 2 })
  const promise = only(replica.receive(3, prepare(B)), 'promise')
  assert.ok(promise.tooFar)
  assert.ok(promise.nonVoting)
  assert.deepEqual(promise.suffix, [])
})

test('P2c: the log of the highest accepted ballot is adopted, not the longest', () => {
  const own = logOf(['a', A], ['x', A], ['y', A])
  const other = logOf(['a', A], ['b', B])
  const replica = new LoneReplica({ self: 1, state: { promised: B, acceptedBallot: A }, log: own, commit: 1 })
  campaignByCanvass(replica)
  const promise: Message = {
    kind: 'promise',
    ballot: replica.paxos.promised,
    accepted: B,
    through: slot(2),
    commit: slot(1),
    base: slot(1),
    suffix: other.slice(1),
    nonVoting: false,
    tooFar: false,
  }
  replica.step({ kind: 'persisted', id: 1 })
  replica.receive(3, promise)
  assert.equal(replica.paxos.role, 'leader')
  assert.equal(replica.paxos.through, 2)
  // D2: the accepted ballot and the whole adopted log become durable as one.
  const [state, entry, ...rest] = replica.written
  assert.ok(state?.kind === 'state' && state.state.through === 1)
  assert.deepEqual(state.state.acceptedBallot, replica.paxos.ballot)
  assert.deepEqual(entry, { kind: 'entry', entry: other[1] })
  assert.deepEqual(rest, [])
})

test('promise: a candidate leads only when its own promise is durable too', () => {
  const replica = new LoneReplica({ self: 1, state: { promised: A } })
  campaignByCanvass(replica)
  const { promised } = replica.paxos
  const promise: Message = {
    kind: 'promise',
    ballot: promised,
    accepted: NO_BALLOT,
    through: slot(0),
    commit: slot(0),
    base: slot(0),
    suffix: [],
    nonVoting: false,
    tooFar: false,
  }
  replica.receive(2, promise)
  assert.equal(replica.paxos.role, 'candidate')
  replica.step({ kind: 'persisted', id: 1 })
  assert.equal(replica.paxos.role, 'leader')
})

/** Links to everybody, a canvass and one endorsement. */
function campaignByCanvass(replica: LoneReplica): void {
  const peers = new Map(
    [1, 2, 3]
      .filter((id) => id !== 1)
      .map((id) => [
        ballot(1, id).broker,
        {
          alive: true,
          bootId: 'x',
          stalled: false,
          draining: false,
          full: false,
          links: new Set([1, 2, 3].map((other) => ballot(1, other).broker)),
        },
      ]),
  )
  replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull: false, peers } })
  replica.nowMs = replica.paxos.deadlineMs ?? Infinity
  replica.step({ kind: 'tick' })
  replica.receive(3, { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(0) })
  assert.equal(replica.paxos.role, 'candidate')
  assert.equal(replica.gate, replica.persistId, 'A Prepare waits for the own promise.')
}

// Accept phase (phase 2; consensus 1.7).

test('P1a: an Accept below the promise is refused', () => {
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A } })
  const [first] = logOf(['a', A])
  assert.ok(first)
  const answers = replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(0),
    entries: [first],
    commit: slot(0),
  })
  assert.deepEqual(only(answers, 'nack').promised, B)
  assert.equal(replica.paxos.through, 0)
})

test('accept: entries are stored, and Accepted waits for them', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A } })
  const entries = logOf(['a', A], ['b', A])
  const answers = replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(0),
    entries,
    commit: slot(0),
  })
  assert.equal(only(answers, 'accepted').through, 2)
  assert.equal(replica.gate, replica.persistId)
  assert.deepEqual(
    replica.written,
    entries.map((entry) => ({ kind: 'entry', entry })),
  )
})

test('accept: a gap is answered with the end of the own log', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log: logOf(['a', A]) })
  const entries = logOf(['a', A], ['b', A], ['c', A]).slice(2)
  const answers = replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(2),
    entries,
    commit: slot(0),
  })
  assert.equal(only(answers, 'accepted').through, 1)
  assert.deepEqual(replica.written, [])
})

test('accept: Accepted never goes beyond the end of the message that it answers', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  const answers = replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(0),
    entries: log.slice(0, 1),
    commit: slot(0),
  })
  assert.equal(only(answers, 'accepted').through, 1)
})

test('accept: a ballot that is promised but not adopted asks for a Prepare', () => {
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A }, log: logOf(['a', A]) })
  const answers = replica.receive(3, {
    kind: 'accept',
    ballot: B,
    previous: slot(1),
    entries: [],
    commit: slot(1),
  })
  only(answers, 'prepareRequest')
  assert.equal(replica.paxos.commit, 0, 'I6: commit is not taken from a ballot that is not adopted.')
})

test('accept: a ballot above the promise asks for a Prepare', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A } })
  only(replica.receive(3, { kind: 'learn', ballot: B, commit: slot(0) }), 'prepareRequest')
})

test('accept: an entry that does not link to what was learned is dropped', () => {
  const learned = logOf(['a', A], ['w', B])
  const stale = logOf(['a', A], ['v', A], ['u', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log: learned, commit: 2 })
  const answers = replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(2),
    entries: stale.slice(2),
    commit: slot(0),
  })
  assert.deepEqual(answers, [])
  assert.equal(replica.paxos.through, 2)
})

// Synchronize phase (consensus 1.7 and 1.10).

test('synchronize: an AcceptSync replaces what is not chosen, as one write with its ballot', () => {
  const replica = new LoneReplica({
    state: { promised: B, acceptedBallot: A },
    log: logOf(['a', A], ['x', A], ['y', A]),
    commit: 1,
  })
  const log = logOf(['a', A], ['b', B])
  const answers = replica.receive(3, {
    kind: 'acceptSync',
    ballot: B,
    base: slot(1),
    chainAtBase: log[0]?.chain ?? 0,
    entries: log.slice(1),
    commit: slot(1),
  })
  assert.equal(only(answers, 'accepted').through, 2)
  assert.equal(replica.paxos.through, 2)
  assert.deepEqual(replica.paxos.acceptedBallot, B)
  assert.deepEqual(
    replica.written.map((write) => write.kind),
    ['state', 'entry'],
  )
  assert.equal(replica.effects.filter((effect) => effect.kind === 'persist').length, 1)
})

test('synchronize: an AcceptSync that contradicts a chosen slot is dropped', () => {
  const replica = new LoneReplica({
    state: { promised: B, acceptedBallot: A },
    log: logOf(['a', A], ['w', A]),
    commit: 0,
  })
  replica.receive(1, {
    kind: 'syncChunk',
    fromSlot: slot(1),
    entries: logOf(['a', A], ['w', A]),
    commit: slot(2),
  })
  assert.equal(replica.paxos.commit, 2)
  const log = logOf(['a', A], ['v', B], ['u', B])
  const answers = replica.receive(3, {
    kind: 'acceptSync',
    ballot: B,
    base: slot(0),
    chainAtBase: 0,
    entries: log,
    commit: slot(0),
  })
  assert.deepEqual(answers, [])
  assert.deepEqual(replica.paxos.acceptedBallot, A)
})

test('synchronize: an AcceptSync that does not fit above commit is answered by a non-voting promise', () => {
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A }, log: logOf(['a', A]) })
  const log = logOf(['z', A], ['b', B])
  const message: Message = {
    kind: 'acceptSync',
    ballot: B,
    base: slot(1),
    chainAtBase: log[0]?.chain ?? 0,
    entries: log.slice(1),
    commit: slot(0),
  }
  const promise = only(replica.receive(3, message), 'promise')
  assert.ok(promise.nonVoting)
  assert.equal(promise.commit, 0)
})

test('synchronize: a shorter AcceptSync keeps what is chosen here', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A }, log, commit: 0 })
  replica.receive(1, { kind: 'syncChunk', fromSlot: slot(1), entries: log.slice(0, 2), commit: slot(2) })
  const answers = replica.receive(3, {
    kind: 'acceptSync',
    ballot: B,
    base: slot(0),
    chainAtBase: 0,
    entries: log.slice(0, 1),
    commit: slot(1),
  })
  assert.equal(only(answers, 'accepted').through, 1)
  assert.equal(replica.paxos.through, 2)
  assert.equal(replica.paxos.commit, 2)
})

test('synchronize: a chunk is learned without raising the accepted ballot, and is not acknowledged', () => {
  const replica = new LoneReplica({})
  const entries = logOf(['a', A], ['b', B])
  assert.deepEqual(replica.receive(1, { kind: 'syncChunk', fromSlot: slot(1), entries, commit: slot(2) }), [])
  assert.deepEqual(replica.applied, entries)
  assert.deepEqual(replica.paxos.acceptedBallot, NO_BALLOT)
})

test('I5: a chunk keeps the tail above it while the chains agree', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(1), entries: log.slice(0, 2), commit: slot(2) })
  assert.equal(replica.paxos.commit, 2)
  assert.equal(replica.paxos.through, 3)
  assert.deepEqual(replica.written, [])
})

test('I5c: a chunk that differs drops the tail above it', () => {
  const log = logOf(['a', A], ['b', A], ['c', A])
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A }, log })
  const entries = logOf(['a', A], ['z', B])
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(1), entries, commit: slot(2) })
  assert.equal(replica.paxos.through, 2)
  assert.equal(replica.paxos.commit, 2)
})

test('synchronize: a chunk that leaves a gap is asked for again', () => {
  const replica = new LoneReplica({})
  const entries = logOf(['a', A], ['b', A]).slice(1)
  const answers = replica.receive(1, { kind: 'syncChunk', fromSlot: slot(2), entries, commit: slot(2) })
  assert.equal(only(answers, 'syncRequest').fromSlot, 1)
})

test('synchronize: only what is chosen here is served, and an empty chunk tells commit', () => {
  const log = logOf(['a', A], ['b', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log, commit: 1 })
  replica.receive(3, { kind: 'syncRequest', fromSlot: slot(1), resetSlot: slot(0), part: 0 })
  assert.deepEqual(replica.effects, [{ kind: 'serve', to: 3, fromSlot: 1, commit: 1, after: 0 }])
  const chunk = only(
    replica.receive(3, { kind: 'syncRequest', fromSlot: slot(2), resetSlot: slot(0), part: 0 }),
    'syncChunk',
  )
  assert.deepEqual([chunk.entries, chunk.commit], [[], 1])
})

test('MaxLag: a follower that is told to synchronize pulls, and asks for a Prepare when it is near', () => {
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, tuning: { maxLagSlots: 2 } })
  const request = only(
    replica.receive(1, { kind: 'syncRequired', ballot: A, commit: slot(3) }),
    'syncRequest',
  )
  assert.equal(request.fromSlot, 1)
  assert.equal(replica.paxos.status, 'syncing')
  const entries = logOf(['a', A], ['b', A])
  const answers = replica.receive(1, { kind: 'syncChunk', fromSlot: slot(1), entries, commit: slot(3) })
  only(answers, 'prepareRequest')
  assert.equal(replica.paxos.status, 'ok')
})

test('learn: commit is taken at the accepted ballot, and who lacks part of it says where it stands', () => {
  const log = logOf(['a', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log })
  const answers = replica.receive(1, { kind: 'learn', ballot: A, commit: slot(2) })
  assert.equal(only(answers, 'accepted').through, 1)
  assert.equal(replica.paxos.commit, 1)
})
