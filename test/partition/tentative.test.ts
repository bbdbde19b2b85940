import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { slot } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { decodeExpireProducers, encodeExpireProducers } from '../../src/partition/expire-producers.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import {
  PENDING_ENTRIES_MAX,
  type Offer,
  type PendingEntry,
  type TentativeTable,
} from '../../src/partition/tentative.ts'
import { MalformedBatchError } from '../../src/partition/wire.ts'
import { batch, dataAt, entryAt, key, noopAt, producer, type BatchMaking } from './entries.ts'
import { logArbitrary } from './log-arbitrary.ts'

/** Wide enough that nothing is forgotten by count, which only apply does. */
const WINDOW = { dedupWindowMs: 30, dedupWindowCount: 1_000 }

function open() {
  const machine = new RecordMachine(WINDOW)
  return { machine, table: machine.tentative() }
}

function offered(table: TentativeTable, making: BatchMaking): PendingEntry {
  const offer = table.offer(batch(making))
  assert.equal(offer.kind, 'append')
  return (offer as Extract<Offer, { kind: 'append' }>).pending
}

test('a retry of a batch that is not decided yet rests on the first copy, one of a decided batch on nothing', () => {
  const { machine, table } = open()
  const body = batch({ idempotency: producer('p', 0, 0) })
  const first = offered(table, { idempotency: producer('p', 0, 0) })
  const duplicate = { kind: 'duplicate', baseOffset: 0, recordCount: 1, appendedAtMs: 1_000 }
  assert.deepEqual(table.offer(body), { ...duplicate, restsOn: first })
  table.placed(first, slot(1))
  machine.apply(dataAt(1, body))
  assert.equal(table.settle(slot(1)), first)
  assert.deepEqual(table.offer(body), { ...duplicate, restsOn: undefined })
  const next = offered(table, { idempotency: producer('p', 0, 1) })
  assert.deepEqual(table.offer(body), { ...duplicate, restsOn: undefined })
  assert.deepEqual(table.offer(batch({ idempotency: producer('p', 0, 3) })), {
    kind: 'out-of-order',
    expectedSeq: 2,
    restsOn: next,
  })
})

test('a retried key rests on its first copy, another request under it is refused', () => {
  const { table } = open()
  const first = offered(table, { idempotency: key('k', 1) })
  const again = table.offer(batch({ idempotency: key('k', 1) }))
  assert.equal(again.kind, 'duplicate')
  assert.equal((again as { restsOn: unknown }).restsOn, first)
  assert.deepEqual(table.offer(batch({ idempotency: key('k', 2) })), { kind: 'key-reused', restsOn: first })
})

test('an expected offset counts what is pending, and says so', () => {
  const { table } = open()
  assert.deepEqual(table.offer(batch({ expectedOffset: 1 })), {
    kind: 'offset-mismatch',
    highWatermark: 0,
    restsOn: undefined,
  })
  offered(table, { expectedOffset: 0 })
  const last = offered(table, { values: ['a', 'b'], expectedOffset: 1 })
  assert.deepEqual(table.offer(batch({ expectedOffset: 1 })), {
    kind: 'offset-mismatch',
    highWatermark: 3,
    restsOn: last,
  })
})

test('what the core refused is forgotten, and what came after it is judged anew', () => {
  const { machine, table } = open()
  const first = offered(table, { idempotency: producer('p', 0, 0) })
  const second = offered(table, { idempotency: producer('p', 0, 1) })
  table.withdraw(first)
  table.placed(second, slot(1))
  assert.equal(table.nextOffset, 0)
  assert.equal(machine.apply(dataAt(1, batch({ idempotency: producer('p', 0, 1) }))).kind, 'out-of-order')
  assert.equal(table.settle(slot(1)), second)
  assert.equal(table.pendingCount, 0)
  offered(table, { idempotency: producer('p', 0, 0) })
})

test('a pending expiry counts: its producers begin anew and are no candidates', () => {
  const { machine, table } = open()
  for (const [index, id] of ['p', 'q', 'r'].entries()) {
    machine.apply(dataAt(index + 1, batch({ idempotency: producer(id, 4, 0) })))
    table.settle(slot(index + 1))
  }
  offered(table, { idempotency: producer('q', 4, 1) })
  assert.deepEqual(table.expireCandidates(2), ['p', 'r'])
  const expiry = table.offerExpire(['p'])
  assert.deepEqual(table.expireCandidates(2), ['r'])
  assert.deepEqual(table.offer(batch({ idempotency: producer('p', 4, 1) })), {
    kind: 'out-of-order',
    expectedSeq: 0,
    restsOn: expiry,
  })
})

test('times and offsets go on from what is pending', () => {
  const { table } = open()
  offered(table, { values: ['a', 'b'], atMs: 5_000 })
  assert.equal(table.lastAppendedAtMs, 5_000)
  assert.equal(table.nextOffset, 2)
})

