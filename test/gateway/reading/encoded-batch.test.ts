import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEPT_BYTES_MAX, ndjsonFrom } from '../../../src/gateway/reading/encoded-batch.ts'
import { recordJson } from '../../../src/gateway/reading/record-json.ts'
import { countedBatch, storedRecord } from './batches.ts'

test('encodes a batch once for any number of readers, who share its bytes', () => {
  const batch = countedBatch([storedRecord(5), storedRecord(6)])
  const first = ndjsonFrom('t', 0, batch, 5)
  for (let reader = 0; reader < 100; reader++) assert.equal(ndjsonFrom('t', 0, batch, 5), first)
  assert.equal(batch.looks(), 1)
  assert.equal(
    first.toString(),
    `${recordJson('t', 0, storedRecord(5))}\n${recordJson('t', 0, storedRecord(6))}\n`,
  )
})

test('begins in the middle of a batch without encoding it again', () => {
  const records = [storedRecord(5, { value: 'ä€😀' }), storedRecord(6), storedRecord(7)]
  const batch = countedBatch(records)
  assert.equal(
    ndjsonFrom('t', 0, batch, 6).toString(),
    records
      .slice(1)
      .map((record) => `${recordJson('t', 0, record)}\n`)
      .join(''),
  )
  assert.equal(ndjsonFrom('t', 0, batch, 3).toString().split('\n').length, 4)
  assert.equal(ndjsonFrom('t', 0, batch, 7).toString(), `${recordJson('t', 0, storedRecord(7))}\n`)
  assert.equal(batch.looks(), 1)
})

test('refuses to show a batch that has nothing from that offset on', () => {
  assert.throws(() => ndjsonFrom('t', 0, countedBatch([storedRecord(5)]), 6), { name: 'InvariantError' })
})

test('forgets the encodings made first when they take too much, and makes them again', () => {
  const value = 'x'.repeat(1024 * 1024)
  const count = KEPT_BYTES_MAX / value.length + 1
  const batches = Array.from({ length: count }, (_, offset) =>
    countedBatch([storedRecord(offset, { value })]),
  )
  for (const [offset, batch] of batches.entries()) ndjsonFrom('t', 0, batch, offset)
  const [first, last] = [batches[0]!, batches.at(-1)!]
  assert.equal(ndjsonFrom('t', 0, last, count - 1).length > value.length, true)
  assert.equal(last.looks(), 1)
  ndjsonFrom('t', 0, first, 0)
  assert.equal(first.looks(), 2)
})
