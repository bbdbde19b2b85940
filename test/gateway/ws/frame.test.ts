import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerLength, textFrame, writeHeader } from '../../../src/gateway/ws/frame.ts'

test('writes the three lengths of header that the protocol has', () => {
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 5_000_000]) {
    const bytes = Buffer.alloc(headerLength(length) + 1)
    const payloadAt = writeHeader(bytes, 1, 'binary', length)
    assert.equal(payloadAt, 1 + headerLength(length))
    assert.equal(bytes[1], 0x82)
    const short = bytes[2] ?? 0
    assert.ok(short < 128, 'a server does not mask')
    const read =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(3) : Number(bytes.readBigUInt64BE(3))
    assert.equal(read, length)
  }
})

test('measures text in bytes, not in characters', () => {
  const frame = textFrame('ä€😀')
  assert.deepEqual([...frame.subarray(0, 2)], [0x81, 9])
  assert.equal(frame.subarray(2).toString(), 'ä€😀')
})

test('refuses a payload that does not fit into four bytes of length', () => {
  assert.throws(() => writeHeader(Buffer.alloc(16), 0, 'text', 2 ** 32), { name: 'InvariantError' })
})
