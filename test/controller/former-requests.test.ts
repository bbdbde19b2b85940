import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { FORMER_REQUESTS_MAX, FormerRequests } from '../../src/controller/former-requests.ts'

const T1 = topicId('t1')

function remembered(count: number): FormerRequests {
  const requests = new FormerRequests()
  for (let at = 1; at <= count; at++)
    requests.remember({ requestId: `r${at}`, topicId: T1, created: at % 2 === 1 })
  return requests
}

test('what a request came to is remembered once', () => {
  const requests = remembered(2)
  requests.remember({ requestId: 'r1', topicId: topicId('t2'), created: false })
  assert.deepEqual(requests.get('r1'), { number: 1, requestId: 'r1', topicId: T1, created: true })
  assert.equal(requests.get('r3'), undefined)
  assert.deepEqual(
    requests.takeChanged().map(([number, entry]) => [number, entry?.requestId]),
    [
      [1, 'r1'],
      [2, 'r2'],
    ],
  )
  assert.deepEqual(requests.takeChanged(), [])
})

test('beyond the bound the oldest are forgotten', () => {
  const requests = remembered(FORMER_REQUESTS_MAX)
  requests.takeChanged()
  requests.remember({ requestId: 'last', topicId: T1, created: true })
  assert.equal(requests.get('r1'), undefined)
  assert.ok(requests.get('r2'))
  const number = FORMER_REQUESTS_MAX + 1
  assert.deepEqual(requests.takeChanged(), [
    [number, { number, requestId: 'last', topicId: T1, created: true }],
    [1, undefined],
  ])
})

test('a restart goes on counting, and reads them in their order only', () => {
  const before = remembered(3)
  const requests = new FormerRequests()
  for (const [, entry] of before.takeChanged()) requests.restore(entry!)
  assert.deepEqual(requests.takeChanged(), [], 'What is read has not changed.')
  requests.remember({ requestId: 'next', topicId: T1, created: true })
  assert.equal(requests.get('next')?.number, 4)
  assert.throws(
    () => requests.restore({ number: 2, requestId: 'x', topicId: T1, created: true }),
    InvariantError,
  )
})
