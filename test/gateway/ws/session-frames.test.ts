import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SynodError } from '../../../src/errors.ts'
import { BINARY_CODEC } from '../../../src/gateway/ws/session-binary.ts'
import { BINARY_FRAMES, CLIENT_FRAMES } from '../../../src/gateway/ws/session-frames.ts'
import { TEXT_CODEC } from '../../../src/gateway/ws/session-text.ts'
import { spoilJson } from '../../fuzz/json-source.ts'
import { Random } from '../../sim/random.ts'
import { encodeBinary } from './binary-frames.ts'
import { producedRecords } from './produced-records.ts'

const id = fc.string({ minLength: 1, maxLength: 64 })
const count = fc.nat(Number.MAX_SAFE_INTEGER)
const start = {
  from: fc.option(fc.constantFrom('earliest', '17', '0@3,1@4'), { nil: undefined }),
  cursor: fc.option(fc.constantFrom('x', 'AAECAw'), { nil: undefined }),
}
const producer = fc.option(fc.record({ id: fc.constantFrom('me', 'a-b_c'), epoch: count, seq: count }), {
  nil: undefined,
})
const place = {
  partition: fc.option(fc.nat(999), { nil: undefined }),
  key: fc.option(id, { nil: undefined }),
}

const ARBITRARIES = {
  subscribe: fc.record({
    type: fc.constant('subscribe'),
    id,
    sid: id,
    topic: fc.constantFrom('t', 'a.b-c_d'),
    partitions: fc.option(fc.array(fc.nat(999), { minLength: 1, maxLength: 5 }), { nil: undefined }),
    ...start,
    credit: fc.record({ records: count, bytes: count }),
  }),
  credit: fc.record({ type: fc.constant('credit'), sid: id, records: count, bytes: count }),
  seek: fc.record({ type: fc.constant('seek'), id, sid: id, ...start }),
  unsubscribe: fc.record({ type: fc.constant('unsubscribe'), id, sid: id }),
  ping: fc.record({ type: fc.constant('ping'), id: fc.option(id, { nil: undefined }) }),
} as const
const anyFrame = fc.oneof(...Object.values<fc.Arbitrary<Record<string, unknown>>>(ARBITRARIES))

/** What the broker makes of a frame in both forms; undefined if it is none. */
function readBoth(frame: unknown): readonly unknown[] {
  const json = Buffer.from(JSON.stringify(frame))
  return [() => TEXT_CODEC.read(json, false), () => BINARY_CODEC.read(encodeBinary(frame), true)].map(
    (read) => {
      try {
        return read()
      } catch (error) {
        assert.ok(error instanceof SynodError, String(error))
        return undefined
      }
    },
  )
}

test('rule 8: what the schema of a frame takes is read as it is, in both forms', () => {
  fc.assert(
    fc.property(anyFrame, (drawn) => {
      const frame = JSON.parse(JSON.stringify(drawn)) as { readonly type: keyof typeof ARBITRARIES }
      const expected = CLIENT_FRAMES[frame.type].parse(frame)
      assert.deepEqual(readBoth(frame), [expected, expected])
    }),
  )
})

test('rule 8: what no schema takes is refused in both forms', () => {
  fc.assert(
    fc.property(anyFrame, fc.noBias(fc.nat()), (drawn, seed) => {
      const spoilt = JSON.parse(JSON.stringify(spoilJson(drawn, new Random(seed)) ?? null)) as unknown
      const isFrame = Object.values(CLIENT_FRAMES).some((schema) => schema.safeParse(spoilt).success)
      for (const read of readBoth(spoilt)) assert.equal(read !== undefined, isFrame, JSON.stringify(spoilt))
    }),
    { numRuns: 1_000 },
  )
})

test('rule 8: what only claims to have a length is refused as anything else that does not fit', () => {
  const length = { toString: 1 }
  const none = { length }
  const frames = [
    { type: 'unsubscribe', id: '1', sid: none },
    { type: 'subscribe', id: none, sid: 'a', topic: 't', credit: { records: 1, bytes: 1 } },
    { type: 'subscribe', id: '1', sid: 'a', topic: 't', partitions: none, credit: { records: 1, bytes: 1 } },
  ]
  for (const frame of frames) assert.deepEqual(readBoth(frame), [undefined, undefined], JSON.stringify(frame))
})

test('rule 8: a produce that its schema takes is read record by record, in both forms', () => {
  const textRecords = fc.array(fc.record({ ...place, text: id }), { minLength: 1, maxLength: 5 })
  const sizes = fc.array(fc.record({ ...place, size: fc.nat(9) }), { minLength: 1, maxLength: 5 })
  const envelope = { type: 'produce', topic: 't' }
  fc.assert(
    fc.property(id, producer, textRecords, sizes, (name, numbered, texts, binaries) => {
      const asText = { ...envelope, id: name, producer: numbered, records: texts }
      CLIENT_FRAMES.produce.parse(JSON.parse(JSON.stringify(asText)))
      const json = Buffer.from(JSON.stringify(asText))
      assert.equal(producedRecords(TEXT_CODEC, json, false).length, texts.length)
      const asBinary = { ...asText, records: binaries }
      BINARY_FRAMES.binaryProduce.parse(JSON.parse(JSON.stringify(asBinary)))
      const message = encodeBinary(
        asBinary,
        binaries.map(({ size }) => Buffer.alloc(size)),
      )
      assert.deepEqual(
        producedRecords(BINARY_CODEC, message, true).map(({ draft, partition }) => [
          draft.value.length,
          draft.key,
          partition,
        ]),
        binaries.map(({ size, key, partition }) => [size, key, partition]),
      )
    }),
  )
})
