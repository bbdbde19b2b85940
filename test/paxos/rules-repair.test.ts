import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import { DAMAGED_CHOSEN_MAX } from '../../src/paxos/damage.ts'
import type { Effect } from '../../src/paxos/effects.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { DamagedEntry, Entry } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { ballot, damagedIn, LoneReplica, logOf } from './lone-replica.ts'
import { configurationOf } from './virtual-cluster.ts'

const A = ballot(1, 1)
const B = ballot(2, 3)
const LOG = logOf(['a', A], ['b', A], ['c', A], ['d', A])
const AT_A = { promised: A, acceptedBallot: A }
const RETRANSMIT_MS = 500

function kinds(messages: readonly Message[]): readonly string[] {
  return messages.map((message) => message.kind)
}

function only<Kind extends Message['kind']>(
  messages: readonly Message[],
  kind: Kind,
): Extract<Message, { kind: Kind }> {
  assert.deepEqual(kinds(messages), [kind])
  return messages[0] as Extract<Message, { kind: Kind }>
}

/** All brokers of the group live, but for those named. */
function seeAll(replica: LoneReplica, size = 3, dead: readonly number[] = []): void {
  const ids = Array.from({ length: size }, (_, place) => brokerId(place + 1))
  const links = new Set(ids.filter((id) => !dead.includes(id)))
  const peers = new Map(
    ids.map((id) => {
      const view = {
        alive: links.has(id),
        bootId: `${id}`,
        stalled: false,
        draining: false,
        full: false,
        links,
      }
      return [id, view] as const
    }),
  )
  replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull: false, peers } })
}

function tick(replica: LoneReplica, afterMs = 0): readonly Effect[] {
  replica.nowMs += afterMs
  return replica.step({ kind: 'tick' })
}

function damaged(replica: LoneReplica, ...entries: readonly DamagedEntry[]): readonly Effect[] {
  return replica.step({ kind: 'damaged', entries, isStateLost: false })
}

const prepare: Message = {
  kind: 'prepare',
  ballot: B,
  accepted: NO_BALLOT,
  through: slot(0),
  commit: slot(0),
}

/** Who holds these four slots, two of them chosen, and cannot read the third. */
function abstainer(): LoneReplica {
  return new LoneReplica({ state: AT_A, log: LOG, commit: 1, damaged: [3] })
}

/** Who holds four chosen slots, none of them in memory. */
function repairer(size = 3, self = 2): LoneReplica {
  return new LoneReplica({ self, size, state: AT_A, log: LOG, commit: 4 })
}

test('A1: who cannot read a slot above commit promises, for good, but not so that it counts', () => {
  const replica = abstainer()
  assert.equal(replica.paxos.status, 'abstaining')
  const promise = only(replica.receive(3, prepare), 'promise')
  assert.ok(promise.nonVoting && !promise.tooFar)
  assert.deepEqual([promise.commit, promise.through, promise.suffix], [1, 4, []])
  assert.deepEqual(replica.paxos.promised, B)
  assert.equal(replica.written[0]?.kind, 'state')
  assert.equal(replica.gate, replica.persistId)
})

test('once mended a repeated Prepare is answered with a promise that counts, with the whole suffix', () => {
  const replica = abstainer()
  replica.receive(3, prepare)
  replica.receive(1, { kind: 'repairResponse', entry: LOG[2] as Entry })
  assert.deepEqual(replica.written, [{ kind: 'repair', entry: LOG[2] }])
  const repairId = replica.persistId
  const promise = only(replica.receive(3, { ...prepare, commit: slot(1) }), 'promise')
  assert.ok(!promise.nonVoting)
  assert.deepEqual(promise.suffix, LOG.slice(1))
  assert.equal(replica.gate, repairId, 'What it tells of is on the disk again.')
})

test('a damaged slot above commit is acknowledged at no ballot: the leader is asked to begin at commit', () => {
  const replica = abstainer()
  const accept: Message = { kind: 'accept', ballot: A, previous: slot(4), entries: [], commit: slot(1) }
  const promise = only(replica.receive(1, accept), 'promise')
  assert.ok(promise.nonVoting)
  assert.equal(promise.commit, 1)
})

