import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { INDEX_TAG, markKey, tagRange } from '../../src/storage/keys.ts'
import type { OffsetMark } from '../../src/storage/log-store.ts'
import { markPuts, MARKS_PER_ROW, readMarkRow } from '../../src/storage/mark-rows.ts'
import { memoryDisk, openMemoryStore } from '../../src/storage/memory-log-store.ts'
import { slot } from '../../src/types/ids.ts'
import { applied, flippedAt, GROUP, persist, SampleLog, TestHost } from './samples.ts'

/** Batches of so many records each, from an offset on; slots that hold no records lie between. */
function marksOf(counts: readonly number[], from = 0): readonly OffsetMark[] {
  const marks: OffsetMark[] = []
  let baseOffset = from
  for (const recordCount of counts) {
    const place = marks.length
    marks.push({ slot: slot(2 * place + 1), baseOffset, recordCount, appendedAtMs: 1_000 * place })
    baseOffset += recordCount
  }
  return marks
}

const counts = fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 100 })

test('marks come back from their rows as they were, few rows for many', () => {
  fc.assert(
    fc.property(counts, fc.nat(), (each, from) => {
      const marks = marksOf(each, from)
      const puts = markPuts(GROUP, marks)
      assert.equal(puts.length, Math.ceil(marks.length / MARKS_PER_ROW))
      assert.deepEqual(
        puts.flatMap((put) => (put.type === 'put' ? readMarkRow(put.key, put.value) : [])),
        marks,
      )
    }),
  )
})

test('a row begins where the one before does not end', () => {
  const marks = [...marksOf([5, 5]), ...marksOf([5], 20)]
  const keys = markPuts(GROUP, marks).map(({ key }) => key)
  assert.deepEqual(keys, [markKey(GROUP, 0), markKey(GROUP, 20)])
})

test('a row with another bit, under another key or cut short is none', () => {
  const [put] = markPuts(GROUP, marksOf([3, 4]))
  assert.ok(put?.type === 'put')
  const { key, value } = put
  for (let at = 0; at < value.length; at++) assert.equal(readMarkRow(key, flippedAt(value, at)), undefined)
  assert.equal(readMarkRow(markKey(GROUP, 1), value), undefined)
  assert.equal(readMarkRow(key, value.subarray(0, 24)), undefined)
  assert.equal(readMarkRow(key, value.subarray(0, 4)), undefined)
})

test('every offset and time is found whatever rows its marks lie in, also where rows overlap', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 90 }),
      fc.array(fc.nat({ max: 90 }), { maxLength: 6 }),
      fc.boolean(),
      async (each, cuts, overlaps) => {
        const disk = memoryDisk()
        const host = new TestHost()
        const store = await openMemoryStore(disk, host.options())
        await store.recover()
        const log = new SampleLog()
        await persist(store, GROUP, [log.promise(1), ...log.write(1, Array<string>(200).fill('body'))])
        const marks = marksOf(each)
        const end = marks.at(-1)!.baseOffset + marks.at(-1)!.recordCount
        const applied = { group: GROUP, slot: slot(200), nextOffset: end, lastAppendedAtMs: 1e6, logBytes: 9 }
        store.indexApplied({ ...applied, marks: [], rows: [] })
        await store.close()
        const places = [0, ...cuts.filter((cut) => cut < marks.length)].sort((one, other) => one - other)
        const operations = places.flatMap((place, index) => {
          const below = overlaps ? marks.length : (places[index + 1] ?? marks.length)
          return markPuts(GROUP, marks.slice(place, below))
        })
        await disk.index.batch(operations, { sync: true })

        const found = await openMemoryStore(disk, new TestHost().options())
        await found.recover()
        assert.deepEqual(await found.readMarks(GROUP, 0, 1_000), marks)
        for (const [place, mark] of marks.entries()) {
          for (let offset = mark.baseOffset; offset < mark.baseOffset + mark.recordCount; offset++)
            assert.deepEqual(await found.findOffset(GROUP, offset), mark)
          assert.deepEqual(await found.readMarks(GROUP, mark.baseOffset, 2), marks.slice(place, place + 2))
          assert.deepEqual(await found.findTime(GROUP, mark.appendedAtMs), mark)
          assert.deepEqual(await found.findTime(GROUP, mark.appendedAtMs - 1), mark)
        }
        assert.equal(await found.findOffset(GROUP, end), undefined)
        await found.close()
      },
    ),
    { numRuns: 30 },
  )
})

test('what is applied again after a power cut leaves no older row between the new ones', async () => {
  const disk = memoryDisk()
  const host = new TestHost()
  const store = await openMemoryStore(disk, host.options())
  await store.recover()
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, Array<string>(40).fill('body'))])
  for (const [from, to] of [
    [1, 20],
    [21, 22],
    [23, 24],
  ] as const) {
    store.indexApplied(applied(to, from))
    host.elapse()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await store.close()
  // The power cut took the batches that vouch for what is applied, and not the one that says it.
  const batches = await disk.index.scan({ ...tagRange(INDEX_TAG.BATCH, INDEX_TAG.BATCH + 1), countMax: 9 })
  await disk.index.batch(
    batches.map(({ key }) => ({ type: 'del', key })),
    { sync: true },
  )

  const again = await openMemoryStore(disk, new TestHost().options())
  const [recovered] = await again.recover()
  assert.equal(recovered?.applied.slot, 0)
  again.indexApplied(applied(40))
  await again.close()
  const found = await openMemoryStore(disk, new TestHost().options())
  await found.recover()
  for (let offset = 0; offset < 40; offset++)
    assert.equal((await found.findOffset(GROUP, offset))?.baseOffset, offset)
  await found.close()
})
