import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvariantError } from '../../src/types/invariant.ts'
import {
  AGED_KEYS_PER_APPLY_MAX,
  decideKey,
  fingerprintText,
  KeyTable,
  type KeyState,
} from '../../src/partition/idempotency-keys.ts'

const fingerprint = new Uint8Array(32).fill(200)

function state(slot: number, appendedAtMs: number): KeyState {
  return {
    fingerprint: fingerprintText(fingerprint),
    checksum: 7,
    recordCount: 2,
    baseOffset: slot,
    appendedAtMs,
    slot,
  }
}

test('an unknown key is appended, the same request again is a duplicate', () => {
  const claim = { fingerprint, recordCount: 2, checksum: 7 }
  assert.deepEqual(decideKey(undefined, claim), { kind: 'append' })
  const duplicate = { kind: 'duplicate', baseOffset: 5, recordCount: 2, appendedAtMs: 9 }
  assert.deepEqual(decideKey(state(5, 9), claim), duplicate)
})

test('a key with another fingerprint was used for another request', () => {
  const other = { fingerprint: new Uint8Array(32).fill(201), recordCount: 2, checksum: 7 }
  assert.deepEqual(decideKey(state(5, 9), other), { kind: 'key-reused' })
})

test('the same request with other records for this partition is not taken for a duplicate', () => {
  assert.deepEqual(decideKey(state(5, 9), { fingerprint, recordCount: 2, checksum: 8 }), { kind: 'append' })
  assert.deepEqual(decideKey(state(5, 9), { fingerprint, recordCount: 1, checksum: 7 }), { kind: 'append' })
})

test('a key beyond the window is unknown even while it is still held', () => {
  const table = new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 10 })
  table.set('k', state(1, 1_000))
  assert.ok(table.get('k', 1_100))
  assert.equal(table.get('k', 1_101), undefined)
  assert.equal(table.size, 1)
})

test('one apply forgets a bounded number of aged keys, oldest first', () => {
  const table = new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 1_000 })
  const keyCount = AGED_KEYS_PER_APPLY_MAX + 10
  for (let index = 0; index < keyCount; index++) table.set(`k${index}`, state(index + 1, 1_000))
  table.set('young', state(900, 5_000))
  table.takeRows()
  table.forgetAged(5_000)
  assert.equal(table.size, 11)
  assert.equal(table.takeRows().filter((row) => row.value === undefined).length, AGED_KEYS_PER_APPLY_MAX)
  table.forgetAged(5_000)
  assert.equal(table.size, 1)
  assert.ok(table.get('young', 5_000))
})

test('the window holds its count of keys and then forgets the oldest', () => {
  const table = new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 3 })
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) table.set(key, state(index + 1, 1_000))
  assert.equal(table.size, 3)
  assert.equal(table.get('a', 1_000), undefined)
  assert.ok(table.get('d', 1_000))
  assert.throws(() => new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 0 }), InvariantError)
})

test('rows restore the same keys in the order of the log', () => {
  const table = new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 3 })
  for (const [index, key] of ['z', '__proto__', 'ü', 'a'].entries())
    table.set(key, state(index + 1, 1_000 + index))
  const rows = table.takeRows().filter((row) => row.value !== undefined)
  const restored = new KeyTable({ dedupWindowMs: 100, dedupWindowCount: 3 })
  restored.restore([...rows].sort((a, b) => Buffer.compare(a.key, b.key)))
  for (const key of ['__proto__', 'ü', 'a']) assert.deepEqual(restored.get(key, 1_000), table.get(key, 1_000))
  restored.set('next', state(9, 1_009))
  assert.equal(restored.get('__proto__', 1_009), undefined)
  assert.ok(restored.get('ü', 1_009))
})
