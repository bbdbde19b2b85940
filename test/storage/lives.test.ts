import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GROUP_ID_MAX, groupId } from '../../src/types/ids.ts'
import { FOR_GOOD, groupOf, Lives, LIVES_MAX } from '../../src/storage/lives.ts'

const GROUP = groupId(GROUP_ID_MAX)

test('each life of a group has a number of its own, the first one the group id', () => {
  const lives = new Lives()
  const numbers = new Set([lives.begin(GROUP)])
  assert.ok(numbers.has(GROUP))
  for (let life = 1; life <= LIVES_MAX; life++) {
    lives.end(lives.numberOf(GROUP), life)
    assert.equal(lives.minConfigurationOf(GROUP), life)
    numbers.add(lives.begin(GROUP))
    assert.equal(lives.minConfigurationOf(GROUP), 0)
  }
  assert.equal(numbers.size, LIVES_MAX + 1)
  for (const number of numbers) {
    assert.equal(groupOf(number), GROUP)
    assert.ok(number <= 0xffffffff)
  }
  lives.end(lives.numberOf(GROUP), 1)
  assert.throws(() => lives.begin(GROUP), /255 times/)
})

test('begins no life while one lasts, and none after an end for good', () => {
  const lives = new Lives()
  assert.equal(lives.begin(GROUP), lives.begin(GROUP))
  lives.end(GROUP, FOR_GOOD)
  assert.ok(lives.isOverForGood(GROUP))
  assert.throws(() => lives.begin(GROUP), /deleted/)
})

test('a start that finds several lives in any order knows the newest', () => {
  const before = new Lives()
  before.end(before.begin(GROUP), 2)
  const second = before.begin(GROUP)
  const lives = new Lives()
  lives.found(second)
  lives.found(GROUP)
  lives.end(GROUP, 2)
  assert.equal(lives.numberOf(GROUP), second)
  assert.equal(lives.isOver(GROUP), false)
})
