import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { SynodError } from '../../../src/errors.ts'
import { BATCH_RECORDS_MAX, parseBatch } from '../../../src/gateway/http/batch-body.ts'

function parse(text: string) {
  return parseBatch(Buffer.from(text))
}

function refusal(text: string): { code: string; pointer: string | undefined } {
  try {
    parse(text)
  } catch (error) {
    assert.ok(error instanceof SynodError)
    assert.ok((error.hint ?? '').length > 0, `${error.message} has a hint.`)
    const errors = error.facts['errors'] as { pointer: string }[] | undefined
    return { code: error.code, pointer: errors?.[0]?.pointer }
  }
  assert.fail(`${text} is refused.`)
}

test('a JSON value is kept byte for byte: big numbers, order, spacing and repeated names', () => {
  const values = [
    '12345678901234567890',
    '1.0',
    '-0',
    '1e400',
    '{ "b" : 1,\n "a":2, "b":3 }',
    '"\\u00e9"',
    'null',
    '[ ]',
    '"\\/"',
  ]
  const placed = parse(
    `{"records":[${values.map((value) => ` { "key":"k", "value" :  ${value} } `).join(',')}]}`,
  )
  assert.deepEqual(
    placed.map(({ draft }) => Buffer.from(draft.value).toString()),
    values,
  )
  assert.ok(placed.every(({ draft }) => draft.form === 'json' && draft.key === 'k'))
})

test('of a value given twice the last one counts, as everywhere in JSON', () => {
  const [placed] = parse('{"records":[{"value":1,"v\\u0061lue": 2 }]}')
  assert.equal(Buffer.from(placed?.draft.value ?? []).toString(), '2')
})

test('text, base64 and nothing are text, bytes and a tombstone', () => {
  const placed = parse('{"records":[{"text":"h\\u00e9"},{"base64":"/wA="},{"key":"gone"},{"text":""}]}')
  assert.deepEqual(
    placed.map(({ draft }) => draft.form),
    ['text', 'bytes', 'tombstone', 'text'],
  )
  assert.deepEqual(
    placed.map(({ draft }) => Buffer.from(draft.value).toString('hex')),
    ['68c3a9', 'ff00', '', ''],
  )
})

test('any base64 of any bytes comes back as those bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const [placed] = parse(JSON.stringify({ records: [{ base64: Buffer.from(bytes).toString('base64') }] }))
      assert.deepEqual(Buffer.from(placed?.draft.value ?? []), Buffer.from(bytes))
    }),
  )
})

test('any JSON value comes back as its own source', () => {
  fc.assert(
    fc.property(fc.array(fc.json({ maxDepth: 5 }), { minLength: 1, maxLength: 5 }), (values) => {
      const placed = parse(`{"records":[${values.map((value) => `{"value":${value}}`).join(',')}]}`)
      assert.deepEqual(
        placed.map(({ draft }) => Buffer.from(draft.value).toString('utf8')),
        values,
      )
    }),
  )
})

test('partition, headers and time are read', () => {
  const [placed] = parse(
    '{"records":[{"partition":3,"headers":{"Trace":"a","b":""},"timestamp":"2026-01-31T12:00:00Z"}]}',
  )
  assert.equal(placed?.partition, 3)
  assert.deepEqual(placed.draft.headers, [
    ['trace', 'a'],
    ['b', ''],
  ])
  assert.equal(placed.draft.timestampMs, Date.UTC(2026, 0, 31, 12))
})

test('what does not fit is refused with a pointer to its place', () => {
  const one = (record: string) => `{"records":[{"text":"ok"},${record}]}`
  const cases: [body: string, code: string, pointer: string | undefined][] = [
    ['[]', 'invalid-field', ''],
    ['{}', 'invalid-field', '/records'],
    ['{"records":{}}', 'invalid-field', '/records'],
    ['{"records":[]}', 'invalid-field', '/records'],
    ['{"record":[]}', 'unknown-field', '/record'],
    [one('1'), 'invalid-field', '/records/1'],
    [one('[]'), 'invalid-field', '/records/1'],
    [one('{"vlaue":1}'), 'unknown-field', '/records/1/vlaue'],
    [one('{"__proto__":{"key":"x"}}'), 'unknown-field', '/records/1/__proto__'],
    [one('{"constructor":1}'), 'unknown-field', '/records/1/constructor'],
    [one('{"value":1,"text":"x"}'), 'invalid-field', '/records/1'],
    [one('{"text":1}'), 'invalid-field', '/records/1/text'],
    [one('{"text":null}'), 'invalid-field', '/records/1/text'],
    [one('{"text":"\\ud800"}'), 'invalid-field', '/records/1/text'],
    [one('{"base64":"/w"}'), 'invalid-field', '/records/1/base64'],
    [one('{"base64":"_w=="}'), 'invalid-field', '/records/1/base64'],
    [one('{"key":7}'), 'invalid-field', '/records/1/key'],
    [one('{"key":"\\ud800"}'), 'invalid-field', '/records/1/key'],
    [one('{"partition":-1}'), 'invalid-field', '/records/1/partition'],
    [one('{"partition":"0"}'), 'invalid-field', '/records/1/partition'],
    [one('{"headers":{"a":1}}'), 'invalid-field', '/records/1/headers'],
    [one('{"headers":{"a b":"1"}}'), 'invalid-field', '/records/1/headers'],
    [one('{"headers":{"a":"line\\nbreak"}}'), 'invalid-field', '/records/1/headers'],
    [one('{"headers":[]}'), 'invalid-field', '/records/1/headers'],
    [one('{"timestamp":"yesterday"}'), 'invalid-field', '/records/1/timestamp'],
    [one('{"timestamp":1}'), 'invalid-field', '/records/1/timestamp'],
    ['{"records":[', 'malformed-json', undefined],
  ]
  for (const [body, code, pointer] of cases) assert.deepEqual(refusal(body), { code, pointer }, body)
})

test('a thousand records are the most', () => {
  const of = (count: number) =>
    `{"records":[${Array.from({ length: count }, () => '{"value":1}').join(',')}]}`
  assert.equal(parse(of(BATCH_RECORDS_MAX)).length, BATCH_RECORDS_MAX)
  assert.equal(refusal(of(BATCH_RECORDS_MAX + 1)).code, 'batch-too-large')
})
