import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { SynodError } from '../../../src/errors.ts'
import { CURSOR_TEXT_MAX, decodeCursor, encodeCursor } from '../../../src/gateway/reading/cursor.ts'
import { topicId } from '../../../src/types/ids.ts'

const id = topicId('t7')

function isInvalid(error: unknown): boolean {
  return error instanceof SynodError && error.code === 'invalid-cursor'
}

test('a cursor comes back as it was made, whatever its offsets', () => {
  const offset = fc.oneof(fc.maxSafeNat(), fc.nat(300))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(999), offset), { minLength: 1, maxLength: 50 }),
      fc.nat(999),
      (places, turn) => {
        const cursor = {
          topicId: id,
          isWholeTopic: false,
          turn,
          places: new Map(places.toSorted(byPartition)),
        }
        assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor)
      },
    ),
  )
  fc.assert(
    fc.property(fc.array(offset, { minLength: 1, maxLength: 50 }), (offsets) => {
      const cursor = { topicId: id, isWholeTopic: true, turn: 0, places: new Map(offsets.entries()) }
      assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor)
    }),
  )
})

function byPartition([left]: readonly [number, number], [right]: readonly [number, number]): number {
  return left - right
}

test('a cursor over 1,000 partitions stands in an address within 8 KiB', () => {
  const places = new Map(Array.from({ length: 1_000 }, (_, partition) => [partition, partition * 2 ** 38]))
  const text = encodeCursor({ topicId: topicId('t16777215'), isWholeTopic: true, places, turn: 999 })
  assert.ok(text.length <= CURSOR_TEXT_MAX, `${text.length}`)
  assert.equal(encodeURIComponent(text), text)
  assert.deepEqual(decodeCursor(text).places, places)
})

test('a cursor that was cut, changed or made up is refused', () => {
  const places = new Map([
    [0, 17],
    [3, 1_000_000],
  ])
  const text = encodeCursor({ topicId: id, isWholeTopic: false, places, turn: 0 })
  for (let at = 0; at < text.length; at++) {
    assert.throws(() => decodeCursor(text.slice(0, at)), isInvalid, `cut at ${at}`)
    const other = text[at] === 'A' ? 'B' : 'A'
    assert.throws(() => decodeCursor(text.slice(0, at) + other + text.slice(at + 1)), isInvalid, `at ${at}`)
  }
  for (const made of ['', ' ', `${text}=`, `${text}AAAA`, 'x'.repeat(9_000), 'earliest'])
    assert.throws(() => decodeCursor(made), isInvalid)
  fc.assert(
    fc.property(fc.base64String({ maxLength: 60 }), (made) => {
      assert.throws(() => decodeCursor(made), isInvalid)
    }),
  )
})
