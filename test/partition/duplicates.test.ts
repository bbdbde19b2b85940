import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { batchOf, decide, judge, readOffered, type DuplicateView } from '../../src/partition/duplicates.ts'
import { fingerprintText } from '../../src/partition/idempotency-keys.ts'
import { batch, dataAt, entryAt, key, noopAt, producer } from './entries.ts'

/** A view that knows producer 'p' at epoch 1 up to sequence 0, and nothing else. */
const view: DuplicateView = {
  nextOffset: 7,
  producer: (id) =>
    id === 'p'
      ? {
          epoch: 1,
          lastSeq: 0,
          lastSlot: 1,
          batches: [{ firstSeq: 0, lastSeq: 0, baseOffset: 6, appendedAtMs: 5, checksum: sent.checksum }],
        }
      : undefined,
  key: (name, atMs) =>
    name === 'k' && atMs <= 1_000
      ? {
          fingerprint: fingerprintText(new Uint8Array(32).fill(1)),
          checksum: 0,
          recordCount: 1,
          baseOffset: 0,
          appendedAtMs: 5,
          slot: 1,
        }
      : undefined,
}
const sent = readOffered(batch({ idempotency: producer('p', 1, 0) }))

test('producers and keys are looked up each in their own table', () => {
  assert.equal(decide(view, sent, 1_000).kind, 'duplicate')
  assert.equal(decide(view, readOffered(batch({ idempotency: producer('k', 1, 0) })), 1_000).kind, 'append')
  assert.equal(decide(view, readOffered(batch({ idempotency: key('p') })), 1_000).kind, 'append')
  assert.equal(decide(view, readOffered(batch({ idempotency: key('k', 2) })), 1_000).kind, 'key-reused')
  assert.equal(decide(view, readOffered(batch({ idempotency: key('k', 2) })), 1_001).kind, 'append')
  assert.equal(decide(view, readOffered(batch()), 1_000).kind, 'append')
})

test('the expected offset counts only for what would be appended', () => {
  const offered = (expectedOffset: number, seq: number) =>
    judge(view, readOffered(batch({ expectedOffset, idempotency: producer('p', 1, seq) })), 1_000)
  assert.deepEqual(offered(6, 1), { kind: 'offset-mismatch', highWatermark: 7 })
  assert.deepEqual(offered(7, 1), { kind: 'append' })
  assert.equal(offered(0, 0).kind, 'duplicate')
  assert.equal(offered(0, 5).kind, 'out-of-order')
})

test('only a DATA entry that is what it claims has a batch', () => {
  const body = batch({ values: ['a', 'b'] })
  assert.equal(batchOf(dataAt(1, body))?.recordCount, 2)
  assert.equal(batchOf(entryAt(1, ENTRY_KIND.DATA, body, 1)), undefined)
  assert.equal(batchOf(entryAt(1, ENTRY_KIND.DATA, body.subarray(1), 2)), undefined)
  assert.equal(batchOf(entryAt(1, ENTRY_KIND.TRIM, body, 2)), undefined)
  assert.equal(batchOf(noopAt(1)), undefined)
})
