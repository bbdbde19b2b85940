import assert from 'node:assert/strict'
import { test } from 'node:test'
import { majority } from '../../src/paxos/quorum.ts'

/** Every subset of 1..voters with `size` members, as bit sets. */
function subsets(voters: number, size: number): number[] {
  const all = Array.from({ length: 2 ** voters }, (_, set) => set)
  return all.filter((set) => set.toString(2).replaceAll('0', '').length === size)
}

for (let voters = 1; voters <= 7; voters++) {
  test(`any two quorums of ${voters} share a voter`, () => {
    const quorums = subsets(voters, majority(voters))
    for (const a of quorums) for (const b of quorums) assert.notEqual(a & b, 0)
  })
}

test('half of an even number of voters is no quorum', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(majority), [1, 2, 2, 3, 3, 4, 4])
})

test('a configuration without voters has no quorum', () => {
  assert.throws(() => majority(0), /at least one voter/)
})
