import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialState, type Checkpoint } from '../../src/paxos/state.ts'
import { isFull, nextStep, type Holdings } from '../../src/partition/retention.ts'
import { slot } from '../../src/types/ids.ts'

const MEBIBYTE = 1024 * 1024
const KEEP = { retentionMs: null, retentionBytes: null, cleanup: 'delete', onFull: 'trim' } as const
const { logStart: EMPTY } = initialState({ number: 1, voters: [], learners: [], fromSlot: slot(0) })

/** A checkpoint `mebibytes` into the log, where the newest record is of that second. */
function at(mebibytes: number, offset = mebibytes): Checkpoint {
  const logBytes = mebibytes * MEBIBYTE
  return { ...EMPTY, slot: slot(mebibytes * 10 + 1), offset, lastAppendedAtMs: mebibytes * 1_000, logBytes }
}

function holding(
  mebibytes: number,
  checkpoints: readonly Checkpoint[],
  more: Partial<Holdings> = {},
): Holdings {
  const end = { offset: mebibytes, logBytes: mebibytes * MEBIBYTE }
  return { logStart: EMPTY, checkpoints, end, shownFrom: 0, tableBytes: 0, ...more }
}

const everybody = (): number => Number.MAX_SAFE_INTEGER

test('nothing is trimmed or marked without a bound', () => {
  const step = nextStep(KEEP, holding(900, [at(1)]), 1e9, everybody)
  assert.deepEqual(step, { kind: 'rest', againAtMs: Infinity })
})

test('a third of the size makes the next mark due, and a mebibyte at least', () => {
  const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE }
  assert.equal(nextStep(rules, holding(2, []), 0, everybody).kind, 'rest')
  assert.deepEqual(nextStep(rules, holding(3, []), 0, everybody), { kind: 'trim', upTo: 0 })
  assert.equal(nextStep(rules, holding(5, [at(3)]), 0, everybody).kind, 'rest')
  const small = { ...KEEP, retentionBytes: MEBIBYTE }
  assert.equal(nextStep(small, holding(0.9, []), 0, everybody).kind, 'rest')
})

test('a large table makes marks rarer', () => {
  const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE }
  assert.equal(nextStep(rules, holding(3, [], { tableBytes: MEBIBYTE }), 0, everybody).kind, 'rest')
  assert.equal(nextStep(rules, holding(4, [], { tableBytes: MEBIBYTE }), 0, everybody).kind, 'trim')
})

test('the newest checkpoint goes behind which as much stands as is to be kept', () => {
  const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE }
  const holdings = holding(12, [at(3), at(6), at(9)])
  assert.deepEqual(nextStep(rules, holdings, 0, everybody), { kind: 'trim', upTo: 30 })
})

test('what is too old goes, and a log that grows old is looked at again in time', () => {
  const rules = { ...KEEP, retentionMs: 9_000 }
  const holdings = holding(6, [at(3), at(6)])
  assert.deepEqual(nextStep(rules, holdings, 11_999, everybody), { kind: 'rest', againAtMs: 12_000 })
  assert.deepEqual(nextStep(rules, holdings, 12_000, everybody), { kind: 'trim', upTo: 30 })
  assert.deepEqual(nextStep(rules, holding(7, [at(6)]), 8_999, everybody), {
    kind: 'rest',
    againAtMs: 9_000,
  })
  assert.deepEqual(nextStep(rules, holding(7, [at(6)]), 9_000, everybody), { kind: 'trim', upTo: 0 })
})

test('a log that holds no record has nothing to wait for', () => {
  const holdings = holding(6, [at(6)], { logStart: at(6) })
  const step = nextStep({ ...KEEP, retentionMs: 9_000 }, holdings, 1e9, everybody)
  assert.deepEqual(step, { kind: 'rest', againAtMs: Infinity })
})

test('what a voter in sync lacks stays until it has it', () => {
  const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE }
  const holdings = holding(12, [at(3), at(11)])
  assert.deepEqual(
    nextStep(rules, holdings, 5, () => 29),
    { kind: 'rest', againAtMs: 1_005 },
  )
  assert.deepEqual(
    nextStep(rules, holdings, 5, () => 30),
    { kind: 'trim', upTo: 30 },
  )
})

test('what an operator trimmed goes up to the newest mark below it', () => {
  const holdings = holding(12, [at(3), at(6), at(9)], { shownFrom: 8 })
  assert.deepEqual(nextStep(KEEP, holdings, 0, everybody), { kind: 'trim', upTo: 60 })
})

test('a topic that is never cleaned up, or that refuses instead, is not trimmed by size', () => {
  const holdings = holding(12, [at(3), at(6), at(9)])
  for (const change of [{ cleanup: 'none' }, { onFull: 'reject' }] as const) {
    const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE, ...change }
    assert.equal(nextStep(rules, holdings, 0, everybody).kind, 'rest')
  }
})

test('a partition is full when it holds what it may and its topic refuses', () => {
  const rules = { ...KEEP, retentionBytes: 9 * MEBIBYTE, onFull: 'reject' } as const
  assert.equal(isFull(rules, holding(8, [])), false)
  assert.equal(isFull(rules, holding(9, [])), true)
  assert.equal(isFull(rules, holding(9, [], { logStart: at(1) })), false)
  assert.equal(isFull({ ...rules, onFull: 'trim' }, holding(9, [])), false)
  assert.equal(isFull({ ...rules, retentionBytes: null }, holding(9, [])), false)
})
