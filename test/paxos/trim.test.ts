import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { test } from 'node:test'
import { chainEntry, FIRST_CHAIN } from '../../src/paxos/entry.ts'
import type { Message, SyncReset } from '../../src/paxos/messages.ts'
import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import { ENTRY_KIND, type Checkpoint, type Entry } from '../../src/paxos/state.ts'
import { CHECKPOINT_PARTS_MAX, CHECKPOINTS_MAX, OPEN_MARKS_MAX } from '../../src/paxos/trim.ts'
import { decodeTrim, encodeTrim } from '../../src/paxos/trim-body.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { ballot, damagedIn, LoneReplica } from './lone-replica.ts'
import { configurationOf } from './virtual-cluster.ts'

const A = ballot(1, 1)
const HOLDS_A = { promised: A, acceptedBallot: A }
const ROWS = Buffer.from('rows')

/** A log in which a number is a TRIM up to that slot and a text is data. */
function logWithMarks(...values: readonly (string | number)[]): readonly Entry[] {
  const entries: Entry[] = []
  for (const value of values) {
    const isTrim = typeof value === 'number'
    const body = isTrim ? encodeTrim({ upTo: value, beforeOffset: 0 }) : Buffer.from(value)
    const kind = isTrim ? ENTRY_KIND.TRIM : ENTRY_KIND.DATA
    const facts = { slot: slot(entries.length + 1), origin: A, kind, recordCount: 0, crc: crc32(body) }
    entries.push(chainEntry(entries.at(-1)?.chain ?? FIRST_CHAIN, facts, body, crc32))
  }
  return entries
}

/** A follower that has learned that all of this log is chosen. */
function followerOf(log: readonly Entry[], options: ConstructorParameters<typeof LoneReplica>[0] = {}) {
  const replica = new LoneReplica({ state: HOLDS_A, ...options })
  replica.receive(1, { kind: 'syncChunk', fromSlot: slot(1), entries: log, commit: slot(log.length) })
  return replica
}

function tell(replica: LoneReplica, at: number, parts: readonly Uint8Array[] = [ROWS]): void {
  const machine = { offset: at * 10, lastAppendedAtMs: at, logBytes: at * 100 }
  replica.step({ kind: 'checkpointed', slot: slot(at), machine, parts })
}

function checkpointOf(log: readonly Entry[], last: number, partCount = 1): Checkpoint {
  const chain = log[last - 1]?.chain ?? FIRST_CHAIN
  const machine = { offset: last * 10, lastAppendedAtMs: last, logBytes: last * 100 }
  return { slot: slot(last + 1), chain, configuration: configurationOf(3), partCount, ...machine }
}

function reset(checkpoint: Checkpoint, part = 0, rows: Uint8Array = ROWS): SyncReset {
  return { kind: 'syncReset', checkpoint, part, rows, crc: crc32(rows) }
}

/** A follower that asks broker 1 for what it lacks. */
function pulling(options: ConstructorParameters<typeof LoneReplica>[0] = {}): LoneReplica {
  const replica = new LoneReplica({ state: HOLDS_A, ...options })
  replica.receive(1, { kind: 'syncRequired', ballot: A, commit: slot(5_000) })
  return replica
}

const slotsOf = (checkpoints: readonly Checkpoint[]): readonly number[] => checkpoints.map((one) => one.slot)

function requestIn(messages: readonly Message[]): readonly number[] {
  return messages.flatMap((message) =>
    message.kind === 'syncRequest' ? [message.fromSlot, message.resetSlot, message.part] : [],
  )
}

test('a mark becomes a checkpoint, its rows durable before the state record that names it', () => {
  const log = logWithMarks('a', 0)
  const replica = followerOf(log)
  tell(replica, 2, [ROWS, ROWS])
  const persists = replica.effects.flatMap((effect) => (effect.kind === 'persist' ? [effect] : []))
  assert.deepEqual(
    persists.map(({ writes }) => writes.map((write) => (write.kind === 'rows' ? write.part : write.kind))),
    [[0], [1], ['state']],
  )
  assert.deepEqual(replica.paxos.checkpoints, [checkpointOf(log, 2, 2)])
  assert.equal(replica.paxos.logStart.slot, 1, 'It only marks.')
})

