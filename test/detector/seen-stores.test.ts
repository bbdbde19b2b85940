import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONDEMNED, SeenStores, STORES_MAX, TOLD_MAX } from '../../src/detector/seen-stores.ts'
import { storeId, type StoreId } from '../../src/types/ids.ts'

function store(number: number): StoreId {
  return storeId(number.toString(16).padStart(32, '0'))
}

const [A, B] = [store(1), store(2)]

test('a start is held against the highest number of all other starts, however they come in', () => {
  const seen = new SeenStores()
  assert.equal(seen.highest(A, 'third'), 0)
  for (const [bootId, walSeq] of [
    ['third', 90],
    ['first', 50],
    ['second', 70],
    ['second', 60],
    ['third', 95],
  ] as const)
    seen.note({ storeId: A, bootId, walSeq })
  assert.equal(seen.highest(A, 'third'), 70)
  assert.equal(seen.highest(A, 'second'), 95)
  assert.equal(seen.highest(A, 'fourth'), 95)
  assert.equal(seen.highest(B, 'third'), 0)
})

test('a store that was found to have forgotten is never trusted again, however far it comes', () => {
  const seen = new SeenStores()
  seen.note({ storeId: A, bootId: 'first', walSeq: 5 })
  seen.takeNews()
  seen.condemn(A)
  assert.ok(seen.hasUrgentNews)
  assert.deepEqual(seen.takeNews(), [{ storeId: A, bootId: '', walSeq: CONDEMNED }])
  seen.note({ storeId: A, bootId: 'second', walSeq: 1_000 })
  assert.equal(seen.highest(A, 'second'), CONDEMNED)
  assert.equal(seen.highest(A, 'third'), CONDEMNED)
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
  assert.equal(seen.highest(A, ''), 0)
  assert.equal(seen.highest(B, ''), 2)
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
