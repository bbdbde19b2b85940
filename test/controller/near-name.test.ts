import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { editDistance, nearestName } from '../../src/controller/near-name.ts'

test('a slip of the finger is found, another word is not', () => {
  const names = ['orders', 'payments', 'greetings', 'log']
  assert.equal(nearestName('order', names), 'orders')
  assert.equal(nearestName('oredrs', names), 'orders')
  assert.equal(nearestName('ORDERS', names), 'orders')
  assert.equal(nearestName('greetigns', names), 'greetings')
  assert.equal(nearestName('lag', names), 'log')
  assert.equal(nearestName('customers', names), undefined)
  assert.equal(nearestName('x', []), undefined)
})

test('the nearest of several is taken', () => {
  assert.equal(nearestName('order', ['borders', 'orders']), 'orders')
})

test('the distance is that of the plain definition, and cut off above its limit', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  const plain = (a: string, b: string): number => {
    if (a === '' || b === '') return a.length + b.length
    const swapped = a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)
    return Math.min(
      plain(a.slice(0, -1), b) + 1,
      plain(a, b.slice(0, -1)) + 1,
      plain(a.slice(0, -1), b.slice(0, -1)) + (a.at(-1) === b.at(-1) ? 0 : 1),
      swapped ? plain(a.slice(0, -2), b.slice(0, -2)) + 1 : Infinity,
    )
  }
  fc.assert(
    fc.property(word, word, fc.nat(6), (a, b, limit) => {
      assert.equal(editDistance(a, b, limit), Math.min(plain(a, b), limit + 1))
    }),
    { numRuns: 50 },
  )
})
