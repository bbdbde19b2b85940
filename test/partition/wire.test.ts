import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { asBuffer, MalformedBatchError, readInt53, readUint53, writeInt53 } from '../../src/partition/wire.ts'

test('every safe whole number comes back', () => {
  const into = Buffer.alloc(10)
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(writeInt53(into, value, 1), 9)
      assert.equal(readInt53(into, 1), value)
    }),
    { examples: [[Number.MAX_SAFE_INTEGER], [Number.MIN_SAFE_INTEGER], [-1], [2 ** 32], [-(2 ** 32)]] },
  )
})

test('numbers beyond 2^53-1, negative counts and numbers after the end are malformed', () => {
  const large = Buffer.alloc(8)
  large.writeBigInt64BE(2n ** 53n)
  assert.throws(() => readInt53(large, 0), MalformedBatchError)
  assert.throws(() => readInt53(large, 1), MalformedBatchError)
  large.writeBigInt64BE(-1n)
  assert.equal(readInt53(large, 0), -1)
  assert.throws(() => readUint53(large, 0), MalformedBatchError)
})

test('bytes become a Buffer without a copy', () => {
  const bytes = new Uint8Array(8).subarray(2, 6)
  asBuffer(bytes)[0] = 9
  assert.equal(bytes[0], 9)
  assert.equal(asBuffer(bytes).length, 4)
  const buffer = Buffer.alloc(1)
  assert.equal(asBuffer(buffer), buffer)
})
