import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DeadlineHeap } from '../../src/partition/deadline-heap.ts'

test('what is due comes out once, earliest first, and the rest stays', () => {
  const heap = new DeadlineHeap<string>()
  for (const [item, atMs] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
  ] as const)
    heap.set(item, atMs)
  assert.equal(heap.firstMs, 10)
  assert.deepEqual(heap.takeDue(20), ['a', 'b'])
  assert.deepEqual(heap.takeDue(20), [])
  assert.equal(heap.firstMs, 30)
  assert.equal(heap.size, 1)
})

test('a deadline that is set again or deleted is forgotten', () => {
  const heap = new DeadlineHeap<string>()
  heap.set('a', 10)
  heap.set('a', 50)
  heap.set('b', 20)
  heap.delete('b')
  assert.equal(heap.get('a'), 50)
  assert.equal(heap.get('b'), undefined)
  assert.deepEqual(heap.takeDue(49), [])
  heap.set('a', 10)
  heap.set('a', 50)
  assert.deepEqual(heap.takeDue(100), ['a'])
  assert.equal(heap.firstMs, undefined)
})

test('it does what a plain map would, however deadlines are moved about', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), item: fc.nat(8), atMs: fc.nat(100) }),
    fc.record({ kind: fc.constant('delete' as const), item: fc.nat(8), atMs: fc.constant(0) }),
    fc.record({ kind: fc.constant('take' as const), item: fc.constant(0), atMs: fc.nat(100) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const heap = new DeadlineHeap<number>()
      const model = new Map<number, number>()
      for (const { kind, item, atMs } of steps) {
        if (kind === 'set') {
          heap.set(item, atMs)
          model.set(item, atMs)
        } else if (kind === 'delete') {
          heap.delete(item)
          model.delete(item)
        } else {
          const due = [...model].filter(([, dueMs]) => dueMs <= atMs).map(([due]) => due)
          const taken = heap.takeDue(atMs)
          const times = taken.map((each) => model.get(each)!)
          assert.deepEqual(
            times,
            times.toSorted((a, b) => a - b),
          )
          assert.deepEqual(taken.toSorted(), due.toSorted())
          for (const each of due) model.delete(each)
        }
        assert.equal(heap.size, model.size)
        assert.equal(heap.firstMs, model.size === 0 ? undefined : Math.min(...model.values()))
      }
    }),
    { numRuns: 60 },
  )
})
