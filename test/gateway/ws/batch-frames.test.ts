import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chunk } from '../../../src/gateway/reading/follow.ts'
import { recordJson } from '../../../src/gateway/reading/record-json.ts'
import { chunkFrames } from '../../../src/gateway/ws/batch-frames.ts'
import { countedBatch, storedRecord } from '../reading/batches.ts'
import type { CommittedBatch } from '../../../src/types/record.ts'

function chunkOf(batches: readonly CommittedBatch[], fromOffset: number): Chunk {
  const last = batches.at(-1)
  const nextOffset = last === undefined ? fromOffset : last.baseOffset + last.recordCount
  return { partition: 3, batches, fromOffset, nextOffset, byteLength: 1 }
}

/** Takes whole frames apart again. */
function unframe(buffers: readonly Buffer[]): { binary: boolean; payload: string }[] {
  const bytes = Buffer.concat(buffers)
  const frames: { binary: boolean; payload: string }[] = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1] ?? 0
    const headerBytes = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const payload = bytes.subarray(at + headerBytes, at + headerBytes + length)
    frames.push({ binary: bytes[at] === 0x82, payload: payload.toString() })
    at += headerBytes + length
  }
  return frames
}

test('one record a frame, from the offset that is wanted', () => {
  const batches = [
    countedBatch([storedRecord(0), storedRecord(1)]),
    countedBatch([storedRecord(2, { value: 'x'.repeat(70_000) })]),
  ]
  const frames = unframe(chunkFrames('t', chunkOf(batches, 1), { kind: 'records' }))
  assert.deepEqual(
    frames,
    [storedRecord(1), storedRecord(2, { value: 'x'.repeat(70_000) })].map((record) => ({
      binary: false,
      payload: recordJson('t', 3, record),
    })),
  )
})

test('encodes each form once for 100 subscribers', () => {
  for (const kind of ['records', 'values'] as const) {
    const batch = countedBatch([storedRecord(0), storedRecord(1)])
    const [first] = chunkFrames('t', chunkOf([batch], 0), { kind })
    for (let subscriber = 0; subscriber < 100; subscriber++) {
      assert.equal(chunkFrames('t', chunkOf([batch], 0), { kind })[0], first)
    }
    assert.equal(batch.looks(), 1, kind)
  }
  const batches = [countedBatch([storedRecord(0)]), countedBatch([storedRecord(1)])]
  for (let subscriber = 0; subscriber < 100; subscriber++)
    chunkFrames('t', chunkOf(batches, 0), { kind: 'arrays', batchMax: 10 })
  assert.deepEqual(
    batches.map((batch) => batch.looks()),
    [1, 1],
  )
})

test('values only: text frames, binary ones for bytes, an empty one for a tombstone', () => {
  const batch = countedBatch([
    storedRecord(0, { form: 'json', value: '{\n"a": 1}' }),
    storedRecord(1, { value: 'hé' }),
    storedRecord(2, { form: 'bytes', value: Buffer.from('raw') }),
    storedRecord(3, { form: 'tombstone', value: '' }),
  ])
  assert.deepEqual(unframe(chunkFrames('t', chunkOf([batch], 0), { kind: 'values' })), [
    { binary: false, payload: '{\n"a": 1}' },
    { binary: false, payload: 'hé' },
    { binary: true, payload: 'raw' },
    { binary: false, payload: '' },
  ])
})

test('arrays reach over batches, hold at most as many as asked for, and begin where wanted', () => {
  const batches = [0, 2, 4, 6].map((base) => countedBatch([storedRecord(base), storedRecord(base + 1)]))
  const style = { kind: 'arrays', batchMax: 3 } as const
  const offsets = (fromOffset: number): number[][] =>
    unframe(chunkFrames('t', chunkOf(batches, fromOffset), style)).map(({ payload }) =>
      (JSON.parse(payload) as { offset: number }[]).map(({ offset }) => offset),
    )
  assert.deepEqual(offsets(0), [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
  ])
  assert.deepEqual(offsets(1), [[1, 2, 3], [4, 5, 6], [7]])
  assert.deepEqual(offsets(0), [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
  ])
})