test('a trim moves the start of the log to the earlier mark that it names, not to its own', () => {
  const log = logWithMarks('a', 0, 'b', 2)
  const replica = followerOf(log)
  tell(replica, 2)
  tell(replica, 4)
  assert.deepEqual(replica.paxos.logStart, checkpointOf(log, 2))
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [5])
})

test('a replica without the checkpoint that a trim names keeps its log', () => {
  const replica = followerOf(logWithMarks('a', 0, 'b', 2))
  tell(replica, 4)
  assert.equal(replica.paxos.logStart.slot, 1)
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [5])
})

test('only the last few checkpoints are kept', () => {
  const replica = followerOf(logWithMarks(0, 0, 0, 0, 0))
  for (let at = 1; at <= 5; at++) tell(replica, at)
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [4, 5, 6])
  assert.equal(replica.paxos.checkpoints.length, CHECKPOINTS_MAX)
})

test('a mark that is applied once more after a start changes nothing', () => {
  const log = logWithMarks(0, 0, 1)
  const known = [checkpointOf(log, 2), checkpointOf(log, 3)]
  const state = { ...HOLDS_A, logStart: checkpointOf(log, 1), checkpoints: known, through: slot(3) }
  const replica = new LoneReplica({ state, log, commit: 1 })
  replica.receive(1, { kind: 'learn', ballot: A, commit: slot(3) })
  tell(replica, 2)
  tell(replica, 3)
  assert.deepEqual(replica.written, [])
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [3, 4])
})

test('a checkpoint in more parts than there may be is not taken, nor one of a mark that nobody applied', () => {
  const replica = followerOf(logWithMarks(0))
  tell(replica, 1, Array<Uint8Array>(CHECKPOINT_PARTS_MAX + 1).fill(ROWS))
  tell(replica, 1)
  tell(replica, 9)
  assert.deepEqual(replica.paxos.checkpoints, [])
})

test('of more marks than may be open the oldest are forgotten', () => {
  const replica = followerOf(logWithMarks(...Array<number>(OPEN_MARKS_MAX + 1).fill(0)))
  tell(replica, 1)
  assert.deepEqual(replica.paxos.checkpoints, [])
  tell(replica, 2)
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [3])
})

test('a pull below the start of the log is answered with the next part of its checkpoint', () => {
  const log = logWithMarks('a', 0, 'b')
  const logStart = checkpointOf(log, 2, 3)
  const state = { ...HOLDS_A, logStart, through: slot(3) }
  const replica = new LoneReplica({ state, log, commit: 3 })
  const served = (resetSlot: number, part: number): number | undefined => {
    replica.receive(3, { kind: 'syncRequest', fromSlot: slot(2), resetSlot: slot(resetSlot), part })
    const [effect] = replica.effects
    return effect?.kind === 'serveReset' ? effect.part : undefined
  }
  assert.equal(served(0, 0), 0)
  assert.equal(served(3, 2), 2)
  assert.equal(served(3, 3), 0, 'There is no such part.')
  assert.equal(served(2, 1), 0, 'The parts of another checkpoint are of no use.')
  replica.receive(3, { kind: 'syncRequest', fromSlot: slot(3), resetSlot: slot(0), part: 0 })
  assert.equal(replica.effects[0]?.kind, 'serve')
})

