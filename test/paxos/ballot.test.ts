import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBallots, formatBallot, NO_BALLOT, sameBallot } from '../../src/paxos/ballot.ts'
import { brokerId } from '../../src/types/ids.ts'

const ballots = fc.record({
  config: fc.integer({ min: 1, max: 3 }),
  round: fc.integer({ min: 1, max: 4 }),
  broker: fc.integer({ min: 1, max: 4 }).map(brokerId),
})

test('ballots are ordered totally', () => {
  fc.assert(
    fc.property(ballots, ballots, ballots, (a, b, c) => {
      assert.equal(Math.sign(compareBallots(a, b)), -Math.sign(compareBallots(b, a)) + 0)
      if (compareBallots(a, b) <= 0 && compareBallots(b, c) <= 0) assert.ok(compareBallots(a, c) <= 0)
    }),
  )
})

test('two ballots are the same exactly when neither is higher', () => {
  fc.assert(
    fc.property(ballots, ballots, (a, b) => assert.equal(sameBallot(a, b), compareBallots(a, b) === 0)),
  )
})

test('a later configuration wins over any round, a later round over any broker', () => {
  assert.ok(
    compareBallots(
      { config: 2, round: 1, broker: brokerId(1) },
      { config: 1, round: 9, broker: brokerId(9) },
    ) > 0,
  )
  assert.ok(
    compareBallots(
      { config: 1, round: 2, broker: brokerId(1) },
      { config: 1, round: 1, broker: brokerId(9) },
    ) > 0,
  )
})

test('no ballot is lower than every ballot, and is shown as 0', () => {
  fc.assert(fc.property(ballots, (ballot) => assert.ok(compareBallots(NO_BALLOT, ballot) < 0)))
  assert.equal(formatBallot(NO_BALLOT), '0')
  assert.equal(formatBallot({ config: 1, round: 2, broker: brokerId(3) }), '1.2.3')
})
