import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { TailCache, takeUpTo, type TailCacheView } from '../../src/partition/tail-cache.ts'
import type { CommittedBatch } from '../../src/types/record.ts'

function batchAt(baseOffset: number, recordCount = 1, byteLength = 100): CommittedBatch {
  return { baseOffset, recordCount, byteLength, appendedAtMs: 0, idempotency: undefined, records: [] }
}

function fill(view: TailCacheView, count: number, from = 0): void {
  for (let offset = from; offset < from + count; offset++) view.add(batchAt(offset))
}

const offsets = (batches: readonly CommittedBatch[] | undefined) => batches?.map((batch) => batch.baseOffset)

test('readers at the tail get the same objects, from the batch that holds their offset', () => {
  const view = new TailCache(10_000).open()
  view.add(batchAt(10, 5))
  view.add(batchAt(15, 5))
  const read = view.from(12, 100, 10_000)
  assert.deepEqual(offsets(read), [10, 15])
  assert.equal(view.from(14, 100, 10_000)![0], read![0])
  assert.equal(view.find(16), read![1])
})

test('what is not held is not guessed: neither before the first batch nor after the last', () => {
  const view = new TailCache(10_000).open()
  assert.equal(view.from(0, 1, 1), undefined)
  view.add(batchAt(10, 5))
  for (const offset of [9, 15]) {
    assert.equal(view.from(offset, 1, 1), undefined)
    assert.equal(view.find(offset), undefined)
  }
})

test('a read stops at its bounds of records and bytes, and gives one batch at least', () => {
  const view = new TailCache(10_000).open()
  for (const offset of [0, 10, 20]) view.add(batchAt(offset, 10))
  assert.deepEqual(offsets(view.from(0, 1, 10_000)), [0])
  assert.deepEqual(offsets(view.from(0, 10, 10_000)), [0])
  assert.deepEqual(offsets(view.from(0, 11, 10_000)), [0, 10])
  assert.deepEqual(offsets(view.from(5, 10, 10_000)), [0, 10])
  assert.deepEqual(offsets(view.from(0, 100, 250)), [0, 10])
  assert.deepEqual(offsets(view.from(0, 100, 1)), [0])
  assert.deepEqual(offsets(takeUpTo([batchAt(0)], 0, 0, 0, 0)), [0])
})

test('all partitions share one budget: the batch that was added first goes first', () => {
  const cache = new TailCache(1_000)
  const [a, b] = [cache.open(), cache.open()]
  fill(a, 5)
  fill(b, 5)
  assert.equal(cache.bytes, 1_000)
  fill(b, 3, 5)
  assert.equal(cache.bytes, 1_000)
  assert.equal(a.from(2, 9, 9_999), undefined)
  assert.deepEqual(offsets(a.from(3, 9, 9_999)), [3, 4])
  assert.equal(b.from(0, 99, 9_999)!.length, 8)
})

test('a batch larger than the budget is not kept', () => {
  const cache = new TailCache(50)
  const view = cache.open()
  view.add(batchAt(0))
  assert.equal(cache.bytes, 0)
  assert.equal(view.from(0, 1, 1), undefined)
  view.add(batchAt(1, 1, 10))
  assert.deepEqual(offsets(view.from(1, 1, 1)), [1])
})

test('a partition that stops gives its bytes back, whatever comes and goes around it', () => {
  const step = fc.record({
    partition: fc.nat(3),
    kind: fc.constantFrom('add', 'add', 'add', 'reopen'),
    byteLength: fc.nat(400),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const cache = new TailCache(1_000)
      const parts = [0, 1, 2, 3].map(() => ({ view: cache.open(), next: 0 }))
      for (const { partition, kind, byteLength } of steps) {
        const part = parts[partition]!
        if (kind === 'reopen') {
          part.view.clear()
          parts[partition] = { view: cache.open(), next: 0 }
        } else part.view.add(batchAt(part.next++, 1, byteLength))
        let bytes = 0
        for (const { view, next } of parts)
          for (let offset = 0; offset < next; offset++) bytes += view.find(offset)?.byteLength ?? 0
        assert.equal(cache.bytes, bytes)
        assert.ok(bytes <= 1_000)
      }
    }),
    { numRuns: 50 },
  )
})

test('partitions that come and go leave no places behind', () => {
  const cache = new TailCache(1e9)
  for (let round = 0; round < 100; round++) {
    const view = cache.open()
    fill(view, 100)
    view.clear()
  }
  assert.equal(cache.bytes, 0)
  assert.ok(cache.orderLength < 2_500, `${cache.orderLength} places`)
})

test('what is dropped leaves memory at once, not when its place is packed', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const view = new TailCache(300).open()
  const first = new WeakRef(batchAt(0))
  view.add(first.deref()!)
  fill(view, 3, 1)
  // A WeakRef that was looked at holds on until the end of the turn.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  assert.equal(first.deref(), undefined)
})
