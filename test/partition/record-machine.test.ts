import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { slot } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { encodeExpireProducers } from '../../src/partition/expire-producers.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import { batch, dataAt, entryAt, key, noopAt, producer, type BatchMaking } from './entries.ts'
import { logArbitrary, RowStore } from './log-arbitrary.ts'

const WINDOW = { dedupWindowMs: 30, dedupWindowCount: 3 }

/** A machine that is given batches at the next slot. */
function open(window = WINDOW) {
  const machine = new RecordMachine(window)
  let at = 0
  return {
    machine,
    data: (making: BatchMaking = {}) => machine.apply(dataAt(++at, batch(making))),
    noop: () => machine.apply(noopAt(++at)),
    expire: (...ids: string[]) =>
      machine.apply(entryAt(++at, ENTRY_KIND.EXPIRE_PRODUCERS, encodeExpireProducers(ids))),
    malformed: (body: Uint8Array, recordCount = 1) =>
      machine.apply(entryAt(++at, ENTRY_KIND.DATA, body, recordCount)),
  }
}

test('offsets are dense from 0; control entries add none', () => {
  const { machine, data, noop } = open()
  assert.deepEqual(data({ values: ['a', 'b'], atMs: 5 }), {
    kind: 'appended',
    slot: 1,
    baseOffset: 0,
    recordCount: 2,
    appendedAtMs: 5,
  })
  assert.deepEqual(machine.mark, { slot: 1, baseOffset: 0, recordCount: 2, appendedAtMs: 5 })
  assert.deepEqual(noop(), { kind: 'control' })
  assert.equal(machine.mark, undefined)
  assert.deepEqual(data({ values: ['c'], atMs: 6 }), {
    kind: 'appended',
    slot: 3,
    baseOffset: 2,
    recordCount: 1,
    appendedAtMs: 6,
  })
  assert.equal(machine.nextOffset, 3)
  assert.equal(machine.lastAppendedAtMs, 6)
  assert.equal(machine.appliedSlot, 3)
})

test('a slot that does not follow is a bug', () => {
  const machine = new RecordMachine(WINDOW)
  assert.throws(() => machine.apply(noopAt(2)), InvariantError)
  machine.apply(noopAt(1))
  assert.throws(() => machine.apply(noopAt(1)), InvariantError)
})

test('a retry after a timeout is stored once and told its first offset', () => {
  const { machine, data } = open()
  data({ values: ['other'] })
  data({ values: ['a', 'b'], atMs: 7, idempotency: producer('p', 3, 0) })
  const retry = data({ values: ['a', 'b'], atMs: 9, idempotency: producer('p', 3, 0) })
  assert.deepEqual(retry, { kind: 'duplicate', baseOffset: 1, recordCount: 2, appendedAtMs: 1_000 })
  assert.equal(machine.mark, undefined)
  assert.equal(machine.nextOffset, 3)
})

test('fenced and out-of-order batches add no records', () => {
  const { machine, data } = open()
  data({ idempotency: producer('p', 3, 0) })
  assert.deepEqual(data({ idempotency: producer('p', 2, 1) }), { kind: 'fenced', currentEpoch: 3 })
  assert.deepEqual(data({ idempotency: producer('p', 3, 2) }), { kind: 'out-of-order', expectedSeq: 1 })
  assert.equal(machine.nextOffset, 1)
})

test('an idempotency key answers a retry, refuses another request, and is apart from producers', () => {
  const { data } = open()
  data({ idempotency: key('same', 1) })
  assert.equal(data({ idempotency: producer('same', 0, 0) }).kind, 'appended')
  assert.deepEqual(data({ atMs: 1_001, idempotency: key('same', 1) }), {
    kind: 'duplicate',
    baseOffset: 0,
    recordCount: 1,
    appendedAtMs: 1_000,
  })
  assert.deepEqual(data({ idempotency: key('same', 2) }), { kind: 'key-reused' })
})

test('a key is remembered for the window of append time and of keys, as the log tells both', () => {
  const { machine, data } = open()
  data({ atMs: 1_000, idempotency: key('a') })
  assert.equal(data({ atMs: 1_030, idempotency: key('a') }).kind, 'duplicate')
  assert.equal(data({ atMs: 1_031, idempotency: key('a') }).kind, 'appended')
  for (const name of ['b', 'c', 'd']) data({ atMs: 1_031, idempotency: key(name) })
  assert.equal(machine.keyCount, WINDOW.dedupWindowCount)
  assert.equal(data({ atMs: 1_031, idempotency: key('a') }).kind, 'appended')
})

test('an expected offset is checked at apply, after duplicates', () => {
  const { machine, data } = open()
  assert.deepEqual(data({ expectedOffset: 1 }), { kind: 'offset-mismatch', highWatermark: 0 })
  assert.equal(data({ expectedOffset: 0, idempotency: producer('p', 0, 0) }).kind, 'appended')
  assert.equal(data({ expectedOffset: 0, idempotency: producer('p', 0, 0) }).kind, 'duplicate')
  assert.equal(data({ expectedOffset: 0, idempotency: producer('p', 0, 1) }).kind, 'offset-mismatch')
  assert.equal(data({ expectedOffset: 1, idempotency: producer('p', 0, 1) }).kind, 'appended')
  assert.equal(machine.nextOffset, 2)
})

