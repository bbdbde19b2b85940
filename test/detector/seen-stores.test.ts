import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONDEMNED, SeenStores, SIGHTINGS_MAX, STORES_MAX, TOLD_MAX } from '../../src/detector/seen-stores.ts'
import { storeId, type StoreId } from '../../src/types/ids.ts'

function store(number: number): StoreId {
  return storeId(number.toString(16).padStart(32, '0'))
}

const [A, B] = [store(1), store(2)]

test('what was seen in a start and a later one did not find is lost, the highest of which is told', () => {
  const seen = new SeenStores()
  const starts = [
    { bootId: 'first', recovered: 10 },
    { bootId: 'second', recovered: 50 },
    { bootId: 'third', recovered: 80 },
  ]
  assert.equal(seen.lost(A, starts), 0)
  seen.note({ storeId: A, bootId: 'third', walSeq: 1_000 })
  seen.note({ storeId: A, bootId: 'first', walSeq: 50 })
  seen.note({ storeId: A, bootId: 'second', walSeq: 80 })
  assert.equal(seen.lost(A, starts), 0, 'What was seen is there.')
  seen.note({ storeId: A, bootId: 'first', walSeq: 51 })
  assert.equal(seen.lost(A, starts), 51)
  seen.note({ storeId: A, bootId: 'second', walSeq: 90 })
  seen.note({ storeId: A, bootId: 'second', walSeq: 70 })
  assert.equal(seen.lost(A, starts), 90)
  assert.equal(seen.lost(B, starts), 0)
  seen.note({ storeId: B, bootId: 'first', walSeq: 40 })
  assert.equal(seen.lost(B, starts), 0)
  assert.equal(
    seen.lost(B, [...starts, { bootId: 'fourth', recovered: 39 }]),
    40,
    'Lost after the next start.',
  )
})

test('a start that the store does not tell of is held against all that it does', () => {
  const seen = new SeenStores()
  const starts = [
    { bootId: 'first', recovered: 10 },
    { bootId: 'second', recovered: 50 },
  ]
  seen.note({ storeId: A, bootId: 'older', walSeq: 10 })
  assert.equal(seen.lost(A, starts), 0)
  seen.note({ storeId: A, bootId: 'unknown', walSeq: 11 })
  assert.equal(seen.lost(A, starts), 11)
})

test(`of one store ${SIGHTINGS_MAX} starts are kept, those that came furthest`, () => {
  const seen = new SeenStores()
  for (let number = 1; number <= SIGHTINGS_MAX + 1; number++)
    seen.note({ storeId: A, bootId: `${number}`, walSeq: number })
  seen.note({ storeId: A, bootId: 'none', walSeq: 1 })
  assert.deepEqual(
    seen.takeNews()?.map(({ walSeq }) => walSeq),
    Array.from({ length: SIGHTINGS_MAX }, (_, place) => SIGHTINGS_MAX + 1 - place),
  )
})

test('a store that was found to have forgotten is never trusted again, however far it comes', () => {
  const seen = new SeenStores()
  seen.note({ storeId: A, bootId: 'first', walSeq: 5 })
  seen.takeNews()
  seen.condemn(A)
  assert.ok(seen.hasUrgentNews)
  assert.deepEqual(seen.takeNews(), [{ storeId: A, bootId: '', walSeq: CONDEMNED }])
  seen.note({ storeId: A, bootId: 'second', walSeq: 1_000 })
  assert.equal(seen.lost(A, [{ bootId: 'second', recovered: 1_000 }]), CONDEMNED)
  seen.takeNews()
  seen.condemn(A)
  assert.equal(seen.hasUrgentNews, false, 'That is no news.')
})

test('what did not change is not written down again', () => {
  const seen = new SeenStores()
  assert.equal(seen.takeNews(), undefined)
  seen.note({ storeId: A, bootId: 'first', walSeq: 5 })
  assert.equal(seen.takeNews()?.length, 1)
  seen.note({ storeId: A, bootId: 'first', walSeq: 5 })
  assert.equal(seen.takeNews(), undefined)
})

test(`beyond ${STORES_MAX} stores the one first heard of is forgotten`, () => {
  const seen = new SeenStores()
  for (let number = 1; number <= STORES_MAX + 1; number++)
    seen.note({ storeId: store(number), bootId: 'first', walSeq: number })
  const nothing = [{ bootId: 'next', recovered: 0 }]
  assert.equal(seen.lost(A, nothing), 0)
  assert.equal(seen.lost(B, nothing), 2)
  assert.equal(seen.takeNews()?.length, STORES_MAX)
})

test('a heartbeat tells a part of what is known, the next ones the rest, and never of the own store', () => {
  const seen = new SeenStores()
  for (let number = 1; number <= 2 * TOLD_MAX + 1; number++)
    seen.note({ storeId: store(number), bootId: 'first', walSeq: number })
  const told = new Set<StoreId>()
  for (let turn = 0; turn < 2; turn++) {
    const some = seen.some(A)
    assert.equal(some.length, TOLD_MAX)
    for (const each of some) told.add(each.storeId)
  }
  assert.equal(told.size, 2 * TOLD_MAX)
  assert.ok(!told.has(A))
})
