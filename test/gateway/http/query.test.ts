import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { choice, duration, parseQuery, wholeNumber } from '../../../src/gateway/http/query.ts'

test('any value comes through as it was encoded', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      (value) => {
        assert.equal(parseQuery(`key=${encodeURIComponent(value)}`, ['key']).get('key'), value)
        assert.equal(parseQuery(new URLSearchParams({ key: value }).toString(), ['key']).get('key'), value)
      },
    ),
  )
})

test('what is not known, given twice or badly encoded is refused', () => {
  assert.throws(() => parseQuery('Key=1', ['key']), {
    code: 'unknown-parameter',
    hint: "Did you mean 'key'?",
  })
  assert.throws(() => parseQuery('other=1', ['key', 'acks']), {
    code: 'unknown-parameter',
    hint: 'Known here: key, acks.',
  })
  assert.throws(() => parseQuery('x=1', []), { code: 'unknown-parameter' })
  assert.throws(() => parseQuery('__proto__=1', ['key']), { code: 'unknown-parameter' })
  assert.throws(() => parseQuery('key=1&key=1', ['key']), { code: 'invalid-parameter' })
  assert.throws(() => parseQuery('key=%ff', ['key']), { code: 'invalid-parameter' })
  assert.deepEqual([...parseQuery('&key&', ['key'])], [['key', '']])
})

test('numbers, times and words are read within their bounds', () => {
  const query = parseQuery('n=7&big=99999999999999999&s=20&ms=500ms&w=all', ['n', 'big', 's', 'ms', 'w'])
  assert.equal(wholeNumber(query, 'n', { min: 0, max: 7 }), 7)
  assert.throws(() => wholeNumber(query, 'n', { min: 0, max: 6 }), { code: 'invalid-parameter' })
  assert.throws(() => wholeNumber(query, 'big', { min: 0, max: Number.MAX_SAFE_INTEGER }), {
    code: 'invalid-parameter',
  })
  assert.equal(wholeNumber(query, 'none', { min: 0, max: 6 }), undefined)
  assert.deepEqual(
    [duration(query, 's', 60_000), duration(query, 'ms', 60_000), duration(query, 'none', 1)],
    [20_000, 500, undefined],
  )
  assert.throws(() => duration(query, 's', 19_999), { code: 'invalid-parameter' })
  assert.equal(choice(query, 'w', ['majority', 'all']), 'all')
  assert.throws(() => choice(query, 'w', ['majority']), { code: 'invalid-parameter' })
})