test('a checkpoint is gathered part by part, and put in force with the last one', () => {
  const log = logWithMarks('a', 'b', 0)
  const replica = pulling()
  const checkpoint = checkpointOf(log, 3, 2)
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 1))), [], 'The first part comes first.')
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 0))), [1, 4, 1])
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 0))), [], 'It came twice.')
  assert.equal(replica.written.length, 0)
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 1))), [4, 0, 0])
  assert.deepEqual(
    replica.written.map((write) => (write.kind === 'rows' ? [write.slot, write.part] : write.kind)),
    [[4, 0], [4, 1], 'state'],
  )
  const effect = replica.effects.find(({ kind }) => kind === 'reset')
  assert.deepEqual(effect, { kind: 'reset', checkpoint, parts: [ROWS, ROWS] })
  assert.deepEqual([replica.paxos.commit, replica.paxos.through], [3, 3])
  assert.deepEqual([replica.paxos.promised, replica.paxos.acceptedBallot], [A, A], 'They stay.')
})

test('parts of another checkpoint begin anew', () => {
  const log = logWithMarks('a', 'b', 0, 0)
  const replica = pulling()
  replica.receive(1, reset(checkpointOf(log, 3, 2), 0))
  replica.receive(1, reset(checkpointOf(log, 4, 2), 1))
  replica.receive(3, reset(checkpointOf(log, 4, 2), 1))
  assert.equal(replica.paxos.commit, 0)
  replica.receive(1, reset(checkpointOf(log, 4, 2), 0))
  replica.receive(1, reset(checkpointOf(log, 4, 2), 1))
  assert.equal(replica.paxos.commit, 4)
})

test('the first part from somebody who was not asked does not end what is being gathered', () => {
  const checkpoint = checkpointOf(logWithMarks('a', 'b', 0), 3, 2)
  const replica = pulling()
  replica.receive(1, reset(checkpoint, 0))
  replica.receive(2, reset(checkpoint, 0))
  replica.receive(
    3,
    reset({ ...checkpoint, configuration: { ...configurationOf(4), number: 3, fromSlot: slot(1) } }, 0),
  )
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 1))), [4, 0, 0])
  assert.equal(replica.paxos.commit, 3)
})

test('what voters of a later configuration say does not end what is being gathered', () => {
  const checkpoint = checkpointOf(logWithMarks('a', 'b', 0), 3, 2)
  const replica = pulling()
  const canvass = {
    kind: 'canvass',
    configNumber: 2,
    commit: slot(9),
    accepted: A,
    through: slot(9),
    attempt: 1,
  }
  replica.receive(1, reset(checkpoint, 0))
  assert.deepEqual(requestIn(replica.receive(2, canvass as Message)), [])
  assert.deepEqual(requestIn(replica.receive(3, canvass as Message)), [])
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 1))), [4, 0, 0])
  assert.equal(replica.paxos.commit, 3)
})

test('who tells unasked of a checkpoint is asked when the one who was asked is silent, and not before', () => {
  const configuration = { ...configurationOf(3), number: 3, fromSlot: slot(1) }
  const checkpoint = { ...checkpointOf(logWithMarks('a', 'b', 0), 3, 2), configuration }
  const replica = pulling()
  // All that this replica knows is broker 1, whose own replica is gone.
  const links = new Set([brokerId(1), brokerId(2)])
  const view = { alive: true, bootId: '1', stalled: false, draining: false, full: false, links }
  const peers = new Map([[brokerId(1), view]])
  replica.step({ kind: 'links', links: { selfStalled: false, selfDraining: false, selfFull: false, peers } })
  assert.deepEqual(requestIn(replica.receive(4, reset(checkpoint))), [])
  replica.nowMs += DEFAULT_TUNING.retransmitMs
  replica.step({ kind: 'tick' })
  assert.deepEqual(requestIn(replica.sentTo(1)), [1, 0, 0])
  assert.deepEqual(requestIn(replica.receive(4, reset(checkpoint))), [1, 0, 0])
  assert.deepEqual(requestIn(replica.receive(5, reset(checkpoint))), [], 'It was just asked.')
  assert.deepEqual(requestIn(replica.receive(4, reset(checkpoint))), [1, 4, 1])
  replica.receive(4, reset(checkpoint, 1))
  assert.deepEqual([replica.paxos.commit, replica.paxos.configuration.number], [3, 3])
})

