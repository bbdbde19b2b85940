import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Challenges } from '../../src/transport/challenges.ts'
import { CHALLENGE_TTL_MS, CHALLENGES_MAX } from '../../src/transport/limits.ts'

test('a challenge is good once, and only for its time', () => {
  const challenges = new Challenges()
  const [first, second] = [challenges.issue(0), challenges.issue(0)]
  assert.equal(challenges.redeem(first, 1), true)
  assert.equal(challenges.redeem(first, 1), false)
  assert.equal(challenges.redeem(second, CHALLENGE_TTL_MS + 1), false)
  assert.equal(challenges.redeem('never issued', 1), false)
})

test('at the bound the oldest challenge is void', () => {
  const challenges = new Challenges()
  const oldest = challenges.issue(0)
  const next = challenges.issue(0)
  for (let count = 2; count <= CHALLENGES_MAX; count++) challenges.issue(0)
  assert.equal(challenges.redeem(oldest, 1), false)
  assert.equal(challenges.redeem(next, 1), true)
})