test('an expired producer begins anew', () => {
  const { machine, data, expire } = open()
  data({ idempotency: producer('p', 3, 0) })
  data({ idempotency: producer('q', 0, 0) })
  assert.deepEqual(machine.expireCandidates(1), ['p'])
  assert.deepEqual(expire('p', 'unknown'), { kind: 'control' })
  assert.equal(machine.producerCount, 1)
  assert.deepEqual(data({ idempotency: producer('p', 3, 1) }), { kind: 'out-of-order', expectedSeq: 0 })
  assert.equal(data({ idempotency: producer('p', 1, 0) }).kind, 'appended')
})

test('a body that cannot be read is a control entry and changes nothing', () => {
  const { machine, malformed } = open()
  const body = batch({ values: ['x'], atMs: 9_999 })
  assert.deepEqual(malformed(Buffer.from('garbage')), { kind: 'control' })
  assert.deepEqual(malformed(new Uint8Array(0)), { kind: 'control' })
  assert.deepEqual(malformed(body, 2), { kind: 'control' })
  const unreadable = Buffer.from(body)
  unreadable[unreadable.length - 2] = 0xff
  assert.deepEqual(malformed(unreadable), { kind: 'control' })
  assert.equal(machine.nextOffset, 0)
  assert.equal(machine.lastAppendedAtMs, 0)
  assert.deepEqual(machine.takeRows(), [])
})

test('marks are in order of time even if a leader set an earlier one', () => {
  const { machine, data } = open()
  data({ atMs: 2_000 })
  assert.equal((data({ atMs: 1_000 }) as { appendedAtMs: number }).appendedAtMs, 2_000)
  assert.equal(machine.mark?.appendedAtMs, 2_000)
})

test('a batch without idempotency leaves no rows', () => {
  const { machine, data } = open()
  data()
  assert.deepEqual(machine.takeRows(), [])
  data({ idempotency: producer('p', 0, 0) })
  assert.equal(machine.takeRows().length, 1)
  assert.deepEqual(machine.takeRows(), [])
})

test('a producer that sends everything again at random has each record once and in order', () => {
  const steps = fc.array(fc.oneof(fc.constant(undefined), fc.nat(20)), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (taken) => {
      const { machine, data } = open()
      const offsets: number[] = []
      for (const again of taken) {
        const seq = again === undefined || again >= offsets.length ? offsets.length : again
        const result = data({ values: [`r${seq}`], idempotency: producer('p', 1, seq) })
        if (seq === offsets.length) {
          assert.equal(result.kind, 'appended')
          offsets.push(machine.nextOffset - 1)
        } else {
          assert.equal(result.kind, 'duplicate')
          const { baseOffset } = result as { baseOffset: number | undefined }
          assert.ok(baseOffset === undefined || baseOffset === offsets[seq])
        }
      }
      assert.deepEqual(
        offsets,
        offsets.map((_, index) => index),
      )
    }),
  )
})

test('two machines that are fed the same log say the same and hold the same rows', () => {
  fc.assert(
    fc.property(logArbitrary, (log) => {
      const one = { machine: new RecordMachine(WINDOW), rows: new RowStore() }
      const two = { machine: new RecordMachine(WINDOW), rows: new RowStore() }
      for (const entry of log) {
        assert.deepEqual(one.machine.apply(entry), two.machine.apply(entry))
        one.rows.put(one.machine.takeRows())
      }
      two.rows.put(two.machine.takeRows())
      assert.deepEqual(one.rows.text, two.rows.text)
    }),
    { numRuns: 300 },
  )
})

test('a machine restored from rows at any slot goes on as if it had never stopped', () => {
  fc.assert(
    fc.property(logArbitrary, fc.nat(), (log, where) => {
      const cut = log.length === 0 ? 0 : where % log.length
      const machine = new RecordMachine(WINDOW)
      const rows = new RowStore()
      for (const entry of log.slice(0, cut)) machine.apply(entry)
      rows.put(machine.takeRows())
      const restored = new RecordMachine(WINDOW)
      const { nextOffset, lastAppendedAtMs } = machine
      restored.restore(rows.rows, { slot: slot(cut), nextOffset, lastAppendedAtMs })
      const restoredRows = new RowStore()
      restoredRows.put(rows.rows)
      for (const entry of log.slice(cut)) assert.deepEqual(restored.apply(entry), machine.apply(entry))
      rows.put(machine.takeRows())
      restoredRows.put(restored.takeRows())
      assert.deepEqual(restoredRows.text, rows.text)
      assert.deepEqual(restored.expireCandidates(10), machine.expireCandidates(10))
      assert.equal(restored.nextOffset, machine.nextOffset)
    }),
    { numRuns: 300 },
  )
})