test('a damaged part, one that is none, and one of a configuration that cannot be are ignored', () => {
  const log = logWithMarks('a', 0)
  const replica = pulling()
  const checkpoint = checkpointOf(log, 2)
  replica.receive(1, { ...reset(checkpoint), crc: 1 })
  replica.receive(1, reset(checkpoint, 1))
  replica.receive(1, reset({ ...checkpoint, partCount: CHECKPOINT_PARTS_MAX + 1 }))
  const later = { ...configurationOf(3), number: 2 }
  replica.receive(1, reset({ ...checkpoint, configuration: { ...later, voters: [] } }))
  replica.receive(1, reset({ ...checkpoint, configuration: { ...later, fromSlot: checkpoint.slot } }))
  assert.equal(replica.paxos.commit, 0)
})

test('a checkpoint of a later configuration brings that with it, in one state record, and no tail stays', () => {
  const log = logWithMarks('a', 0, 'b')
  const replica = pulling({ log, commit: 0 })
  const configuration = { ...configurationOf(4), number: 3, fromSlot: slot(1) }
  replica.receive(1, reset({ ...checkpointOf(log, 2), configuration }))
  assert.deepEqual([replica.paxos.commit, replica.paxos.through], [2, 2])
  assert.deepEqual(replica.paxos.configuration, configuration)
  const states = replica.written.filter((write) => write.kind === 'state')
  assert.equal(states.length, 1)
  assert.deepEqual(states[0]?.state.configuration, configuration)
  assert.deepEqual(states[0]?.state.promised, { config: 3, round: 0, broker: 0 })
  assert.deepEqual(states[0]?.state.acceptedBallot, states[0]?.state.promised)
})

test('a checkpoint of an earlier configuration mends what is damaged below the stop-sign, and all above stays', () => {
  const log = logWithMarks('a', 0, 'b', 'c', 'd')
  const configuration = { ...configurationOf(3), number: 2, fromSlot: slot(4) }
  const promised = { ...ballot(2, 1), config: 2 }
  const state = { configuration, promised, acceptedBallot: promised }
  const replica = pulling({ state, log, commit: 1, damaged: [2] })
  replica.receive(1, { kind: 'syncRequired', ballot: promised, commit: slot(5_000) })
  const another = { ...checkpointOf(log, 2), chain: 7 }
  replica.receive(1, reset(another))
  replica.receive(1, reset(checkpointOf([...log, ...log], 6)))
  assert.deepEqual(
    [replica.paxos.commit, replica.paxos.damagedCount],
    [1, 1],
    'They contradict what was decided.',
  )
  replica.receive(1, reset(checkpointOf(log, 2)))
  assert.deepEqual([replica.paxos.commit, replica.paxos.damagedCount], [4, 0])
  assert.equal(replica.paxos.through, 5)
  assert.deepEqual(replica.paxos.configuration, configuration)
  assert.deepEqual([replica.paxos.promised, replica.paxos.acceptedBallot], [promised, promised])
  assert.equal(replica.paxos.logStart.slot, 3)
})

test('parts that nobody asked for are not gathered: who sends them is asked, by who holds less', () => {
  const log = logWithMarks('a', 0)
  const behind = new LoneReplica({ state: HOLDS_A })
  assert.deepEqual(requestIn(behind.receive(1, reset(checkpointOf(log, 2, 2), 0))), [1, 0, 0])
  const level = followerOf(log)
  level.receive(1, reset(checkpointOf(log, 2, 2), 0))
  assert.deepEqual(level.effects, [])
})

test('who is asked for an entry that is trimmed says where its log begins', () => {
  const log = logWithMarks('a', 0, 'b', 2)
  const replica = followerOf(log)
  tell(replica, 2)
  tell(replica, 4)
  const { slot: at, origin, chain } = log[1]!
  const request = { kind: 'repairRequest', slot: at, origin, chain } as const
  assert.deepEqual(replica.receive(3, request), [{ kind: 'repairTrimmed', logStart: slot(3) }])
})

