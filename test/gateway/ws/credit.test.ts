import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CREDIT_MAX, granted, NO_CREDIT, recordsAllowed, spent } from '../../../src/gateway/ws/credit.ts'

const sizes = fc.array(fc.nat(20), { maxLength: 40 })
const events = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('grant' as const), records: fc.nat(5), bytes: fc.nat(30) }),
    fc.record({ kind: fc.constant('flush' as const) }),
  ),
  { maxLength: 60 },
)

test('No state that can be reached has records waiting, credit, an idle socket and nothing to send', () => {
  fc.assert(
    fc.property(sizes, events, (waiting, steps) => {
      let credit = NO_CREDIT
      let next = 0
      let isIdle = true
      for (const step of steps) {
        if (step.kind === 'grant') credit = granted(credit, step)
        else isIdle = true
        const before = credit
        const count = recordsAllowed(credit, waiting.slice(next), isIdle)
        const sent = waiting.slice(next, next + count)
        const sentBytes = sent.reduce((sum, size) => sum + size, 0)
        assert.ok(count <= before.records)
        assert.ok(count === 0 || sentBytes <= before.bytes || (count === 1 && isIdle))
        if (before.records > 0 && before.bytes > 0 && isIdle && next < waiting.length) assert.ok(count > 0)
        credit = spent(credit, sent)
        next += count
        if (count > 0) isIdle = false
      }
    }),
  )
})

test('Bytes that a large record took beyond the credit are paid by the next grants', () => {
  const credit = spent(granted(NO_CREDIT, { records: 3, bytes: 10 }), [25])
  assert.deepEqual(credit, { records: 2, bytes: -15 })
  assert.equal(recordsAllowed(granted(credit, { records: 0, bytes: 15 }), [1], true), 0)
  assert.equal(recordsAllowed(granted(credit, { records: 0, bytes: 16 }), [1], true), 1)
})

test('A record larger than the credit waits while another is under way', () => {
  const credit = granted(NO_CREDIT, { records: 2, bytes: 10 })
  assert.equal(recordsAllowed(credit, [11], false), 0)
  assert.equal(recordsAllowed(credit, [11, 1], true), 1)
})

test('Grants without end stay at the greatest credit', () => {
  const most = granted(NO_CREDIT, { records: CREDIT_MAX, bytes: CREDIT_MAX })
  assert.deepEqual(granted(most, { records: 1, bytes: 1 }), most)
})
