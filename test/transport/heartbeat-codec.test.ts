import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { ByteWriter } from '../../src/transport/byte-writer.ts'
import { decodeHeartbeat, encodeHeartbeat } from '../../src/transport/heartbeat-codec.ts'
import { arbitraryHeartbeat } from '../support/arbitrary-messages.ts'

test('a heartbeat comes back as it was', () => {
  fc.assert(
    fc.property(arbitraryHeartbeat, (heartbeat) => {
      const writer = new ByteWriter()
      encodeHeartbeat(writer, heartbeat)
      assert.deepEqual(decodeHeartbeat(new ByteReader(Buffer.concat(writer.finish()))), { ...heartbeat })
    }),
  )
})

test('random bytes for a heartbeat are refused with a typed error or decode to something', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        decodeHeartbeat(new ByteReader(Buffer.from(bytes)))
      } catch (error) {
        assert.ok(error instanceof MalformedFrameError, String(error))
      }
    }),
  )
})