test('a damaged entry that others have trimmed is trimmed here too, to a checkpoint of its own that is no later', () => {
  const log = logWithMarks('a', 0, 'b', 'c', 0, 'd')
  const known = [checkpointOf(log, 2), checkpointOf(log, 5)]
  const state = { ...HOLDS_A, checkpoints: known, through: slot(6) }
  const replica = new LoneReplica({ state, log, commit: 6 })
  replica.step({ kind: 'damaged', entries: [damagedIn(log, 2)], isStateLost: false })
  assert.equal(replica.paxos.damagedCount, 1)
  replica.receive(3, { kind: 'repairTrimmed', logStart: slot(2) })
  assert.deepEqual([replica.paxos.damagedCount, replica.paxos.logStart.slot], [1, 1], 'None is as early.')
  replica.receive(3, { kind: 'repairTrimmed', logStart: slot(5) })
  assert.equal(replica.paxos.damagedCount, 0)
  assert.deepEqual(replica.paxos.logStart, known[0])
  assert.deepEqual(slotsOf(replica.paxos.checkpoints), [6])
  assert.equal(replica.written.at(-1)?.kind, 'state')
})

test('a checkpoint is gone on with when the leader that ordered it is gone before it was whole', () => {
  const replica = pulling()
  const checkpoint = checkpointOf(logWithMarks('a', 0), 2, 3)
  assert.deepEqual(requestIn(replica.receive(1, reset(checkpoint, 0))), [1, 3, 1])
  replica.receive(1, { kind: 'resign', ballot: A })
  assert.equal(replica.paxos.leader, undefined)
  const again = replica.receive(1, { kind: 'syncRequired', ballot: A, commit: slot(5_000) })
  assert.deepEqual(requestIn(again), [1, 3, 1])
})

test('without a checkpoint of its own that of the other one is asked for, part by part, and what is applied stays', () => {
  const log = logWithMarks('a', 0, 'b', 'c', 0, 'd')
  const replica = new LoneReplica({ state: { ...HOLDS_A, through: slot(6) }, log, commit: 6 })
  replica.step({ kind: 'damaged', entries: [damagedIn(log, 1)], isStateLost: false })
  const trimmed = { kind: 'repairTrimmed', logStart: slot(3) } as const
  assert.deepEqual(requestIn(replica.receive(3, trimmed)), [1, 0, 0])
  const base = checkpointOf(log, 2, 2)
  assert.deepEqual(requestIn(replica.receive(3, reset(base, 0))), [1, 3, 1])
  assert.deepEqual(replica.receive(3, reset(base, 0)), [], 'It has that part.')
  assert.deepEqual(requestIn(replica.receive(3, trimmed)), [1, 3, 1], 'It goes on after an answer was lost.')
  assert.equal(replica.paxos.damagedCount, 1)
  replica.receive(3, reset(base, 1))
  assert.deepEqual([replica.paxos.damagedCount, replica.paxos.logStart.slot, replica.paxos.commit], [0, 3, 6])
  assert.deepEqual(
    replica.written.map(({ kind }) => kind),
    ['rows', 'rows', 'state'],
  )
  assert.equal(
    replica.effects.some(({ kind }) => kind === 'reset'),
    false,
    'The state machine is further already.',
  )
})

