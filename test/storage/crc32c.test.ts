import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c } from '../../src/storage/crc32c.ts'

test('sums as RFC 3720 says', () => {
  const sum = (bytes: Uint8Array): number => crc32c(bytes, 0, bytes.length)
  assert.equal(sum(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(sum(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
  assert.equal(sum(Uint8Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e)
  assert.equal(sum(Buffer.from('123456789')), 0xe3069283)
  assert.equal(sum(new Uint8Array(0)), 0)
})

test('sums any part of the bytes as it sums that part alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.nat(64), (bytes, one, other) => {
      const from = Math.min(one, other, bytes.length)
      const end = Math.min(Math.max(one, other), bytes.length)
      assert.equal(crc32c(bytes, from, end), crc32c(bytes.slice(from, end), 0, end - from))
    }),
  )
})