test('AcceptSync of the accepted ballot mends what it covers, and is acknowledged behind the repair', () => {
  const replica = abstainer()
  const chainAtBase = LOG[0]?.chain ?? 0
  const message: Message = {
    kind: 'acceptSync',
    ballot: A,
    base: slot(1),
    chainAtBase,
    entries: LOG.slice(1),
    commit: slot(4),
  }
  const accepted = only(replica.receive(1, message), 'accepted')
  assert.deepEqual(replica.written, [{ kind: 'repair', entry: LOG[2] }])
  assert.equal(accepted.through, 4)
  assert.equal(replica.gate, replica.persistId)
  assert.equal(replica.paxos.commit, 4)
  assert.equal(replica.paxos.status, 'ok')
})

test('AcceptSync of a higher ballot replaces what is damaged', () => {
  const replica = abstainer()
  replica.receive(3, prepare)
  const [, ...entries] = logOf(['a', A], ['b', A], ['x', B])
  const chainAtBase = LOG[0]?.chain ?? 0
  const message: Message = {
    kind: 'acceptSync',
    ballot: B,
    base: slot(1),
    chainAtBase,
    entries,
    commit: slot(1),
  }
  assert.equal(only(replica.receive(3, message), 'accepted').through, 3)
  assert.equal(replica.paxos.damagedCount, 0)
})

test('AcceptSync of a higher ballot that begins above the damage is adopted and not acknowledged', () => {
  const replica = abstainer()
  replica.receive(3, prepare)
  const [, , , ...entries] = [...LOG.slice(0, 3), ...logOf(['a', A], ['b', A], ['c', A], ['x', B]).slice(3)]
  const chainAtBase = LOG[2]?.chain ?? 0
  const message: Message = {
    kind: 'acceptSync',
    ballot: B,
    base: slot(3),
    chainAtBase,
    entries,
    commit: slot(1),
  }
  assert.ok(only(replica.receive(3, message), 'promise').nonVoting)
  assert.deepEqual(replica.paxos.acceptedBallot, B)
  assert.equal(replica.paxos.damagedCount, 1)
})

test('commit stops below a damaged slot and goes on when that is mended', () => {
  const replica = abstainer()
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(4) })
  assert.deepEqual(
    replica.applied.map((entry) => entry.slot),
    [2],
  )
  assert.equal(replica.paxos.commit, 2)
  replica.receive(3, { kind: 'repairResponse', entry: LOG[2] as Entry })
  assert.deepEqual(
    replica.applied.map((entry) => entry.slot),
    [3, 4],
  )
})

test('a chunk of chosen entries mends what it covers, without any entry being written that was whole', () => {
  const replica = abstainer()
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(2), entries: LOG.slice(1, 3), commit: slot(4) })
  assert.deepEqual(replica.written, [{ kind: 'repair', entry: LOG[2] }])
  assert.equal(replica.paxos.commit, 3)
  assert.equal(replica.paxos.through, 4)
})

test('a chunk that differs from what is damaged replaces it', () => {
  const replica = abstainer()
  const entries = logOf(['a', A], ['b', A], ['x', B]).slice(1)
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(2), entries, commit: slot(3) })
  assert.deepEqual([replica.paxos.commit, replica.paxos.through, replica.paxos.damagedCount], [3, 3, 0])
  assert.equal(
    replica.written.some((write) => write.kind === 'repair'),
    false,
  )
})

test('what is damaged is asked of live voters in turn, again and again', () => {
  const replica = abstainer()
  tick(replica)
  assert.deepEqual(replica.sentTo(1), [], 'Nobody is known to live.')
  seeAll(replica)
  tick(replica, RETRANSMIT_MS)
  const request: Message = { kind: 'repairRequest', slot: slot(3), origin: A, chain: LOG[2]?.chain ?? 0 }
  assert.deepEqual(replica.sentTo(1), [request])
  tick(replica, RETRANSMIT_MS)
  assert.deepEqual(replica.sentTo(3), [request])
  tick(replica, RETRANSMIT_MS)
  assert.deepEqual(replica.sentTo(1), [request])
  seeAll(replica, 3, [3])
  tick(replica, RETRANSMIT_MS)
  assert.deepEqual(replica.sentTo(1), [request])
})

