import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { operationBytes, scanPages, type KeyValue, type Operation } from '../../src/storage/key-value.ts'
import { LevelKeyValue } from '../../src/storage/level-key-value.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { tempDir } from '../support/temp-dir.ts'

const key = fc.uint8Array({ maxLength: 2, max: 5 }).map((bytes) => Buffer.from([9, ...bytes]))
const value = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(key, value).map(([at, what]) => ({ type: 'put' as const, key: at, value: what })),
  key.map((at) => ({ type: 'del' as const, key: at })),
)
const scan = fc.record(
  {
    from: key,
    below: key,
    reverse: fc.boolean(),
    countMax: fc.integer({ min: 1, max: 8 }),
    bytesMax: fc.integer({ min: 1, max: 90 }),
  },
  { noNullPrototype: true },
)

/** Pairs as text, whatever kind of byte array they came in. */
async function pairsOf(found: ReturnType<KeyValue['scan']>): Promise<string[]> {
  return (await found).map(
    (pair) => `${Buffer.from(pair.key).toString('hex')}=${Buffer.from(pair.value).toString('hex')}`,
  )
}

test('LevelDB and its twin in memory answer alike', async (t) => {
  const level = await LevelKeyValue.open(join(tempDir(t), 'db'), {
    writeBufferBytes: 65_536,
    cacheBytes: 65_536,
    mayCreate: true,
    damaged: (reason) => new Error(reason),
  })
  t.after(() => level.close())
  const memory = new MemoryKeyValue()
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 12 }),
      scan,
      fc.array(key),
      async (operations, range, keys) => {
        for (const database of [level, memory]) await database.batch(operations, { sync: false })
        assert.deepEqual(await pairsOf(memory.scan(range)), await pairsOf(level.scan(range)))
        const hex = (values: readonly (Uint8Array | undefined)[]): (string | undefined)[] =>
          values.map((bytes) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex')))
        assert.deepEqual(hex(await memory.getMany(keys)), hex(await level.getMany(keys)))
        const [first = Buffer.from([9])] = keys
        assert.deepEqual(hex([await memory.get(first)]), hex([await level.get(first)]))
      },
    ),
    { numRuns: 150 },
  )
})

test('pages of any size give the whole range once', async () => {
  const database = new MemoryKeyValue()
  const operations = Array.from({ length: 23 }, (_, index): Operation => {
    return { type: 'put', key: Buffer.from([1, index]), value: Buffer.alloc(index) }
  })
  await database.batch(operations, { sync: true })
  assert.equal(operationBytes(operations), 23 * 2 + (22 * 23) / 2)
  for (const bounds of [{ countMax: 1 }, { countMax: 5 }, { countMax: 23 }, { countMax: 99, bytesMax: 30 }]) {
    const found: number[] = []
    for await (const page of scanPages(database, {
      from: Buffer.from([1]),
      below: Buffer.from([2]),
      ...bounds,
    })) {
      for (const pair of page) found.push(pair.key[1] ?? -1)
    }
    assert.deepEqual(
      found,
      Array.from({ length: 23 }, (_, index) => index),
    )
  }
})

test('a copy of a database in memory is its own', async () => {
  const database = new MemoryKeyValue()
  const copy = database.copy()
  await database.batch([{ type: 'put', key: Buffer.from('k'), value: Buffer.from('v') }], { sync: true })
  assert.equal(copy.pairCount, 0)
  assert.equal(database.copy().pairCount, 1)
})
