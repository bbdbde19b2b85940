import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  afterAppend,
  decideProducer,
  PRODUCERS_MAX,
  ProducerTable,
  REMEMBERED_BATCHES_MAX,
  type ProducerClaim,
  type ProducerState,
} from '../../src/partition/producers.ts'

function claim(epoch: number, seq: number, recordCount = 1, checksum = 100 + seq): ProducerClaim {
  return { epoch, seq, recordCount, checksum }
}

/** A producer that has appended these claims, the first at offset 0, slot 1, time 10. */
function appended(...claims: ProducerClaim[]): ProducerState {
  let state: ProducerState | undefined
  let baseOffset = 0
  for (const [index, each] of claims.entries()) {
    state = afterAppend(state, each, { slot: index + 1, baseOffset, appendedAtMs: 10 * (index + 1) })
    baseOffset += each.recordCount
  }
  return state!
}

test('a new producer begins with any epoch and sequence 0', () => {
  assert.deepEqual(decideProducer(undefined, claim(41, 0)), { kind: 'append' })
  assert.deepEqual(decideProducer(undefined, claim(41, 3)), { kind: 'out-of-order', expectedSeq: 0 })
})

test('the next sequence is appended, a later one is out of order', () => {
  const state = appended(claim(1, 0, 3), claim(1, 3, 2))
  assert.deepEqual(decideProducer(state, claim(1, 5)), { kind: 'append' })
  assert.deepEqual(decideProducer(state, claim(1, 6)), { kind: 'out-of-order', expectedSeq: 5 })
})

test('a lower epoch is fenced, a higher one begins at sequence 0', () => {
  const state = appended(claim(5, 0))
  assert.deepEqual(decideProducer(state, claim(4, 1)), { kind: 'fenced', currentEpoch: 5 })
  assert.deepEqual(decideProducer(state, claim(6, 0)), { kind: 'append' })
  assert.deepEqual(decideProducer(state, claim(6, 1)), { kind: 'out-of-order', expectedSeq: 0 })
})

test('a remembered batch is a duplicate with its first offset and time', () => {
  const state = appended(claim(1, 0, 3), claim(1, 3, 2))
  const first = { kind: 'duplicate', baseOffset: 0, recordCount: 3, appendedAtMs: 10 }
  assert.deepEqual(decideProducer(state, claim(1, 0, 3)), first)
  const second = { kind: 'duplicate', baseOffset: 3, recordCount: 2, appendedAtMs: 20 }
  assert.deepEqual(decideProducer(state, claim(1, 3, 2)), second)
})

test('a batch that is no longer remembered is a duplicate whose place is unknown, never a refusal', () => {
  const claims = Array.from({ length: REMEMBERED_BATCHES_MAX + 2 }, (_, index) => claim(1, index))
  const state = appended(...claims)
  assert.equal(state.batches.length, REMEMBERED_BATCHES_MAX)
  const forgotten = { kind: 'duplicate', baseOffset: undefined, recordCount: 1, appendedAtMs: 30 }
  assert.deepEqual(decideProducer(state, claims[0]!), forgotten)
  assert.deepEqual(decideProducer(state, claims[1]!), forgotten)
  assert.equal(decideProducer(state, claims[2]!).kind, 'duplicate')
})

test('other records under remembered sequences are refused, not taken for a duplicate', () => {
  const state = appended(claim(1, 0, 2), claim(1, 2, 2))
  const refused = { kind: 'out-of-order', expectedSeq: 4 }
  assert.deepEqual(decideProducer(state, claim(1, 0, 2, 999)), refused)
  assert.deepEqual(decideProducer(state, claim(1, 1, 2)), refused)
  assert.deepEqual(decideProducer(state, claim(1, 2, 3)), refused)
})

test('a higher epoch forgets the batches of the lower one', () => {
  const state = appended(claim(1, 0), claim(1, 1), claim(2, 0))
  assert.equal(state.epoch, 2)
  assert.equal(state.lastSeq, 0)
  assert.equal(state.batches.length, 1)
})

function filled(producerCount: number): ProducerTable {
  const table = new ProducerTable()
  for (let index = 0; index < producerCount; index++) {
    const place = { slot: index + 1, baseOffset: index, appendedAtMs: 10 }
    table.set(`p${index}`, afterAppend(undefined, claim(1, 0), place))
  }
  return table
}

test('the table holds its bound and then forgets who was used longest ago', () => {
  const table = filled(PRODUCERS_MAX)
  table.set(
    'p0',
    afterAppend(table.get('p0'), claim(1, 1), { slot: PRODUCERS_MAX + 1, baseOffset: 1, appendedAtMs: 10 }),
  )
  table.takeRows()
  table.set(
    'new',
    afterAppend(undefined, claim(1, 0), { slot: PRODUCERS_MAX + 2, baseOffset: 2, appendedAtMs: 10 }),
  )
  assert.equal(table.size, PRODUCERS_MAX)
  assert.equal(table.get('p1'), undefined)
  assert.ok(table.get('p0'))
  const rows = table
    .takeRows()
    .map((row) => [Buffer.from(row.key).toString('latin1'), row.value === undefined])
  assert.deepEqual(
    rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    [
      ['\x01new', false],
      ['\x01p1', true],
    ],
  )
})

test('candidates for expiry are those used longest ago by slot', () => {
  const table = filled(4)
  table.set('p0', afterAppend(table.get('p0'), claim(1, 1), { slot: 9, baseOffset: 9, appendedAtMs: 10 }))
  assert.deepEqual(table.leastRecent(2), ['p1', 'p2'])
  assert.deepEqual(table.leastRecent(9), ['p1', 'p2', 'p3', 'p0'])
})

test('rows restore the same table with the same order of use', () => {
  const steps = fc.array(
    fc.tuple(fc.constantFrom('a', 'b', 'ü', '__proto__'), fc.nat(3), fc.integer({ min: 1, max: 3 })),
    {
      maxLength: 40,
    },
  )
  fc.assert(
    fc.property(steps, (taken) => {
      const table = new ProducerTable()
      for (const [index, [id, epochStep, recordCount]] of taken.entries()) {
        const known = table.get(id)
        const epoch = (known?.epoch ?? 2 ** 40) + (epochStep === 0 ? 1 : 0)
        const seq = known?.epoch === epoch ? known.lastSeq + 1 : 0
        const made = { epoch, seq, recordCount, checksum: 2 ** 32 - 1 - index }
        table.set(
          id,
          afterAppend(known, made, { slot: index + 1, baseOffset: 2 ** 50 + index, appendedAtMs: index }),
        )
      }
      const restored = new ProducerTable()
      restored.restore([...table.takeRows()].sort((a, b) => Buffer.compare(a.key, b.key)))
      assert.deepEqual(restored.leastRecent(9), table.leastRecent(9))
      for (const id of table.leastRecent(9)) assert.deepEqual(restored.get(id), table.get(id))
      assert.deepEqual(restored.takeRows(), [])
    }),
  )
})
