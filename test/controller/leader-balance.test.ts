import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, type BrokerId } from '../../src/types/ids.ts'
import { balanceLeaders } from '../../src/controller/leader-balance.ts'

const [a, b, c] = [brokerId(1), brokerId(2), brokerId(3)]

function totals(leaders: readonly BrokerId[], present: ReadonlyMap<BrokerId, number>): Map<BrokerId, number> {
  const counts = new Map(present)
  for (const leader of leaders) counts.set(leader, (counts.get(leader) ?? 0) + 1)
  return counts
}

function sumOfSquares(counts: ReadonlyMap<BrokerId, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count * count, 0)
}

test('leaderships move along chains of partitions', () => {
  const present = new Map([[a, 2]])
  const leaders = balanceLeaders(
    [
      [a, b],
      [a, b],
      [b, c],
      [b, c],
    ],
    present,
  )
  assert.deepEqual(
    totals(leaders, present),
    new Map([
      [a, 2],
      [b, 2],
      [c, 2],
    ]),
  )
})

test('a partition with one replica has no choice', () => {
  assert.deepEqual(balanceLeaders([[a], [a]], new Map()), [a, a])
  assert.deepEqual(balanceLeaders([], new Map()), [])
})

test('no choice of leaders is more even', () => {
  const set = fc.uniqueArray(fc.integer({ min: 1, max: 4 }).map(brokerId), { minLength: 1, maxLength: 3 })
  const loads = fc.array(fc.nat(4), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(set, { maxLength: 5 }), loads, (sets, load) => {
      const present = new Map(load.map((count, index) => [brokerId(index + 1), count]))
      const leaders = balanceLeaders(sets, present)
      assert.ok(sets.every((each, index) => each.includes(leaders[index]!)))
      const every = sets.reduce<BrokerId[][]>(
        (all, each) => all.flatMap((chosen) => each.map((id) => [...chosen, id])),
        [[]],
      )
      const least = Math.min(...every.map((choice) => sumOfSquares(totals(choice, present))))
      assert.equal(sumOfSquares(totals(leaders, present)), least)
    }),
    { numRuns: 200 },
  )
})
