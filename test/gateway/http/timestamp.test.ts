import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { parseTimestamp } from '../../../src/gateway/http/timestamp.ts'

test('any time since 1970 comes back from its text', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
      (date) => {
        assert.equal(parseTimestamp(date.toISOString()), date.getTime())
      },
    ),
  )
})

test('zones and fractions are understood', () => {
  assert.equal(parseTimestamp('2026-01-31T12:00:00.123456789+02:00'), Date.UTC(2026, 0, 31, 10, 0, 0, 123))
  assert.equal(parseTimestamp('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29))
})

test('what is no RFC 3339 time of a real day is refused', () => {
  for (const text of [
    '',
    '2026-01-31',
    '2026-01-31 12:00:00Z',
    '2026-01-31T12:00:00',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-31T25:00:00Z',
    '1969-12-31T23:59:59Z',
    '1769860800000',
  ])
    assert.equal(parseTimestamp(text), undefined, text)
})
