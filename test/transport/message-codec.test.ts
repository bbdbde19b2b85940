import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { ByteReader, DamagedBodyError, MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { ByteWriter } from '../../src/transport/byte-writer.ts'
import { decodeMessage, encodeMessage } from '../../src/transport/message-codec.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { arbitraryMessage, comparable, MESSAGE_KINDS } from '../support/arbitrary-messages.ts'
import { sampleAccept } from '../support/sample-messages.ts'

function encode(message: Message): Buffer {
  const writer = new ByteWriter()
  encodeMessage(writer, message)
  const byteLength = writer.byteLength
  const bytes = Buffer.concat(writer.finish())
  assert.equal(bytes.length, byteLength)
  return bytes
}

for (const kind of MESSAGE_KINDS) {
  test(`a message '${kind}' comes back as it was`, () => {
    fc.assert(
      fc.property(arbitraryMessage(kind), (message) => {
        const decoded = decodeMessage(kind, new ByteReader(encode(message)), crc32)
        assert.deepEqual(comparable(decoded), comparable(message))
      }),
    )
  })

  test(`random bytes for a message '${kind}' are refused with a typed error or decode to something`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeMessage(kind, new ByteReader(Buffer.from(bytes)), crc32)
        } catch (error) {
          assert.ok(error instanceof MalformedFrameError || error instanceof DamagedBodyError, String(error))
        }
      }),
    )
  })

  test(`a message '${kind}' that is cut or too long is refused`, () => {
    fc.assert(
      fc.property(arbitraryMessage(kind), fc.double({ min: 0, max: 1, noNaN: true }), (message, where) => {
        const bytes = encode(message)
        const cut = bytes.subarray(0, Math.floor(where * (bytes.length - 1)))
        assert.throws(() => decodeMessage(kind, new ByteReader(cut), crc32), MalformedFrameError)
        const long = Buffer.concat([bytes, Buffer.alloc(1)])
        assert.throws(() => decodeMessage(kind, new ByteReader(long), crc32), MalformedFrameError)
      }),
      { numRuns: 30 },
    )
  })
}

test('a body that lacks its checksum is called damaged', () => {
  const bytes = encode(sampleAccept(7, Buffer.from('a record')))
  const at = bytes.indexOf('a record')
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  assert.throws(() => decodeMessage('accept', new ByteReader(bytes), crc32), DamagedBodyError)
})

test('large bodies are not copied, neither when they leave nor when they arrive', () => {
  const body = Buffer.alloc(100_000, 7)
  const writer = new ByteWriter()
  encodeMessage(writer, sampleAccept(7, body))
  const chunks = writer.finish()
  assert.ok(chunks.some((chunk) => chunk.buffer === body.buffer && chunk.length === body.length))
  const bytes = Buffer.concat(chunks)
  const decoded = decodeMessage('accept', new ByteReader(bytes), crc32)
  assert.ok(decoded.kind === 'accept')
  assert.equal(decoded.entries[0]?.body.buffer, bytes.buffer)
})

test('a count of entries that cannot fit is refused before anything is made for it', () => {
  const bytes = encode({ ...sampleAccept(7, Buffer.alloc(0)), entries: [] })
  bytes.writeUInt32BE(0xffffffff, bytes.length - 12)
  assert.throws(() => decodeMessage('accept', new ByteReader(bytes), crc32), /entries do not fit/)
})
