import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SynodError } from '../../src/errors.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { joined, JOINED_BYTES_MAX } from '../../src/partition/joining.ts'
import {
  decodeRecords,
  peekBatch,
  RECORDS_PER_BATCH_MAX,
  setAppendedAt,
} from '../../src/partition/record-batch.ts'
import { RecordMachine, type AppliedBatch } from '../../src/partition/record-machine.ts'
import type { Waiting } from '../../src/partition/proposals.ts'
import { batch, dataAt, key, producer, type BatchMaking } from './entries.ts'

const WINDOW = { dedupWindowMs: 1_000, dedupWindowCount: 100 }

type Answer = AppliedBatch | SynodError

/** A queue of these batches; `answers` fills as they are answered. */
function queueOf(bodies: readonly Buffer[]) {
  const answers: Answer[] = []
  const queue = bodies.map((body, index): Waiting<AppliedBatch> => ({
    kind: ENTRY_KIND.DATA,
    recordCount: peekBatch(body).recordCount,
    body,
    queuedAtMs: index,
    deadlineMs: 1_000 + index,
    resolve: ({ result }) => void (answers[index] = result),
    reject: (error) => void (answers[index] = error),
  }))
  return { queue, answers }
}

/** Applies each value at the next slot and answers whoever waits; returns all records, as text. */
function applyAll(values: readonly Waiting<AppliedBatch>[]): string[] {
  const machine = new RecordMachine(WINDOW)
  return values.flatMap(({ body, recordCount, resolve }, index) => {
    setAppendedAt(body, 1_000)
    const entry = dataAt(index + 1, body)
    assert.equal(entry.recordCount, recordCount)
    const result = machine.apply(entry)
    resolve({ result, slot: entry.slot })
    if (result.kind !== 'appended') return []
    return decodeRecords(body, result.baseOffset).map(({ offset, value }) => `${offset} ${String(value)}`)
  })
}

/** What a producer is told, without the slot, which it is not. */
function told(answer: Answer): unknown {
  assert.ok(!(answer instanceof SynodError))
  return answer.kind === 'appended' ? { ...answer, slot: undefined } : answer
}

const making: fc.Arbitrary<BatchMaking> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ values: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.constantFrom('k', 'l').map((name) => ({ idempotency: key(name) })) },
  { weight: 1, arbitrary: fc.nat(3).map((seq) => ({ idempotency: producer('p', 0, seq) })) },
  { weight: 1, arbitrary: fc.nat(12).map((expectedOffset) => ({ expectedOffset })) },
)

test('every producer is told what it would have been told alone, and readers see the same records', () => {
  fc.assert(
    fc.property(fc.array(making, { maxLength: 40 }), (makings) => {
      const bodies = makings.map(batch)
      const [alone, together] = [queueOf(bodies), queueOf(bodies)]
      assert.deepEqual(applyAll(joined(together.queue)), applyAll(alone.queue))
      assert.deepEqual(together.answers.map(told), alone.answers.map(told))
    }),
  )
})

test('plain batches that wait together are one value', () => {
  const { queue, answers } = queueOf([batch({ values: ['a'] }), batch({ values: ['b', 'c'] }), batch()])
  const values = joined(queue)
  assert.equal(values.length, 1)
  assert.deepEqual([values[0]!.recordCount, values[0]!.queuedAtMs, values[0]!.deadlineMs], [4, 0, 1_002])
  values[0]!.reject(new SynodError('no-leader', 'Somewhere else.'))
  assert.deepEqual(
    answers.map((answer) => answer instanceof SynodError && answer.code),
    ['no-leader', 'no-leader', 'no-leader'],
  )
})

test('what is judged as a whole stands alone, and nothing passes it', () => {
  const keyed = batch({ idempotency: key('k') })
  const { queue } = queueOf([batch(), batch(), keyed, batch(), batch({ expectedOffset: 4 }), batch()])
  const values = joined(queue)
  assert.deepEqual(
    values.map(({ recordCount }) => recordCount),
    [2, 1, 1, 1, 1],
  )
  assert.equal(values[1]!.body, keyed)
  assert.equal(values[2]!.body, queue[3]!.body)
})

test('a joined batch stays within its bounds', () => {
  const large = batch({ values: ['x'.repeat(JOINED_BYTES_MAX / 2)] })
  const counts = (bodies: Buffer[]) => joined(queueOf(bodies).queue).map(({ recordCount }) => recordCount)
  assert.deepEqual(counts([large, large, large, batch()]), [1, 1, 2])
  const many = batch({ values: Array.from({ length: 600 }, () => '') })
  assert.deepEqual(counts([many, many, batch({ values: Array(RECORDS_PER_BATCH_MAX - 600).fill('') })]), [
    600,
    RECORDS_PER_BATCH_MAX,
  ])
})
