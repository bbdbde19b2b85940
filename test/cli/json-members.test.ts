import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { memberSources } from '../../src/cli/json-members.ts'

describe('memberSources', () => {
  test('gives each value as it stands', () => {
    const text =
      '{ "a" : 12345678901234567890 , "b": "x,}\\"\\\\" ,"c":{"value":[1, 2]},"d":null,"e\\u0041":[ ]}'
    assert.deepEqual(
      [...memberSources(text)],
      [
        ['a', '12345678901234567890'],
        ['b', '"x,}\\"\\\\"'],
        ['c', '{"value":[1, 2]}'],
        ['d', 'null'],
        ['eA', '[ ]'],
      ],
    )
    assert.equal(memberSources(' {} ').size, 0)
  })

  test('agrees with JSON.parse about any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.integer({ min: 0, max: 2 }),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent)
          const parsed = [...memberSources(text)].map(([name, source]) => [
            name,
            JSON.parse(source) as unknown,
          ])
          assert.deepEqual(Object.fromEntries(parsed), JSON.parse(text))
        },
      ),
    )
  })
})
