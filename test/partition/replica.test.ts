import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import type { Ballot } from '../../src/paxos/ballot.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { INBOX_MAX, READS_MAX, TAPS_MAX } from '../../src/partition/replica.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { turns } from '../support/virtual-clock.ts'
import { openReplica } from './lone-replica.ts'

const TWO = brokerId(2)
const BALLOT: Ballot = { config: 1, round: 1, broker: TWO }
const NONE: Ballot = { config: 0, round: 0, broker: brokerId(1) }
const PREPARE: Message = {
  kind: 'prepare',
  ballot: BALLOT,
  accepted: { ...NONE, broker: 0 as typeof TWO },
  through: slot(0),
  commit: slot(0),
}
const CANVASS: Message = {
  kind: 'canvass',
  configNumber: 1,
  commit: slot(0),
  accepted: PREPARE.accepted,
  through: slot(0),
  attempt: 1,
}

const hasCode = (code: string) => (error: unknown) => error instanceof SynodError && error.code === code

test('a replica alone leads, and answers a proposal when it is on disk and applied', async () => {
  const { replica, machine, journal, propose } = await openReplica()
  assert.ok(replica.isLeader)
  journal.pause()
  let isAnswered = false
  const proposed = propose('a')
  void proposed.then(() => (isAnswered = true))
  await turns(8)
  assert.equal(isAnswered, false)
  assert.deepEqual(machine.applied, [])
  journal.resume()
  assert.deepEqual(await proposed, { result: 'a', slot: 1 })
})

test('proposals that came while the disk was busy leave in one synced write, in their order', async () => {
  const { store, journal, machine, propose } = await openReplica()
  journal.pause()
  const first = propose('0')
  await turns(4)
  const before = journal.batchCount
  const rest = Array.from({ length: 50 }, (_, index) => propose(`${index + 1}`))
  await turns(4)
  journal.resume()
  await Promise.all([first, ...rest])
  assert.equal(journal.batchCount, before + 1)
  assert.deepEqual(
    machine.applied,
    Array.from({ length: 51 }, (_, index) => `${index}`),
  )
  assert.equal(store.usage().pendingBytes, 0)
})

test('a promise leaves only when it is on disk', async () => {
  const { replica, journal, sent } = await openReplica({ voterCount: 3 })
  journal.pause()
  replica.receive(TWO, PREPARE)
  await turns(6)
  assert.equal(sent.length, 0)
  journal.resume()
  await turns(6)
  assert.deepEqual(
    sent.map(({ to, message }) => [to, message.kind]),
    [[TWO, 'promise']],
  )
})

test('what a person sends by hand is answered with what goes back, or with nothing after a while', async () => {
  const { clock, replica } = await openReplica({ voterCount: 3 })
  const answer = await replica.exchange(TWO, PREPARE, 1_000)
  assert.deepEqual(
    answer.map(({ kind }) => kind),
    ['promise'],
  )
  const silence = replica.exchange(TWO, { kind: 'resign', ballot: BALLOT }, 1_000)
  await turns(4)
  clock.advance(1_000)
  assert.deepEqual(await silence, [])
})

test(`at most ${TAPS_MAX} people speak the protocol by hand at once`, async () => {
  const { clock, replica } = await openReplica({ voterCount: 3 })
  const silences = Array.from({ length: TAPS_MAX }, () =>
    replica.exchange(TWO, { kind: 'resign', ballot: BALLOT }, 1_000),
  )
  await assert.rejects(replica.exchange(TWO, PREPARE, 1_000), hasCode('overloaded'))
  clock.advance(1_000)
  await Promise.all(silences)
})

test(`of messages that come before a turn no more than ${INBOX_MAX} are kept`, async () => {
  const { replica, sent } = await openReplica({ voterCount: 3 })
  for (let count = 0; count < INBOX_MAX + 10; count++) replica.receive(TWO, CANVASS)
  await turns(3)
  assert.equal(sent.length, INBOX_MAX)
  replica.receive(TWO, CANVASS)
  await turns(3)
  assert.equal(sent.length, INBOX_MAX + 1)
})

test(`at most ${READS_MAX} reads wait for their barrier`, async () => {
  const { replica } = await openReplica()
  const reads = Array.from({ length: READS_MAX }, () => replica.readBarrier())
  await assert.rejects(replica.readBarrier(), hasCode('overloaded'))
  assert.deepEqual(new Set(await Promise.all(reads)), new Set([0]))
})

test('who does not lead takes neither proposals nor reads', async () => {
  const { replica, propose } = await openReplica({ voterCount: 3 })
  await assert.rejects(propose('a'), hasCode('no-leader'))
  await assert.rejects(replica.readBarrier(), hasCode('no-leader'))
})

test('a proposal that a busy disk keeps from being made is refused in time, one that was made may be stored', async () => {
  const { clock, journal, propose } = await openReplica()
  journal.pause()
  const made = assert.rejects(propose('made', 1_000), hasCode('outcome-unknown'))
  await turns(4)
  const queued = assert.rejects(propose('queued', 500), hasCode('overloaded'))
  clock.advance(500)
  await turns(2)
  await queued
  clock.advance(500)
  await turns(2)
  await made
})

test('a full append queue refuses more until the disk takes it', async () => {
  const { journal, propose, host } = await openReplica({ bytesMax: 10 })
  journal.pause()
  const first = propose('12345')
  await turns(4)
  assert.equal(host.queued.bytes, 0)
  const second = propose('1234567890')
  await assert.rejects(propose('x'), hasCode('overloaded'))
  journal.resume()
  await Promise.all([first, second])
  await propose('x')
})

test('more than the core may leave undecided is refused as overload, and told for certain', async () => {
  const { journal, machine, propose } = await openReplica({ tuning: { uncommittedSlotsMax: 2 } })
  journal.pause()
  const first = propose('first')
  await turns(4)
  const rest = ['a', 'b', 'c'].map((text) => propose(text))
  const outcomes = Promise.allSettled(rest)
  journal.resume()
  await first
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  )
  assert.deepEqual(machine.applied, ['first', 'a', 'b'])
})

test('a stop answers everybody and takes nothing more', async () => {
  const { journal, replica, sent, propose } = await openReplica()
  journal.pause()
  const made = assert.rejects(propose('made'), hasCode('outcome-unknown'))
  await turns(4)
  const queued = assert.rejects(propose('queued'), hasCode('topic-deleted'))
  const read = assert.rejects(replica.readBarrier(), hasCode('topic-deleted'))
  replica.stop(new SynodError('topic-deleted', 'Gone.'))
  await Promise.all([made, queued, read])
  await assert.rejects(propose('late'), hasCode('draining'))
  await assert.rejects(replica.readBarrier(), hasCode('draining'))
  replica.receive(TWO, PREPARE)
  journal.resume()
  await turns(6)
  assert.deepEqual(sent, [])
})

test('a machine that contradicts itself ends the broker', async () => {
  const { failures, propose } = await openReplica()
  void propose('broken').catch(() => undefined)
  await turns(8)
  assert.deepEqual(
    failures.map((error) => (error as Error).message),
    ['The machine contradicts itself.'],
  )
})
