import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SynodError } from '../../../src/errors.ts'
import {
  checkHeaders,
  checkKey,
  draftBytes,
  formOf,
  isJsonType,
  KEY_BYTES_MAX,
  RECORD_HEADERS_BYTES_MAX,
  RECORD_HEADERS_MAX,
} from '../../../src/gateway/http/record-draft.ts'

const refuse = (detail: string, hint: string) => new SynodError('invalid-field', detail, { hint })

test('types are JSON by their essence', () => {
  for (const type of [
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/ld+json',
    'text/x+json',
  ])
    assert.ok(isJsonType(type), type)
  for (const type of [
    undefined,
    '',
    'application/jsonp',
    'text/plain',
    'json',
    '+json',
    'application/x-ndjson',
  ])
    assert.ok(!isJsonType(type), type)
})

test('a value with a byte order mark is no JSON', () => {
  assert.equal(formOf(Buffer.from('\ufeff{}'), 'application/json'), 'text')
  assert.equal(formOf(Buffer.from('"\\ud800"'), 'application/json'), 'json')
  assert.equal(formOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'application/json'), 'bytes')
})

test('keys and headers are taken up to their bounds', () => {
  checkKey('é'.repeat(KEY_BYTES_MAX / 2), refuse)
  assert.throws(() => checkKey(`${'é'.repeat(KEY_BYTES_MAX / 2)}x`, refuse), { code: 'invalid-field' })
  assert.throws(() => checkKey('\udc00', refuse), { code: 'invalid-field' })
  const many = (count: number) =>
    Array.from({ length: count }, (_, index): [string, string] => [`h${index}`, ''])
  checkHeaders(many(RECORD_HEADERS_MAX), refuse)
  assert.throws(() => checkHeaders(many(RECORD_HEADERS_MAX + 1), refuse), { code: 'invalid-field' })
  checkHeaders([['a', 'x'.repeat(RECORD_HEADERS_BYTES_MAX - 1)]], refuse)
  assert.throws(() => checkHeaders([['a', 'x'.repeat(RECORD_HEADERS_BYTES_MAX)]], refuse), {
    code: 'invalid-field',
  })
  for (const name of ['', 'A', 'a b', 'a:b', 'é', 'x'.repeat(129)])
    assert.throws(() => checkHeaders([[name, '']], refuse), { code: 'invalid-field' }, name)
  checkHeaders([['a', 'tab\tand é €']], refuse)
  for (const value of ['\r', '\n', '\0', '\u007f', '\ud800'])
    assert.throws(() => checkHeaders([['a', value]], refuse), { code: 'invalid-field' })
})

test('key, value and headers count in bytes', () => {
  const draft = {
    form: 'text',
    key: 'é',
    value: Buffer.from('abc'),
    contentType: 'x',
    timestampMs: undefined,
    headers: [['h', '€']],
  } as const
  assert.equal(draftBytes(draft), 2 + 3 + 1 + 3)
})
