import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import {
  elementSlices,
  JSON_DEPTH_MAX,
  memberSlices,
  parseJson,
} from '../../../src/gateway/http/json-slices.ts'

/** JSON text with blanks anywhere between its tokens. */
const spaced = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.array(fc.constantFrom(' ', '\n', '\t', '\r'), { maxLength: 3 }))
  .map(
    ([text, blanks]) =>
      `${blanks.join('')}${JSON.stringify(JSON.parse(text), null, blanks.length)}${blanks.join('')}`,
  )

test('the slices of an array are its elements’ sources, byte for byte', () => {
  fc.assert(
    fc.property(fc.array(spaced, { maxLength: 6 }), (elements) => {
      const source = Buffer.from(`[${elements.join(',')}]`)
      const slices = elementSlices(source).map((slice) => slice.toString('utf8'))
      assert.deepEqual(
        slices,
        elements.map((element) => element.replace(/^[ \n\t\r]+|[ \n\t\r]+$/g, '')),
      )
    }),
  )
})

test('the slices of an object are its members’ sources, and of a name given twice the last', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), spaced), { maxLength: 6 }), (members) => {
      const source = Buffer.from(
        `{${members.map(([name, text]) => `${JSON.stringify(name)} : ${text}`).join(' , ')}}`,
      )
      const parsed = new Map(Object.entries(parseJson(source) as object))
      const slices = memberSlices(source)
      assert.deepEqual(new Set(slices.keys()), new Set(parsed.keys()))
      for (const [name, slice] of slices)
        assert.deepEqual(JSON.parse(slice.toString('utf8')), parsed.get(name))
    }),
  )
})

test('escaped quotes, escaped names and brackets inside strings mislead nobody', () => {
  const source = Buffer.from('{"a\\"}":"]}\\\\","v\\u0061lue":[{"]":"\\\\\\""}],"n":-1.5e+10 }')
  const members = memberSlices(source)
  assert.equal(members.get('a"}')?.toString(), '"]}\\\\"')
  assert.equal(members.get('value')?.toString(), '[{"]":"\\\\\\""}]')
  assert.equal(members.get('n')?.toString(), '-1.5e+10')
})

test('text that is not JSON, not UTF-8 or too deep is malformed', () => {
  for (const text of ['', '{', '{"a":1}}', '[1,]', "{'a':1}", 'NaN', '\ufeff{}'])
    assert.throws(() => parseJson(Buffer.from(text)), { code: 'malformed-json' }, text)
  assert.throws(() => parseJson(Buffer.from([0x22, 0xff, 0x22])), { code: 'malformed-json' })
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  assert.ok(Array.isArray(parseJson(nested(JSON_DEPTH_MAX))))
  assert.throws(() => parseJson(nested(JSON_DEPTH_MAX + 1)), { code: 'malformed-json' })
})

test('four million brackets are refused without being parsed', () => {
  assert.throws(() => parseJson(Buffer.alloc(4 * 1024 * 1024, '[')), { code: 'malformed-json' })
})

test('any bytes are parsed or refused as malformed, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseJson(Buffer.from(bytes))
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'malformed-json')
      }
    }),
  )
})
