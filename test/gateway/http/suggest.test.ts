import assert from 'node:assert/strict'
import { test } from 'node:test'

import { meantOrAll, nearestWord } from '../../../src/gateway/http/suggest.ts'

test('a near word is found, the nearest of several, and none that is far', () => {
  assert.equal(nearestWord('partitons', ['partitions', 'replicationFactor']), 'partitions')
  assert.equal(nearestWord('KEY', ['key']), 'key')
  assert.equal(nearestWord('texts', ['test', 'text']), 'text')
  assert.equal(nearestWord('colour', ['key', 'acks']), undefined)
  assert.equal(nearestWord('ab', ['xy']), undefined)
})

test('without a near word the answer is the list', () => {
  assert.equal(meantOrAll('akcs', ['key', 'acks']), "Did you mean 'acks'?")
  assert.equal(meantOrAll('colour', ['key', 'acks']), 'Known here: key, acks.')
  assert.ok(meantOrAll('x', []).length > 0)
})
