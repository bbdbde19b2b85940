import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerId } from '../../src/types/ids.ts'
import {
  beginChange,
  callOff,
  carriersOf,
  holdersOf,
  recordConfiguration,
  sameBrokers,
  switchOver,
} from '../../src/controller/placement-change.ts'
import { placedOn } from './command-arbitrary.ts'

const ids = (...numbers: number[]) => numbers.map(brokerId)
const PLACED = placedOn(0, 7, 1, 2, 3)

test('the new replicas learn first, and the old ones go when the new configuration is recorded', () => {
  const learning = beginChange(PLACED, 'op1', ids(4, 2, 3))
  assert.deepEqual(learning.replicas, [1, 2, 3])
  assert.deepEqual(learning.learners, [4])
  assert.deepEqual(carriersOf(learning), [1, 2, 3, 4])
  const switching = switchOver(learning)
  assert.deepEqual(holdersOf(switching), [1, 2, 3, 4])
  const recorded = recordConfiguration(switching, 2, ids(2, 3, 4))
  assert.deepEqual(recorded, { ...placedOn(0, 7, 4, 2, 3), configuration: 2 })
})

test('another order of the same brokers needs no new configuration', () => {
  assert.deepEqual(beginChange(PLACED, 'op1', ids(3, 1, 2)), placedOn(0, 7, 3, 1, 2))
})

test('a change that learns is called off without a trace', () => {
  assert.deepEqual(callOff(beginChange(PLACED, 'op1', ids(4, 5, 6))), PLACED)
  assert.equal(callOff(PLACED), undefined)
})

test('a change that switches turns round, and nobody loses a copy before another configuration is recorded', () => {
  const switching = switchOver(beginChange(PLACED, 'op1', ids(4, 5, 3)))
  const turned = callOff(switching)!
  assert.deepEqual(turned.change, { operation: 'op1', target: ids(1, 2, 3), phase: 'switching' })
  assert.deepEqual(holdersOf(turned), [1, 2, 3, 4, 5])
  assert.equal(callOff(turned), undefined)
  // The order to change had been carried out already when it was called off.
  const there = recordConfiguration(turned, 2, ids(3, 4, 5))
  assert.deepEqual([there.replicas, there.learners], [ids(3, 4, 5), ids(1, 2)])
  assert.deepEqual(recordConfiguration(there, 3, ids(1, 2, 3)), { ...PLACED, configuration: 3 })
  // Or it had not, and the group got a configuration of the same replicas to make sure of that.
  assert.deepEqual(recordConfiguration(turned, 2, ids(1, 2, 3)), { ...PLACED, configuration: 2 })
})

test('a configuration that nobody asked for is recorded as it is', () => {
  const recorded = recordConfiguration(PLACED, 4, ids(1, 2))
  assert.deepEqual(recorded, { ...placedOn(0, 7, 1, 2), configuration: 4 })
})

test('brokers are compared without their order', () => {
  assert.ok(sameBrokers(ids(1, 2), ids(2, 1)))
  assert.ok(!sameBrokers(ids(1, 2), ids(2, 3)))
  assert.ok(!sameBrokers(ids(1), ids(1, 2)))
})