test('a checkpoint below commit is not taken where it contradicts the log, or nothing below it is damaged', () => {
  const log = logWithMarks('a', 0, 'b', 'c')
  const state = { ...HOLDS_A, through: slot(4) }
  const whole = new LoneReplica({ state, log, commit: 4 })
  whole.receive(3, reset(checkpointOf(log, 2)))
  assert.equal(whole.paxos.logStart.slot, 1)
  // What it holds in memory it compares: above slot 1, which is known to be chosen and rotted since.
  const rotten = new LoneReplica({ state, log, commit: 1 })
  rotten.step({ kind: 'damaged', entries: [damagedIn(log, 1)], isStateLost: false })
  rotten.receive(3, { kind: 'syncChunk', fromSlot: slot(2), entries: log.slice(1), commit: slot(4) })
  rotten.receive(3, reset({ ...checkpointOf(log, 2), chain: 7 }))
  assert.deepEqual([rotten.paxos.damagedCount, rotten.paxos.logStart.slot], [1, 1])
  rotten.receive(3, reset(checkpointOf(log, 2)))
  assert.deepEqual([rotten.paxos.damagedCount, rotten.paxos.logStart.slot], [0, 3])
})

test('a word of a trim changes nothing where no entry is damaged', () => {
  const log = logWithMarks('a', 0, 'b')
  const replica = followerOf(log)
  tell(replica, 2)
  replica.receive(3, { kind: 'repairTrimmed', logStart: slot(3) })
  assert.equal(replica.paxos.logStart.slot, 1)
})

test('T1: a SyncReset that comes late, at or below commit, is ignored with all that was accepted since', () => {
  const log = logWithMarks('a', 0, 'b', 'c')
  const replica = pulling()
  replica.receive(1, { kind: 'syncChunk', fromSlot: slot(1), entries: log.slice(0, 3), commit: slot(3) })
  replica.receive(1, {
    kind: 'accept',
    ballot: A,
    previous: slot(3),
    entries: log.slice(3),
    commit: slot(3),
  })
  replica.receive(1, reset(checkpointOf(log, 2)))
  assert.deepEqual([replica.paxos.through, replica.paxos.logStart.slot], [4, 1])
})

test('a tail that links to the checkpoint stays, and is not written again', () => {
  const log = logWithMarks('a', 0, 'b')
  const replica = pulling({ log, commit: 0 })
  replica.receive(1, reset(checkpointOf(log, 2)))
  assert.deepEqual([replica.paxos.commit, replica.paxos.through], [2, 3])
  assert.deepEqual(
    replica.written.map((write) => (write.kind === 'state' ? write.state.through : write.kind)),
    ['rows', 3],
  )
})

test('a tail that does not link to the checkpoint was never chosen and goes', () => {
  const replica = pulling({ log: logWithMarks('x', 'y', 'z'), commit: 0 })
  replica.receive(1, reset(checkpointOf(logWithMarks('a', 0), 2)))
  assert.deepEqual([replica.paxos.commit, replica.paxos.through], [2, 2])
})

test('a replica that goes on from a checkpoint applies what follows it', () => {
  const log = logWithMarks('a', 0, 'b')
  const replica = pulling()
  replica.receive(1, reset(checkpointOf(log, 2)))
  replica.receive(1, { kind: 'syncChunk', fromSlot: slot(3), entries: log.slice(2), commit: slot(3) })
  assert.deepEqual(
    replica.applied.map((entry) => entry.slot),
    [3],
  )
})

test('a candidate that goes on from a checkpoint leads no more', () => {
  const replica = new LoneReplica({ size: 1, self: 1 })
  replica.step({ kind: 'tick' })
  assert.equal(replica.paxos.role, 'candidate')
  const configuration = configurationOf(1)
  replica.step({
    kind: 'message',
    from: brokerId(2),
    message: reset({ ...checkpointOf(logWithMarks(0), 1), configuration }),
  })
  assert.equal(replica.paxos.role, 'follower')
})

test('the body of a TRIM comes back as it was written, and what is none says nothing', () => {
  const trim = { upTo: Number.MAX_SAFE_INTEGER, beforeOffset: 7 }
  const body = encodeTrim(trim)
  assert.deepEqual(decodeTrim(body), trim)
  assert.equal(decodeTrim(body.subarray(1)), undefined)
  assert.equal(decodeTrim(Uint8Array.from(body, () => 255)), undefined)
  assert.equal(decodeTrim(Uint8Array.from([1, ...Array<number>(16).fill(255)])), undefined)
})
