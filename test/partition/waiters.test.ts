import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { Waiters, WAITERS_MAX } from '../../src/partition/waiters.ts'

test('a reader is woken once, when the high watermark has passed its offset', () => {
  const waiters = new Waiters()
  const woken: number[] = []
  for (const offset of [3, 5, 3]) waiters.add(offset, () => woken.push(offset))
  waiters.advanced(3)
  assert.deepEqual(woken, [])
  waiters.advanced(4)
  assert.deepEqual(woken, [3, 3])
  waiters.advanced(9)
  waiters.advanced(10)
  assert.deepEqual(woken, [3, 3, 5])
  assert.equal(waiters.count, 0)
})

test('a reader that stopped waiting is not woken, and one that waits again while it is woken waits for the next time', () => {
  const waiters = new Waiters()
  const woken: string[] = []
  const stop = waiters.add(0, () => woken.push('stopped'))
  waiters.add(0, () => {
    woken.push('first')
    waiters.add(1, () => woken.push('again'))
  })
  stop()
  stop()
  waiters.advanced(1)
  assert.deepEqual(woken, ['first'])
  waiters.wakeAll()
  assert.deepEqual(woken, ['first', 'again'])
})

test(`more than ${WAITERS_MAX} readers are refused`, () => {
  const waiters = new Waiters()
  for (let count = 0; count < WAITERS_MAX; count++) waiters.add(count, () => {})
  assert.throws(
    () => waiters.add(0, () => {}),
    (error) => error instanceof SynodError && error.code === 'overloaded',
  )
  waiters.advanced(1)
  waiters.add(0, () => {})
  assert.equal(waiters.count, WAITERS_MAX)
})