test('after each round of live voters one broker is asked that does not vote, dead or alive', () => {
  const replica = abstainer()
  seeAll(replica, 5, [5])
  const asked = Array.from({ length: 7 }, () => {
    tick(replica, RETRANSMIT_MS)
    return [1, 3, 4, 5].filter((id) => replica.sentTo(id).some(({ kind }) => kind === 'repairRequest'))
  })
  assert.deepEqual(asked, [[1], [3], [4], [1], [3], [5], [1]])
  replica.receive(5, { kind: 'repairResponse', entry: LOG[2] as Entry })
  assert.equal(replica.paxos.damagedCount, 0)
})

test('only a copy of what was damaged mends it', () => {
  const entry = LOG[2] as Entry
  const body = new TextEncoder().encode('other')
  const wrong: readonly Entry[] = [
    { ...entry, body },
    { ...entry, body, crc: crc32(body) },
    { ...entry, recordCount: 2 },
    { ...entry, origin: B },
    { ...entry, chain: entry.chain ^ 1 },
    { ...entry, slot: slot(2) },
  ]
  const replica = abstainer()
  for (const each of wrong) {
    replica.receive(3, { kind: 'repairResponse', entry: each })
    assert.deepEqual(replica.written, [])
  }
  assert.equal(replica.paxos.damagedCount, 1)
})

test('a copy is given to whoever asks, chosen or not, from memory or from the store', () => {
  const replica = new LoneReplica({ state: AT_A, log: LOG, commit: 2 })
  const ask = (place: number, chain = LOG[place - 1]?.chain ?? 0): readonly Message[] =>
    replica.receive(3, { kind: 'repairRequest', slot: slot(place), origin: A, chain })
  assert.deepEqual(ask(4), [{ kind: 'repairResponse', entry: LOG[3] }])
  assert.deepEqual(ask(4, 1), [], 'Another value stands here.')
  assert.deepEqual(ask(5), [])
  assert.deepEqual(ask(1), [])
  const { origin, chain } = LOG[0] as Entry
  assert.deepEqual(replica.effects, [{ kind: 'serveRepair', to: 3, slot: 1, origin, chain }])
})

test('who is damaged there itself has nothing to give', () => {
  const replica = abstainer()
  const { slot: place, origin, chain } = damagedIn(LOG, 3)
  assert.deepEqual(replica.receive(3, { kind: 'repairRequest', slot: place, origin, chain }), [])
})

test('a chosen entry that the store cannot read is asked for at once; promises still count', () => {
  const replica = repairer()
  seeAll(replica)
  damaged(replica, damagedIn(LOG, 2))
  assert.equal(replica.paxos.status, 'repairing')
  only(replica.sentTo(1), 'repairRequest')
  damaged(replica, damagedIn(LOG, 2))
  assert.deepEqual(replica.effects, [], 'It is known by now.')
  const promise = only(
    replica.receive(3, { ...prepare, accepted: A, through: slot(4), commit: slot(4) }),
    'promise',
  )
  assert.ok(!promise.nonVoting)
  replica.receive(1, { kind: 'repairResponse', entry: LOG[1] as Entry })
  assert.deepEqual(replica.written, [{ kind: 'repair', entry: LOG[1] }])
  assert.equal(replica.paxos.status, 'ok')
})

test('a damaged entry whose repair is on its way to the disk is not asked for again', () => {
  const replica = repairer()
  seeAll(replica)
  damaged(replica, damagedIn(LOG, 2))
  replica.receive(1, { kind: 'repairResponse', entry: LOG[1] as Entry })
  const id = replica.persistId
  damaged(replica, damagedIn(LOG, 2))
  assert.equal(replica.paxos.damagedCount, 0)
  replica.step({ kind: 'persisted', id })
  damaged(replica, damagedIn(LOG, 2))
  assert.equal(replica.paxos.damagedCount, 1, 'The new copy is damaged, too.')
})

