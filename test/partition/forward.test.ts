import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import {
  decodeAppend,
  decodeOutcome,
  decodeReadAnswer,
  encodeAppend,
  encodeOutcome,
  encodeReadAnswer,
  notLeader,
} from '../../src/partition/forward.ts'
import { batchBody, committedBatch } from '../../src/partition/record-batch.ts'
import { brokerId } from '../../src/types/ids.ts'
import { batch } from './entries.ts'

test('an append crosses with its batch, its acks and its time', () => {
  for (const acks of ['majority', 'all'] as const) {
    const body = batch({ values: ['a', 'b'] })
    const { batch: decoded, ...options } = decodeAppend(encodeAppend(body, { acks, timeoutMs: 12_345 }))
    assert.deepEqual(options, { acks, timeoutMs: 12_345 })
    assert.deepEqual(Buffer.from(decoded), body)
  }
})

test("a batch that came is its own copy: the leader's time never shows in the frame", () => {
  const frame = encodeAppend(batch(), { acks: 'all', timeoutMs: 1 })
  decodeAppend(frame).batch.fill(0)
  assert.deepEqual(Buffer.from(frame.subarray(5)), batch())
})

test('an outcome crosses, also one whose place is forgotten', () => {
  for (const baseOffset of [17, undefined]) {
    const outcome = { baseOffset, recordCount: 2, appendedAtMs: 5, duplicate: true }
    assert.deepEqual(decodeOutcome(encodeOutcome(outcome)), outcome)
  }
})

test('what was read crosses as it is stored, or as nothing', () => {
  const stored = [
    committedBatch(batch({ values: ['a', 'b'] }), 5),
    committedBatch(batch({ values: ['c'] }), 7),
  ]
  const read = decodeReadAnswer(
    encodeReadAnswer({ batches: stored, logStart: 1, highWatermark: 8 }, batchBody),
  )
  assert.deepEqual([read.logStart, read.highWatermark], [1, 8])
  assert.deepEqual(
    read.batches.flatMap(({ records }) =>
      records.map(({ offset, value }) => [offset, Buffer.from(value).toString()]),
    ),
    [
      [5, 'a'],
      [6, 'b'],
      [7, 'c'],
    ],
  )
  const empty = { batches: [], logStart: 0, highWatermark: 0 }
  assert.deepEqual(decodeReadAnswer(encodeReadAnswer(empty, batchBody)), empty)
})

test('a request that is too short is refused', () => {
  for (const decode of [decodeAppend, decodeReadAnswer])
    assert.throws(
      () => decode(Buffer.of(1, 2, 3)),
      (error) => error instanceof SynodError && error.code === 'malformed-request',
    )
})

test('who does not lead says who does, if it knows', () => {
  assert.deepEqual(notLeader(brokerId(3)).facts, { leader: 3 })
  assert.deepEqual(notLeader(undefined).facts, {})
})
