import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { ByteWriter } from '../../src/transport/byte-writer.ts'
import { decodeDigest, encodeDigest } from '../../src/transport/digest-codec.ts'
import { DIGEST_PLACES_MAX, type Digest } from '../../src/types/digest.ts'
import { groupId, slot } from '../../src/types/ids.ts'
import { arbitraryDigest, comparable } from '../support/arbitrary-messages.ts'

const PLACE = { group: groupId(7), slot: slot(3), chain: 0xfedcba98, nextOffset: 12 }

function bytesOf(digest: Digest): Buffer {
  const writer = new ByteWriter()
  encodeDigest(writer, digest)
  return Buffer.concat(writer.finish())
}

test('a digest comes back as it was', () => {
  fc.assert(
    fc.property(arbitraryDigest, (digest) => {
      assert.deepEqual(comparable(decodeDigest(new ByteReader(bytesOf(digest)))), comparable(digest))
    }),
  )
})

test(`more than ${DIGEST_PLACES_MAX} places are neither written nor read`, () => {
  const places = Array.from({ length: DIGEST_PLACES_MAX + 1 }, () => PLACE)
  assert.throws(() => bytesOf({ kind: 'tell', places }), /at most 64 places/)
  const full = bytesOf({ kind: 'tell', places: places.slice(1) })
  const longer = Buffer.concat([full, bytesOf({ kind: 'tell', places: [PLACE] }).subarray(2)])
  longer[1] = DIGEST_PLACES_MAX + 1
  assert.throws(() => decodeDigest(new ByteReader(longer)), MalformedFrameError)
})

test('bytes that are no digest are refused with a typed error, or decode to something', () => {
  assert.throws(() => decodeDigest(new ByteReader(Buffer.from([3, 0]))), MalformedFrameError)
  const whole = bytesOf({ kind: 'reply', places: [PLACE] })
  for (let end = 0; end < whole.length; end++)
    assert.throws(() => decodeDigest(new ByteReader(whole.subarray(0, end))), MalformedFrameError)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeDigest(new ByteReader(Buffer.from(bytes)))
      } catch (error) {
        assert.ok(error instanceof MalformedFrameError, String(error))
      }
    }),
  )
})
