import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Chunks } from '../../../src/cli/transfer/chunks.ts'
import type { Chunk } from '../../../src/cli/transfer/chunks.ts'
import type { ImportedRecord } from '../../../src/cli/transfer/record-line.ts'

const BOUNDS = { recordsMax: 3, bytesMax: 100, waitingBytesMax: 250 }

function record(partition: number, bytes: number, isSingle = false): ImportedRecord {
  return {
    lineNumber: 1,
    partition,
    bytes,
    body: isSingle ? { key: undefined, value: '', headers: {} } : '{}',
  }
}

function shape(chunks: readonly Chunk[]): [partition: number, seq: number, count: number][] {
  return chunks.map(({ partition, seq, records }) => [partition, seq, records.length])
}

describe('Chunks', () => {
  test('cut at the bound of records and of bytes, counting each partition by itself', () => {
    const chunks = new Chunks(BOUNDS)
    const cut = [
      record(0, 1),
      record(1, 1),
      record(0, 1),
      record(0, 1),
      record(0, 60),
      record(0, 60),
    ].flatMap((each) => chunks.add(each))
    assert.deepEqual(shape(cut), [
      [0, 0, 3],
      [0, 3, 1],
    ])
    assert.deepEqual(shape(chunks.rest()), [
      [1, 0, 1],
      [0, 4, 1],
    ])
    assert.deepEqual(chunks.rest(), [])
  })

  test('give a record that needs a request of its own one, after what came before it', () => {
    const chunks = new Chunks(BOUNDS)
    assert.deepEqual(shape(chunks.add(record(0, 1))), [])
    assert.deepEqual(shape(chunks.add(record(0, 1, true))), [
      [0, 0, 1],
      [0, 1, 1],
    ])
  })

  test('let nothing wait beyond the bound over all partitions', () => {
    const chunks = new Chunks(BOUNDS)
    for (const partition of [0, 1, 2]) assert.deepEqual(chunks.add(record(partition, 80)), [])
    assert.deepEqual(shape(chunks.add(record(3, 80))), [
      [0, 0, 1],
      [1, 0, 1],
      [2, 0, 1],
      [3, 0, 1],
    ])
  })
})
