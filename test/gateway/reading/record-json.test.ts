import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batchLines, recordJson } from '../../../src/gateway/reading/record-json.ts'
import { countedBatch, storedRecord } from './batches.ts'

const TIME = '2023-11-14T22:13:20.000Z'
const at = { timestampMs: Date.parse(TIME) }

test('shows a text record with its place and leaves out what it does not have', () => {
  assert.equal(
    recordJson('greetings', 2, storedRecord(7, { ...at, value: 'hé"llo\n' })),
    `{"topic":"greetings","partition":2,"offset":7,"timestamp":"${TIME}","text":"hé\\"llo\\n"}`,
  )
})

test('shows key, content type and headers in the documented order', () => {
  const record = storedRecord(0, {
    ...at,
    form: 'json',
    value: '{"a":1}',
    key: 'k "1"',
    contentType: 'application/json',
    headers: [
      ['trace-id', 'abc'],
      ['__proto__', 'x'],
    ],
  })
  assert.equal(
    recordJson('t', 0, record),
    `{"topic":"t","partition":0,"offset":0,"timestamp":"${TIME}","key":"k \\"1\\"","value":{"a":1},` +
      '"contentType":"application/json","headers":{"trace-id":"abc","__proto__":"x"}}',
  )
})

test('keeps the source of a JSON value byte for byte', () => {
  for (const value of [
    '1.0',
    '12345678901234567890',
    '{"b":1, "a":2,"a":3}',
    '"\\u0041"',
    ' [ ] ',
    'null',
    '1e2',
  ]) {
    const line = recordJson('t', 0, storedRecord(0, { form: 'json', value }))
    assert.ok(line.endsWith(`,"value":${value}}`), line)
  }
})

test('shows line breaks between tokens as spaces, so that a record stays one line', () => {
  const value = '{\r\n  "a": [1,\n2],\r"b":"x\\ny"\n}\n'
  const line = recordJson('t', 0, storedRecord(0, { form: 'json', value }))
  assert.ok(!/[\r\n]/.test(line))
  assert.deepEqual((JSON.parse(line) as { value: unknown }).value, { a: [1, 2], b: 'x\ny' })
})

test('shows bytes as base64 and a tombstone without any value', () => {
  const bytes = JSON.parse(
    recordJson('t', 0, storedRecord(0, { form: 'bytes', value: Uint8Array.of(0, 255, 128) })),
  ) as object
  assert.deepEqual(Object.keys(bytes), ['topic', 'partition', 'offset', 'timestamp', 'base64'])
  assert.equal((bytes as { base64: string }).base64, 'AP+A')
  const tombstone = JSON.parse(
    recordJson('t', 0, storedRecord(0, { form: 'tombstone', value: '', key: 'k' })),
  ) as object
  assert.deepEqual(Object.keys(tombstone), ['topic', 'partition', 'offset', 'timestamp', 'key'])
})

test('joins headers of one name, and shows a timestamp that no calendar has', () => {
  const record = storedRecord(0, {
    timestampMs: Number.MAX_SAFE_INTEGER,
    headers: [
      ['a', '1'],
      ['a', '2'],
    ],
  })
  const shown = JSON.parse(recordJson('t', 0, record)) as { headers: unknown; timestamp: string }
  assert.deepEqual(shown.headers, { a: '1, 2' })
  assert.equal(shown.timestamp, '+275760-09-13T00:00:00.000Z')
})

test('gives every value back as it was, on one line', () => {
  const text = fc.string({ unit: 'grapheme' })
  fc.assert(
    fc.property(
      fc.jsonValue(),
      text,
      fc.uint8Array(),
      fc.option(text),
      fc.nat(4),
      (json, words, bytes, key, indent) => {
        const records = [
          storedRecord(0, { form: 'json', value: JSON.stringify(json, null, indent), key: key ?? undefined }),
          storedRecord(1, { form: 'text', value: words }),
          storedRecord(2, { form: 'bytes', value: bytes }),
        ]
        const lines = batchLines('t', 0, countedBatch(records))
        assert.ok(lines.every((line) => !/[\r\n]/.test(line)))
        const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
        assert.deepEqual(first?.['value'], JSON.parse(JSON.stringify(json)))
        assert.equal(first?.['key'], key ?? undefined)
        assert.equal(second?.['text'], words)
        assert.deepEqual(Buffer.from(third?.['base64'] as string, 'base64'), Buffer.from(bytes))
      },
    ),
  )
})
