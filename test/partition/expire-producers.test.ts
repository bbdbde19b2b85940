import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvariantError } from '../../src/types/invariant.ts'
import {
  decodeExpireProducers,
  encodeExpireProducers,
  EXPIRED_PRODUCERS_MAX,
} from '../../src/partition/expire-producers.ts'
import { MalformedBatchError } from '../../src/partition/wire.ts'

const ids = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }), { maxLength: 20 })

test('a list of producers comes back as it was encoded', () => {
  fc.assert(
    fc.property(ids, (list) => assert.deepEqual(decodeExpireProducers(encodeExpireProducers(list)), list)),
  )
})

test('any cut or padded list is malformed', () => {
  fc.assert(
    fc.property(ids, fc.nat(), (list, where) => {
      const body = encodeExpireProducers(list)
      assert.throws(() => decodeExpireProducers(body.subarray(0, where % body.length)), MalformedBatchError)
      assert.throws(() => decodeExpireProducers(Buffer.concat([body, Buffer.of(0)])), MalformedBatchError)
    }),
  )
})

test('the longest list passes, one more is a bug', () => {
  const list = Array.from({ length: EXPIRED_PRODUCERS_MAX }, (_, index) => `p${index}`)
  assert.equal(decodeExpireProducers(encodeExpireProducers(list)).length, EXPIRED_PRODUCERS_MAX)
  assert.throws(() => encodeExpireProducers([...list, 'more']), InvariantError)
  const body = encodeExpireProducers(list)
  body.writeUInt16BE(EXPIRED_PRODUCERS_MAX + 1, 1)
  assert.throws(() => decodeExpireProducers(body), MalformedBatchError)
})