test('a damaged entry that is in memory is written again from there', () => {
  const replica = new LoneReplica({ state: AT_A, log: LOG, commit: 2 })
  damaged(replica, damagedIn(LOG, 4))
  assert.deepEqual(replica.written, [{ kind: 'repair', entry: LOG[3] }])
  assert.equal(replica.paxos.damagedCount, 0)
  damaged(replica, { ...damagedIn(LOG, 3), chain: 1 })
  assert.deepEqual(replica.written, [], 'What the store met was replaced meanwhile.')
})

test('a state record that the journal has lost is written again', () => {
  const replica = repairer()
  replica.step({ kind: 'damaged', entries: [], isStateLost: true })
  const [write] = replica.written
  assert.ok(write?.kind === 'state' && write.state.through === 4)
  assert.deepEqual(write.state.promised, A)
})

test('nothing is served from a damaged slot on: who pulls turns to another', () => {
  const replica = repairer()
  damaged(replica, damagedIn(LOG, 2))
  replica.receive(3, { kind: 'syncRequest', fromSlot: slot(2), resetSlot: slot(0), part: 0 })
  assert.deepEqual(replica.effects, [])
})

/** Leads the group of three with four chosen slots, which are not in memory any more. */
function leader(): LoneReplica {
  const replica = repairer(3, 1)
  seeAll(replica)
  tick(replica, 2_000)
  replica.receive(2, { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(4) })
  replica.step({ kind: 'persisted', id: replica.persistId })
  const { promised } = replica.paxos
  replica.receive(2, {
    kind: 'promise',
    ballot: promised,
    accepted: A,
    through: slot(4),
    commit: slot(4),
    base: slot(4),
    suffix: [],
    nonVoting: false,
    tooFar: false,
  })
  assert.equal(replica.paxos.role, 'leader')
  return replica
}

test('a leader that meets damage steps down when the first it asks does not mend it, and lets others lead', () => {
  const replica = leader()
  damaged(replica, damagedIn(LOG, 2))
  assert.equal(replica.paxos.role, 'leader')
  tick(replica, RETRANSMIT_MS)
  assert.equal(replica.paxos.role, 'follower')
  assert.ok(kinds(replica.sentTo(2)).includes('resign'))
  tick(replica, 10_000)
  assert.ok(!kinds(replica.sentTo(2)).includes('canvass'), 'It does not try while it is damaged.')
  replica.receive(3, { kind: 'repairResponse', entry: LOG[1] as Entry })
  tick(replica, 10_000)
  assert.ok(kinds(replica.sentTo(2)).includes('canvass'))
})

test('a leader that is mended at once leads on', () => {
  const replica = leader()
  damaged(replica, damagedIn(LOG, 2))
  replica.receive(2, { kind: 'repairResponse', entry: LOG[1] as Entry })
  tick(replica, 10_000)
  assert.equal(replica.paxos.role, 'leader')
})

test('a lone voter leads on with a damaged entry that is chosen, and not with one that is not', () => {
  const chosen = new LoneReplica({ self: 1, size: 1, state: AT_A, log: LOG, commit: 4, damaged: [2] })
  seeAll(chosen, 1)
  tick(chosen, 5_000)
  assert.equal(chosen.paxos.role, 'candidate')
  const open = new LoneReplica({ self: 1, size: 1, state: AT_A, log: LOG, commit: 1, damaged: [3] })
  seeAll(open, 1)
  tick(open, 5_000)
  assert.equal(open.paxos.role, 'follower')
})

