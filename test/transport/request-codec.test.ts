import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ERROR_CODES, SynodError } from '../../src/errors.ts'
import { ByteReader, MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { ByteWriter } from '../../src/transport/byte-writer.ts'
import {
  decodeAnswer,
  decodeCancel,
  decodeError,
  decodeRequest,
  encodeAnswer,
  encodeCancel,
  encodeError,
  encodeRequest,
} from '../../src/transport/request-codec.ts'

function reader(write: (writer: ByteWriter) => void): ByteReader {
  const writer = new ByteWriter()
  write(writer)
  return new ByteReader(Buffer.concat(writer.finish()))
}

const body = fc.uint8Array({ maxLength: 10_000 })

test('a request and its answer come back as they were', () => {
  const header = fc.record({
    id: fc.maxSafeNat(),
    deadlineMs: fc.integer({ min: 0, max: 0xffffffff }),
    kind: fc.string({ maxLength: 60 }),
  })
  fc.assert(
    fc.property(header, body, (facts, bytes) => {
      const request = decodeRequest(reader((writer) => encodeRequest(writer, facts, bytes)))
      assert.deepEqual(
        { ...request, body: Buffer.from(request.body) },
        { ...facts, body: Buffer.from(bytes) },
      )
      const answer = decodeAnswer(reader((writer) => encodeAnswer(writer, facts.id, bytes)))
      assert.equal(answer.id, facts.id)
      assert.ok(answer.body.equals(bytes))
      assert.equal(decodeCancel(reader((writer) => encodeCancel(writer, facts.id))), facts.id)
    }),
  )
})

test('an error crosses with its code, sentence, hint, facts and time to wait', () => {
  const errors = fc.record({
    code: fc.constantFrom(...ERROR_CODES),
    detail: fc.string(),
    hint: fc.option(fc.string(), { nil: undefined }),
    retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
    facts: fc.dictionary(
      fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key)),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      { noNullPrototype: true },
    ),
  })
  fc.assert(
    fc.property(errors, ({ code, detail, ...more }) => {
      const { id, error } = decodeError(
        reader((writer) => encodeError(writer, 3, new SynodError(code, detail, more))),
      )
      assert.equal(id, 3)
      assert.ok(error instanceof SynodError)
      const { hint, facts, retryAfterMs } = error
      assert.deepEqual(
        { code: error.code, detail: error.message, hint, facts, retryAfterMs },
        { code, detail, ...more },
      )
    }),
  )
})

test('facts that are too large stay at home, the code and the sentence cross', () => {
  const large = new SynodError('offset-mismatch', 'Too low.', { facts: { text: 'x'.repeat(100_000) } })
  const { error } = decodeError(reader((writer) => encodeError(writer, 1, large)))
  assert.deepEqual([error.code, error.message, error.facts], ['offset-mismatch', 'Too low.', {}])
})

test('an error code of a later version reads as internal', () => {
  const bytes = reader((writer) => {
    writer.count(1)
    writer.bytes(Buffer.from('{"code":"of-tomorrow","detail":"New.","facts":{"__proto__":{"x":1}}}'))
  })
  const { error } = decodeError(bytes)
  assert.equal(error.code, 'internal')
  assert.equal(Object.hasOwn(error.facts, '__proto__'), false)
})

test('random bytes are refused with a typed error or decode to something', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const decode of [decodeRequest, decodeAnswer, decodeCancel, decodeError]) {
        try {
          decode(new ByteReader(Buffer.from(bytes)))
        } catch (error) {
          assert.ok(error instanceof MalformedFrameError, String(error))
        }
      }
    }),
  )
})
