import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ByteBudget } from '../../../src/gateway/http/byte-budget.ts'

test('bytes are taken up to the bound and given back', () => {
  const budget = new ByteBudget(10)
  assert.ok(budget.take(10))
  assert.ok(!budget.take(1))
  assert.ok(budget.take(0))
  budget.give(4)
  assert.ok(!budget.take(5))
  assert.ok(budget.take(4))
  assert.equal(budget.takenBytes, 10)
})

test('giving back more than was taken is a fault of the program', () => {
  assert.throws(() => new ByteBudget(10).give(1), { name: 'InvariantError' })
})