test('a candidate asks a promiser that did not count again', () => {
  const replica = repairer(3, 1)
  seeAll(replica)
  tick(replica, 2_000)
  replica.receive(2, { kind: 'endorse', configNumber: 1, attempt: 1, commit: slot(4) })
  replica.step({ kind: 'persisted', id: replica.persistId })
  const { promised } = replica.paxos
  const answer = {
    kind: 'promise',
    ballot: promised,
    accepted: A,
    through: slot(4),
    commit: slot(4),
  } as const
  replica.receive(2, { ...answer, base: slot(4), suffix: [], nonVoting: true, tooFar: false })
  assert.equal(replica.paxos.role, 'candidate')
  tick(replica, RETRANSMIT_MS)
  assert.ok(kinds(replica.sentTo(2)).includes('prepare'))
})

test(`no more than ${DAMAGED_CHOSEN_MAX} damaged entries below commit are kept in mind`, () => {
  const values = Array.from({ length: DAMAGED_CHOSEN_MAX + 1 }, (_, place) => [`${place}`, A] as const)
  const log = logOf(...values)
  const replica = new LoneReplica({ state: AT_A, log, commit: log.length })
  seeAll(replica)
  damaged(replica, ...log.map((entry) => damagedIn(log, entry.slot)))
  assert.equal(replica.paxos.damagedCount, DAMAGED_CHOSEN_MAX)
  assert.equal(replica.sentTo(1).length, 16, 'Asked for are a few at once.')
  for (let place = 0; place < DAMAGED_CHOSEN_MAX; place++)
    replica.receive(1, { kind: 'repairResponse', entry: log[place] as Entry })
  assert.equal(replica.paxos.damagedCount, 0)
})

/** A checkpoint behind this slot of the log, sent whole. */
function resetAfter(log: readonly Entry[], last: number): Message {
  const configuration = configurationOf(3)
  const facts = { offset: 0, lastAppendedAtMs: 0, logBytes: 0, partCount: 0 }
  const checkpoint = { ...facts, slot: slot(last + 1), chain: log[last - 1]?.chain ?? 0, configuration }
  return { kind: 'syncReset', checkpoint, part: 0, rows: new Uint8Array(0), crc: crc32('') }
}

test('a log that begins anew above a damaged slot is whole, and commit goes on to what was known', () => {
  const replica = abstainer()
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(4) })
  assert.equal(replica.paxos.commit, 2)
  replica.receive(3, resetAfter(LOG, 3))
  assert.equal(replica.paxos.damagedCount, 0)
  assert.equal(replica.paxos.commit, 4)
  assert.deepEqual(
    replica.applied.map((entry) => entry.slot),
    [4],
  )
})

test('a tail that stays above a checkpoint keeps its damaged slot, which is not written again', () => {
  const replica = new LoneReplica({ state: AT_A, log: LOG, commit: 1, damaged: [4] })
  replica.receive(3, resetAfter(LOG, 2))
  assert.deepEqual([replica.paxos.commit, replica.paxos.through, replica.paxos.damagedCount], [2, 4, 1])
  assert.equal(replica.paxos.status, 'abstaining')
  assert.ok(replica.written.every((write) => write.kind === 'state'))
  replica.receive(1, { kind: 'repairResponse', entry: LOG[3] as Entry })
  assert.equal(replica.paxos.status, 'ok')
})

test('what the store met where an entry is being written over is no damage; met again when that is durable it is', () => {
  const old = logOf(['a', A], ['old', A])
  const chosen = logOf(['a', A], ['chosen', ballot(2, 3)])
  const state = { promised: A, acceptedBallot: A }
  const replica = new LoneReplica({ state, log: old, commit: 1, tuning: { tailBytesMax: 0 } })
  replica.receive(3, { kind: 'syncRequired', ballot: ballot(2, 3), commit: slot(2) })
  replica.receive(3, { kind: 'syncChunk', fromSlot: slot(2), entries: chosen.slice(1), commit: slot(2) })
  const { persistId } = replica
  assert.equal(replica.paxos.commit, 2)
  replica.step({ kind: 'damaged', entries: [damagedIn(old, 2)], isStateLost: false })
  assert.equal(replica.paxos.damagedCount, 0)
  replica.step({ kind: 'persisted', id: persistId })
  replica.step({ kind: 'damaged', entries: [damagedIn(chosen, 2)], isStateLost: false })
  assert.equal(replica.paxos.damagedCount, 1)
})
