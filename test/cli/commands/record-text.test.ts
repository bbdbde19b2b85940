import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { recordText } from '../../../src/cli/commands/record-text.ts'

describe('recordText', () => {
  test('shows place, key and value', () => {
    assert.equal(
      recordText('{"topic":"t","partition":2,"offset":17,"key":"k","text":"hello"}'),
      '2@17 k hello',
    )
    assert.equal(recordText('{"topic":"t","partition":0,"offset":0,"base64":"AAE="}'), '0@0 base64:AAE=')
    assert.equal(recordText('{"topic":"t","partition":0,"offset":1,"key":"k"}'), '0@1 k (tombstone)')
  })

  test('shows a JSON value as it was produced, long numbers included', () => {
    const value = '{"id": 12345678901234567890, "a": ["}", "\\",", 1.0]}'
    const line = `{"topic":"t","partition":0,"offset":1,"key":"\\"value\\":1","value":${value},"headers":{"a":"b"}}`
    assert.equal(recordText(line), `0@1 "value":1 ${value}`)
    assert.equal(recordText('{"partition":0,"offset":1,"value":1.50,"headers":{}}'), '0@1 1.50')
    assert.equal(recordText('{"partition":0,"offset":1,"value":"a,}"}'), '0@1 "a,}"')
  })
})