test('a malformed body is not remembered', () => {
  const { table } = open()
  assert.throws(() => table.offer(Buffer.from('garbage')), MalformedBatchError)
  assert.equal(table.pendingCount, 0)
})

test('as many entries may be pending as the bound says', () => {
  const { table } = open()
  const body = batch()
  for (let index = 0; index < PENDING_ENTRIES_MAX; index++) assert.equal(table.offer(body).kind, 'append')
  assert.deepEqual(table.offer(body), { kind: 'overloaded' })
  assert.equal(table.offerExpire(['p']), undefined)
  assert.equal(table.pendingCount, PENDING_ENTRIES_MAX)
})

test('a pending entry is placed once and settled in the order of slots', () => {
  const { table } = open()
  const first = offered(table, {})
  table.placed(first, slot(4))
  assert.throws(() => table.placed(first, slot(5)), InvariantError)
  assert.throws(() => table.withdraw(first), InvariantError)
  assert.equal(table.settle(slot(3)), undefined)
  assert.throws(() => table.settle(slot(5)), InvariantError)
  assert.equal(table.settle(slot(4)), first)
})

/** An offer without what only a table with pending entries can tell. */
function said(result: Offer): unknown {
  if (result.kind === 'append') return 'append'
  const { restsOn: _, ...rest } = result as Exclude<Offer, { kind: 'append' | 'overloaded' }>
  return rest
}

/** Offers an entry of a log as a leader would; undefined when it is not to be proposed. */
function propose(table: TentativeTable, { kind, body }: Entry): PendingEntry | 'control' | undefined {
  try {
    if (kind === ENTRY_KIND.EXPIRE_PRODUCERS) return table.offerExpire(decodeExpireProducers(body))
    if (kind !== ENTRY_KIND.DATA) return 'control'
    const offer = table.offer(body)
    return offer.kind === 'append' ? offer.pending : undefined
  } catch (error) {
    assert.ok(error instanceof MalformedBatchError)
    return undefined
  }
}

test('apply appends every batch that the table let pass, however many entries are pending', () => {
  fc.assert(
    fc.property(logArbitrary, fc.array(fc.boolean()), (log, settles) => {
      const machine = new RecordMachine(WINDOW)
      const table = machine.tentative()
      const waiting: Entry[] = []
      let at = 0
      const settleOne = () => {
        const entry = waiting.shift()
        if (entry === undefined) return
        const result = machine.apply(entry)
        if (entry.kind === ENTRY_KIND.DATA) assert.equal(result.kind, 'appended')
        table.settle(entry.slot)
      }
      for (const [index, entry] of log.entries()) {
        if (settles[index]) settleOne()
        const pending = propose(table, entry)
        if (pending === undefined) continue
        at++
        if (pending !== 'control') table.placed(pending, slot(at))
        waiting.push({ ...entry, slot: slot(at) })
      }
      const { nextOffset } = table
      while (waiting.length > 0) settleOne()
      assert.equal(machine.nextOffset, nextOffset)
      assert.equal(table.nextOffset, nextOffset)
      assert.equal(table.pendingCount, 0)
    }),
    { numRuns: 500 },
  )
})

test('a table built at takeover from any log says what one would say that has applied it', () => {
  const probes = [
    producer('p', 0, 0),
    producer('p', 1, 3),
    producer('q', 2, 1),
    key('k', 0),
    key('l', 1),
  ].flatMap((by) => [
    batch({ values: ['v0'], atMs: 1_060, idempotency: by }),
    batch({ values: ['v0', 'v1'], atMs: 1_060, idempotency: by }),
  ])
  fc.assert(
    fc.property(logArbitrary, fc.nat(), (log, where) => {
      const cut = log.length === 0 ? 0 : where % log.length
      const machine = new RecordMachine(WINDOW)
      for (const entry of log.slice(0, cut)) machine.apply(entry)
      const ahead = new RecordMachine(WINDOW)
      for (const entry of log) ahead.apply(entry)
      const tails = () => machine.tentativeFrom(log.slice(cut))
      assert.equal(tails().nextOffset, ahead.nextOffset)
      assert.equal(tails().lastAppendedAtMs, ahead.lastAppendedAtMs)
      for (const probe of probes)
        assert.deepEqual(said(tails().offer(probe)), said(ahead.tentative().offer(probe)))
    }),
    { numRuns: 300 },
  )
})

test('entries that are applied already are not taken over', () => {
  const { machine } = open()
  machine.apply(noopAt(1))
  assert.throws(() => machine.tentativeFrom([noopAt(1)]), InvariantError)
  const body = encodeExpireProducers(['p'])
  assert.equal(machine.tentativeFrom([entryAt(2, ENTRY_KIND.EXPIRE_PRODUCERS, body)]).pendingCount, 1)
})
