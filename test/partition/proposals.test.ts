import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import type { Ballot } from '../../src/paxos/ballot.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { Proposals, QUEUE_COUNT_MAX } from '../../src/partition/proposals.ts'
import { brokerId, slot } from '../../src/types/ids.ts'

function open(bytesMax = 1e9) {
  const queued = { bytes: 0, bytesMax }
  const proposals = new Proposals<string>(queued)
  const answers: string[] = []
  const add = (name: string, more: { deadlineMs?: number; byteCount?: number } = {}) =>
    proposals.add({
      kind: ENTRY_KIND.DATA,
      recordCount: 1,
      body: new Uint8Array(more.byteCount ?? 10),
      queuedAtMs: 0,
      deadlineMs: more.deadlineMs ?? 1_000,
      resolve: ({ result, slot: at }) => void answers.push(`${name}: ${result} at ${at}`),
      reject: (error: SynodError) => void answers.push(`${name}: ${error.code}`),
    })
  /** Offers all that is queued and has it appended from a slot on. */
  const append = (from: number, ballot: Ballot) => {
    let at = from
    for (const waiting of proposals.takeQueue()) {
      proposals.offer(at, waiting)
      proposals.appended(at, slot(at), ballot)
      at++
    }
  }
  return { queued, proposals, answers, add, append }
}

function ballot(round: number): Ballot {
  return { config: 1, round, broker: brokerId(1) }
}

test('a value that was applied at its slot is answered with what came of it', () => {
  const { proposals, answers, add, append } = open()
  add('a')
  add('b')
  append(5, ballot(1))
  proposals.applied(slot(5), ballot(1), 'stored')
  proposals.applied(slot(6), ballot(1), 'refused')
  proposals.applied(slot(7), ballot(1), 'of somebody else')
  assert.deepEqual(answers, ['a: stored at 5', 'b: refused at 6'])
  assert.equal(proposals.deadlineMs, undefined)
})

test('another value at the slot means for certain that nothing was stored', () => {
  const { proposals, answers, add, append } = open()
  add('a')
  append(5, ballot(1))
  proposals.applied(slot(5), ballot(2), 'other')
  assert.deepEqual(answers, ['a: no-leader'])
})

test('a value that was displaced before anything was applied there may still be stored', () => {
  const { proposals, answers, add, append } = open()
  add('a')
  append(5, ballot(1))
  add('b')
  append(5, ballot(3))
  assert.deepEqual(answers, ['a: outcome-unknown'])
  proposals.applied(slot(5), ballot(3), 'stored')
  assert.deepEqual(answers, ['a: outcome-unknown', 'b: stored at 5'])
})

test('what the core refuses is told with its reason', () => {
  const { proposals, answers, add } = open()
  for (const name of ['a', 'b', 'c', 'd']) add(name)
  const reasons = ['not-leader', 'not-enough-in-sync', 'full', 'stopping'] as const
  proposals.takeQueue().forEach((waiting, token) => {
    proposals.offer(token, waiting)
    proposals.refused(token, reasons[token]!)
  })
  assert.deepEqual(answers, ['a: no-leader', 'b: not-enough-in-sync', 'c: overloaded', 'd: draining'])
})

test('who waits too long in the queue is certainly not stored, who waits too long for a decision may be', () => {
  const { queued, proposals, answers, add, append } = open()
  add('appended', { deadlineMs: 100 })
  append(1, ballot(1))
  add('queued', { deadlineMs: 200 })
  assert.equal(proposals.deadlineMs, 100)
  proposals.expire(99)
  assert.deepEqual(answers, [])
  proposals.expire(100)
  assert.deepEqual(answers, ['appended: outcome-unknown'])
  assert.equal(proposals.deadlineMs, 200)
  proposals.expire(200)
  assert.deepEqual(answers, ['appended: outcome-unknown', 'queued: overloaded'])
  assert.equal(queued.bytes, 0)
})

test('a stop refuses what is queued and knows nothing of what is appended', () => {
  const { queued, proposals, answers, add, append } = open()
  add('appended')
  append(1, ballot(1))
  add('queued')
  proposals.stop(new SynodError('topic-deleted', 'Gone.'))
  assert.deepEqual(answers.toSorted(), ['appended: outcome-unknown', 'queued: topic-deleted'])
  assert.equal(queued.bytes, 0)
})

test('the bytes that wait on a broker are bounded over all groups', () => {
  const { queued, proposals, answers, add } = open(100)
  queued.bytes = 50
  add('a', { byteCount: 40 })
  add('b', { byteCount: 20 })
  add('c', { byteCount: 10 })
  assert.deepEqual(answers, ['b: overloaded'])
  assert.equal(queued.bytes, 100)
  proposals.takeQueue()
  assert.equal(queued.bytes, 50)
})

test(`at most ${QUEUE_COUNT_MAX} values wait in one group`, () => {
  const { proposals, answers, add } = open()
  for (let count = 0; count <= QUEUE_COUNT_MAX; count++) add(`${count}`)
  assert.deepEqual(answers, [`${QUEUE_COUNT_MAX}: overloaded`])
  assert.equal(proposals.queuedCount, QUEUE_COUNT_MAX)
})
