import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { flushCode, FlushReader, ForgedFlushError } from '../../src/transport/flush-reader.ts'
import { encodeFrame, framesOf } from '../../src/transport/frames.ts'
import { FLUSH_BYTES_MAX } from '../../src/transport/limits.ts'

const KEY = randomBytes(32)

function flush(sequence: number, frames: Buffer): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(frames.length)
  return Buffer.concat([header, frames, flushCode(KEY, sequence, [frames])])
}

function readAll(chunks: readonly Buffer[], bytesMax = 1_000_000): Buffer[] {
  const flushes: Buffer[] = []
  const reader = new FlushReader({ key: KEY, bytesMax, onFlush: (bytes) => flushes.push(bytes) })
  for (const chunk of chunks) reader.push(chunk)
  return flushes
}

test('flushes come out whole and in order, however the stream is cut', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
  fc.assert(
    fc.property(
      bodies,
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 }),
      (sent, sizes) => {
        const stream = Buffer.concat(sent.map((body, index) => flush(index, Buffer.from(body))))
        const chunks: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1
          chunks.push(stream.subarray(at, at + size))
          at += size
        }
        const got = readAll(chunks)
        assert.deepEqual(
          got.map((bytes) => bytes.toString('hex')),
          sent.map((body) => Buffer.from(body).toString('hex')),
        )
      },
    ),
  )
})

test('a flipped bit anywhere is found, and nothing of its flush is handed on', () => {
  const first = flush(0, Buffer.from('first'))
  const second = flush(1, Buffer.from('second flush'))
  fc.assert(
    fc.property(fc.nat(second.length - 1), fc.nat(7), (at, bit) => {
      const tampered = Buffer.from(second)
      tampered.writeUInt8(tampered.readUInt8(at) ^ (1 << bit), at)
      const flushes: string[] = []
      const reader = new FlushReader({
        key: KEY,
        bytesMax: 1_000,
        onFlush: (bytes) => flushes.push(bytes.toString()),
      })
      reader.push(first)
      try {
        reader.push(tampered)
        // A length that grew waits for bytes that never come.
        assert.ok(at < 4, 'Only a changed length may wait for more.')
      } catch (error) {
        assert.ok(error instanceof ForgedFlushError || error instanceof MalformedFrameError)
      }
      assert.deepEqual(flushes, ['first'])
    }),
  )
})

test('a flush that is repeated, left out or moved is refused', () => {
  const [a, b, c] = [flush(0, Buffer.from('a')), flush(1, Buffer.from('b')), flush(2, Buffer.from('c'))]
  assert.throws(() => readAll([a, a]), ForgedFlushError)
  assert.throws(() => readAll([a, c]), ForgedFlushError)
  assert.throws(() => readAll([b, a]), ForgedFlushError)
  assert.equal(readAll([a, b, c]).length, 3)
})

test('a length above the bound is refused before the bytes come', () => {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(FLUSH_BYTES_MAX + 1)
  assert.throws(() => readAll([header], FLUSH_BYTES_MAX), MalformedFrameError)
})

test('a reader that was closed within a flush hands on nothing more', () => {
  const flushes: Buffer[] = []
  const reader = new FlushReader({
    key: KEY,
    bytesMax: 1_000,
    onFlush: (bytes) => {
      flushes.push(bytes)
      reader.close()
    },
  })
  reader.push(Buffer.concat([flush(0, Buffer.from('a')), flush(1, Buffer.from('b'))]))
  reader.push(flush(2, Buffer.from('c')))
  assert.equal(flushes.length, 1)
})

test('frames come out of a flush as they went in', () => {
  const frames = [0, 5_000, 3].map((size, index) =>
    encodeFrame(0xffffffff - index, index + 1, (writer) => writer.bytes(Buffer.alloc(size, index))),
  )
  const bytes = Buffer.concat(frames.flatMap((frame) => frame.chunks))
  const got = [...framesOf(bytes)]
  assert.deepEqual(
    got.map(({ group, type, payload }) => [group, type, payload.length]),
    [
      [0xffffffff, 1, 0],
      [0xfffffffe, 2, 5_000],
      [0xfffffffd, 3, 3],
    ],
  )
})

test('random bytes for frames are refused with a typed error or read as something', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        assert.ok([...framesOf(Buffer.from(bytes))].length <= bytes.length)
      } catch (error) {
        assert.ok(error instanceof MalformedFrameError, String(error))
      }
    }),
  )
})
