import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalWatch } from '../../src/transport/refusal-watch.ts'

test('two refusals in a row tell that the process is gone, once', () => {
  const watch = new RefusalWatch()
  watch.heard(0)
  assert.deepEqual([watch.refused(10), watch.refused(60), watch.refused(160)], [false, true, false])
})

test('anything heard since the first refusal voids it', () => {
  const watch = new RefusalWatch()
  watch.refused(10)
  watch.heard(30)
  assert.deepEqual([watch.refused(60), watch.refused(110)], [false, true])
})

test('an attempt that ended in another way breaks the row', () => {
  const watch = new RefusalWatch()
  watch.refused(10)
  watch.interrupted()
  assert.deepEqual([watch.refused(60), watch.refused(110)], [false, true])
})

test('a peer that was heard again can be told gone again', () => {
  const watch = new RefusalWatch()
  watch.refused(10)
  assert.equal(watch.refused(60), true)
  watch.heard(100)
  assert.deepEqual([watch.refused(200), watch.refused(250)], [false, true])
})
