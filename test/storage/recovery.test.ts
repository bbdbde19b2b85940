import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyValue, Operation } from '../../src/storage/key-value.ts'
import {
  FLOOR_KEY,
  garbageKey,
  headKey,
  INDEX_TAG,
  recordKey,
  runKey,
  tagRange,
} from '../../src/storage/keys.ts'
import type { RecoveredGroup } from '../../src/storage/log-store.ts'
import { memoryDisk, openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import { encodeFloor, readFloor } from '../../src/storage/rows.ts'
import { DamagedEntryError, DamagedIndexError, DamagedStoreError } from '../../src/storage/storage-errors.ts'
import type { Slot } from '../../src/types/ids.ts'
import { CrashingKeyValue } from './crashing-disk.ts'
import {
  applied,
  ballot,
  bodiesOf,
  flippedAt,
  GROUP,
  OTHER,
  persist,
  SampleLog,
  TestHost,
} from './samples.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A store whose index batches a test may lose. */
async function startOn(disk: MemoryDisk, tuning: Partial<StoreTuning> = {}) {
  const host = new TestHost()
  const journal = new CrashingKeyValue(disk.journal)
  const index = new CrashingKeyValue(disk.index)
  const store = await openMemoryStore({ journal, index, identity: disk.identity }, host.options(tuning))
  const groups = await store.recover()
  const flush = async (): Promise<void> => {
    host.elapse()
    await turn()
  }
  /** What a power cut leaves when it takes these batches of the index, counted from 0. */
  const crash = async (...lost: number[]): Promise<MemoryDisk> => ({
    journal: await journal.crash(() => false, 0),
    index: await index.crash((at) => lost.includes(at), Infinity),
    identity: disk.identity,
  })
  return { host, store, groups, journal, index, flush, crash }
}

async function recover(disk: MemoryDisk): Promise<readonly RecoveredGroup[]> {
  return (await startOn(disk)).groups
}

const damaged = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DamagedStoreError, String(error))
  assert.match(error.message, pattern)
  return true
}

async function change(database: KeyValue, ...operations: Operation[]): Promise<void> {
  await database.batch(operations, { sync: true })
}

test('J1: trusts the index up to the first missing batch, not up to the newest one', async () => {
  const { store, flush, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a'])])
  await flush()
  await persist(store, OTHER, [new SampleLog().promise(5)])
  await persist(store, GROUP, log.write(2, ['b']))
  store.indexApplied(applied(2))
  await flush()
  await persist(store, GROUP, log.write(3, ['c']))
  store.indexApplied({ ...applied(3, 3), rows: [{ key: Buffer.from('new'), value: Buffer.from('3') }] })
  await flush()
  const { groups, store: next } = await startOn(await crash(1))
  assert.deepEqual(
    groups.map((group) => [group.group, group.state.promised.round]),
    [
      [GROUP, 1],
      [OTHER, 5],
    ],
  )
  assert.equal(groups[0]?.applied.slot, 0, 'rows of batch 3 without those of batch 2 are worth nothing')
  assert.deepEqual(await next.recoverRows(GROUP), [])
  assert.deepEqual(await bodiesOf(next, 1, 9), ['a', 'b', 'c'])
})

test('J1: drops dead runs although the index shows the group as of a later record', async () => {
  const { store, flush, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  for (const slot of [1, 2, 3, 4]) await persist(store, GROUP, log.write(slot, [`old ${slot}`]))
  await flush()
  await persist(store, GROUP, [log.promise(2, 1)])
  await flush()
  await persist(store, GROUP, [log.promise(3)])
  await flush()
  const second = await startOn(await crash(1))
  await persist(second.store, GROUP, log.write(2, ['x', 'y', 'z'], 3))
  await second.flush()
  assert.deepEqual(await bodiesOf(second.store, 1, 9), ['old 1', 'x', 'y', 'z'])
})

test('J2: an index that is ahead of the journal proves a lost tail', async () => {
  const { store, journal, flush, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  await persist(store, GROUP, log.write(1, ['a']))
  await flush()
  const disk = await crash()
  await change(disk.journal, { type: 'del', key: recordKey(2) })
  await assert.rejects(recover(disk), damaged(/^The journal ends at number 1, but the index has seen 2\.$/))
  assert.ok(journal.written.every(({ isSynced }) => isSynced))
})

test('J2: writes nothing of a record to the index before the record is durable', async () => {
  const disk = memoryDisk()
  const { store, journal, index, flush } = await startOn(disk)
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  await flush()
  const before = index.written.length
  let finish: () => void = () => {}
  const held = new Promise<void>((resolve) => (finish = resolve))
  const real = journal.batch.bind(journal)
  journal.batch = async (operations, options) => {
    await held
    await real(operations, options)
  }
  const durable = persist(store, GROUP, log.write(1, ['a']))
  store.indexApplied(applied(1))
  await flush()
  assert.equal(index.written.length, before)
  assert.deepEqual(await bodiesOf(store, 1, 9), [])
  finish()
  await durable
  await flush()
  assert.equal(index.written.length, before + 1)
  assert.equal((await store.findOffset(GROUP, 0))?.slot, 1)
})

test('J3: recovers everything from the journal alone after garbage was collected', async () => {
  const first = await startOn(memoryDisk())
  const log = new SampleLog()
  for (let round = 1; round <= 20; round++) await persist(first.store, GROUP, [log.promise(round)])
  await persist(first.store, GROUP, log.write(1, ['a', 'b']))
  await persist(first.store, GROUP, [log.promise(21, 1), ...log.write(2, ['B'], 21)])
  await first.flush()
  const disk = await first.crash()
  const second = await startOn(disk, { sweepCountMin: 1 })
  await persist(second.store, GROUP, [log.promise(22)])
  for (let step = 0; step < 4; step++) await second.flush()
  const left = await second.crash()
  assert.ok(left.journal.pairCount < 10, `${left.journal.pairCount} keys are left of 23`)
  const [group] = await recover({ ...left, index: new MemoryKeyValue() })
  assert.equal(group?.state.promised.round, 22)
  assert.deepEqual(
    group.tail.map((entry) => entry.body.toString()),
    ['a', 'B'],
  )
})

test('J4: reads a missing number as deletion at or below the floor, and as damage above it', async () => {
  const first = await startOn(memoryDisk())
  const log = new SampleLog()
  for (let round = 1; round <= 5; round++) await persist(first.store, GROUP, [log.promise(round)])
  await first.flush()
  const second = await startOn(await first.crash(), { sweepCountMin: 1 })
  for (let round = 6; round <= 8; round++) await persist(second.store, GROUP, [log.promise(round)])
  for (let step = 0; step < 4; step++) await second.flush()
  for (let round = 9; round <= 10; round++) await persist(second.store, GROUP, [log.promise(round)])
  const swept = await second.crash()
  assert.ok((await swept.journal.get(FLOOR_KEY)) !== undefined)
  assert.equal(await swept.journal.get(recordKey(1)), undefined)
  await recover({ ...swept, journal: swept.journal.copy(), index: swept.index.copy() })
  await recover({ ...swept, journal: swept.journal.copy(), index: new MemoryKeyValue() })
  await change(swept.journal, { type: 'del', key: recordKey(9) })
  await assert.rejects(
    recover({ ...swept, index: new MemoryKeyValue() }),
    damaged(/^The journal has lost number 9/),
  )
  await change(swept.journal, { type: 'del', key: FLOOR_KEY })
  await assert.rejects(
    recover({ ...swept, index: new MemoryKeyValue() }),
    damaged(/^The journal has lost number 1/),
  )
})

test('J4: misses a whole group that was there when the floor was written', async () => {
  const first = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(first.store, OTHER, [new SampleLog().promise(1)])
  for (let round = 1; round <= 5; round++) await persist(first.store, GROUP, [log.promise(round)])
  await first.flush()
  const second = await startOn(await first.crash(), { sweepCountMin: 1 })
  await persist(second.store, GROUP, [log.promise(6)])
  for (let step = 0; step < 4; step++) await second.flush()
  const disk = { ...(await second.crash()), index: new MemoryKeyValue() }
  await change(disk.journal, { type: 'del', key: recordKey(1) })
  await assert.rejects(recover(disk), damaged(/^The journal has 1 groups of the 2 that it must have\.$/))
})

test('J5: a state record cuts the log at replay, so that dropped entries do not rise again', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  for (const slot of [1, 2, 3]) await persist(store, GROUP, log.write(slot, [`${slot}`]))
  await persist(store, GROUP, [log.promise(2, 1)])
  const { groups, store: next } = await startOn({ ...(await crash()), index: new MemoryKeyValue() })
  assert.deepEqual(
    groups[0]?.tail.map((entry) => entry.slot),
    [1],
  )
  assert.deepEqual(await bodiesOf(next, 1, 9), ['1'])
})

test('refuses a journal with a hole', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  for (let round = 1; round <= 4; round++) await persist(store, GROUP, [log.promise(round)])
  const disk = await crash()
  await change(disk.journal, { type: 'del', key: recordKey(2) })
  await assert.rejects(recover(disk), damaged(/^The journal has lost number 2, though it goes on to 3\.$/))
})

test('refuses a journal whose newest key rotted in its table and is found from the end alone', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  for (let round = 1; round <= 4; round++) await persist(store, GROUP, [log.promise(round)])
  await store.close()
  const disk = await crash()
  const value = (await disk.journal.get(recordKey(4))) as Buffer
  const rotten = recordKey(4)
  rotten[1]! ^= 0x80
  await change(disk.journal, { type: 'del', key: recordKey(4) }, { type: 'put', key: rotten, value })
  const { scan } = disk.journal
  // LevelDB asks the index of the table first, which says that the block ends at number 4.
  disk.journal.scan = (range) =>
    range.reverse !== true && Buffer.compare(range.from, recordKey(4)) > 0
      ? Promise.resolve([])
      : scan.call(disk.journal, range)
  const opened = await openMemoryStore(disk, new TestHost().options())
  await assert.rejects(
    opened.recover(),
    damaged(/^The journal's newest number is \d+, but none is found above 4\.$/),
  )
})

test('tells a flipped byte in a body as a damaged entry, also without an index', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['first body', 'second body'])])
  await store.close()
  const disk = await crash()
  const value = (await disk.journal.get(recordKey(1))) as Buffer
  for (let at = value.length - 'second body'.length; at < value.length; at++) {
    const journal = disk.journal.copy()
    await change(journal, { type: 'put', key: recordKey(1), value: flippedAt(value, at) })
    for (const index of [disk.index.copy(), new MemoryKeyValue()]) {
      const [group] = await recover({ ...disk, journal, index })
      assert.deepEqual(
        group?.tail.map((entry) => entry.slot),
        [1],
      )
      const known = { slot: 2, origin: ballot(1), chain: log.chainAt(2), chainBefore: log.chainAt(1) }
      assert.deepEqual(group.damaged, [known])
    }
  }
})

test('reports a flipped byte anywhere in the head of a journal value and never serves what it tells of', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['first body', 'second body'])])
  await store.close()
  const disk = await crash()
  const value = (await disk.journal.get(recordKey(1))) as Buffer
  for (let at = 0; at < value.length - 'first bodysecond body'.length; at++) {
    const journal = disk.journal.copy()
    await change(journal, { type: 'put', key: recordKey(1), value: flippedAt(value, at) })
    await assert.rejects(
      recover({ ...disk, journal, index: new MemoryKeyValue() }),
      damaged(/fails its checksum/),
    )
    // The index has the state record, and knows what the entries were.
    const [group] = await recover({ ...disk, journal, index: disk.index.copy() })
    assert.equal(group?.state.promised.round, 1)
    assert.deepEqual(group.tail, [])
    assert.deepEqual(
      group.damaged.map((entry) => entry.chain),
      [log.chainAt(1), log.chainAt(2)],
    )
  }
})

test('throws DamagedEntryError when a read meets damage, and serves what is whole', async () => {
  const { store, journal } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['first', 'second'])])
  const value = Buffer.from((await journal.get(recordKey(1))) as Buffer)
  value[value.length - 1] = 0
  await change(journal, { type: 'put', key: recordKey(1), value })
  assert.deepEqual(await bodiesOf(store, 1, 2), ['first'])
  await assert.rejects(store.readEntries(GROUP, 2 as Slot, 2 as Slot, 99), (error) => {
    return error instanceof DamagedEntryError && error.slot === 2 && error.group === GROUP
  })
})

test('rebuilds an index with a damaged row', async () => {
  const { store, flush, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a'])])
  await flush()
  const disk = await crash()
  const rows = await disk.index.scan({ ...tagRange(INDEX_TAG.HEAD, INDEX_TAG.HEAD + 1), countMax: 9 })
  for (const { key, value } of rows) {
    const flipped = Buffer.from(value)
    flipped[20] = (flipped[20] as number) ^ 1
    await change(disk.index, { type: 'put', key, value: flipped })
  }
  const [group] = await recover(disk)
  assert.equal(group?.state.promised.round, 1)
  assert.equal(group.tail.length, 1)
})

test('rebuilds at the next start an index in which a read met damage, and says both', async () => {
  const first = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(first.store, GROUP, [log.promise(1)])
  for (const slot of [1, 2, 3]) await persist(first.store, GROUP, log.write(slot, [`${slot}`]))
  first.store.indexApplied(applied(3))
  await first.flush()
  const disk = await first.crash()
  await change(disk.index, { type: 'put', key: runKey(GROUP, 2), value: Buffer.alloc(40) })
  const second = await startOn(disk)
  assert.deepEqual(await bodiesOf(second.store, 1, 1), ['1'])
  for (const _ of ['the first time', 'again'])
    await assert.rejects(bodiesOf(second.store, 2, 3), DamagedEntryError)
  await turn()
  assert.equal(second.host.warnings.length, 1)
  assert.match(second.host.warnings[0] ?? '', /^The index is damaged and will be rebuilt at the next start: /)
  await persist(second.store, GROUP, log.write(4, ['4']))
  await second.flush()
  const third = await startOn(await second.crash())
  assert.match(third.host.warnings[0] ?? '', /^The index is set aside and rebuilt from the journal: /)
  assert.deepEqual(await bodiesOf(third.store, 1, 9), ['1', '2', '3', '4'])
  assert.equal(third.groups[0]?.applied.slot, 0)
})

test('J2: takes a damaged index for what it still says of the end of the journal', async () => {
  const { store, flush, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  await persist(store, GROUP, log.write(1, ['a']))
  await flush()
  const disk = await crash()
  await change(disk.index, { type: 'put', key: headKey(GROUP), value: Buffer.alloc(40) })
  await change(disk.journal, { type: 'del', key: recordKey(2) })
  await assert.rejects(recover(disk), damaged(/^The journal ends at number 1, but the index has seen 2\.$/))
})

test('J2: knows without any index that the journal ends before its floor was written', async () => {
  const first = await startOn(memoryDisk(), { sweepCountMin: 1 })
  const log = new SampleLog()
  for (let round = 1; round <= 5; round++) await persist(first.store, GROUP, [log.promise(round)])
  for (let step = 0; step < 4; step++) await first.flush()
  const disk = { ...(await first.crash()), index: new MemoryKeyValue() }
  const floor = readFloor(FLOOR_KEY, (await disk.journal.get(FLOOR_KEY)) as Uint8Array)
  assert.deepEqual(floor, { lsn: 4, groupCount: 1, atLsn: 5 })
  const value = encodeFloor(FLOOR_KEY, { lsn: 4, groupCount: 1, atLsn: 6 })
  await change(disk.journal, { type: 'put', key: FLOOR_KEY, value })
  await assert.rejects(recover(disk), damaged(/^The journal ends at number 5, but it had 6 when its floor/))
})

test('frees the rows and journal keys of a deleted group and never finds it again', async () => {
  const tuning = { sweepCountMin: 1, sweepCountMax: 5, indexSettleBytes: 1 }
  const { store, flush, crash } = await startOn(memoryDisk(), tuning)
  const log = new SampleLog()
  await persist(store, OTHER, [new SampleLog().promise(1)])
  await persist(store, GROUP, [log.promise(1)])
  for (let slot = 1; slot <= 12; slot++) await persist(store, GROUP, log.write(slot, ['body']))
  store.indexApplied(applied(12))
  await flush()
  await store.deleteGroup(GROUP)
  for (let step = 0; step < 20; step++) {
    await persist(store, OTHER, [new SampleLog().promise(2 + step)])
    await flush()
  }
  const disk = await crash()
  for (const tag of [INDEX_TAG.RUN, INDEX_TAG.MARK, INDEX_TAG.MACHINE]) {
    assert.deepEqual(await disk.index.scan({ ...tagRange(tag, tag + 1), countMax: 99 }), [])
  }
  assert.equal(await disk.journal.get(recordKey(2)), undefined)
  const plain = await recover({ ...disk, journal: disk.journal.copy(), index: disk.index.copy() })
  assert.deepEqual(
    plain.map((group) => group.group),
    [OTHER],
  )
  const rebuilt = await recover({ ...disk, index: new MemoryKeyValue() })
  assert.deepEqual(
    rebuilt.map((group) => group.group),
    [OTHER],
  )
})

test('keeps a broker that only promises from growing without bound', async () => {
  const { store, flush, crash } = await startOn(memoryDisk(), { sweepCountMin: 50, indexSettleBytes: 2_000 })
  const log = new SampleLog()
  for (let round = 1; round <= 600; round++) {
    await persist(store, GROUP, [log.promise(round)])
    if (round % 5 === 0) await flush()
  }
  const disk = await crash()
  assert.ok(disk.journal.pairCount < 200, `${disk.journal.pairCount} keys`)
  assert.ok(disk.index.pairCount < 200, `${disk.index.pairCount} rows`)
  assert.equal((await recover(disk))[0]?.state.promised.round, 600)
})

test('deletes no journal key because of a damaged garbage row', async () => {
  const first = await startOn(memoryDisk())
  const log = new SampleLog()
  for (let round = 1; round <= 3; round++) await persist(first.store, GROUP, [log.promise(round)])
  await first.flush()
  const disk = await first.crash()
  await change(disk.index, { type: 'put', key: garbageKey(3), value: Buffer.alloc(4) })
  const second = await startOn(disk, { sweepCountMin: 1 })
  await persist(second.store, OTHER, [new SampleLog().promise(1)])
  for (let step = 0; step < 3; step++) await second.flush()
  assert.notEqual(await second.journal.get(recordKey(3)), undefined)
  assert.equal(await second.journal.get(recordKey(1)), undefined)
})

test('frees nothing more, and goes on, when the rows that say what is garbage cannot be read', async () => {
  const { host, store, index, journal, flush, crash } = await startOn(memoryDisk(), { sweepCountMin: 1 })
  const isGarbage = ({ from }: { readonly from: Uint8Array }): boolean => from[0] === INDEX_TAG.GARBAGE
  const { scan } = index
  index.scan = (range) =>
    isGarbage(range) ? Promise.reject(new DamagedIndexError('Bits rot.')) : scan.call(index, range)
  const log = new SampleLog()
  for (let round = 1; round <= 3; round++) await persist(store, GROUP, [log.promise(round)])
  for (let step = 0; step < 3; step++) await flush()
  assert.deepEqual(host.failures, [])
  assert.deepEqual(host.warnings, ['The index is damaged and will be rebuilt at the next start: Bits rot.'])
  await persist(store, GROUP, [log.promise(4)])
  assert.notEqual(await journal.get(recordKey(1)), undefined)
  const [group] = await recover(await crash())
  assert.equal(group?.state.promised.round, 4)
})

test('a log that begins anew just behind its end has the chain value of the checkpoint there', async () => {
  const { store, crash } = await startOn(memoryDisk())
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['never chosen'])])
  const logStart = { ...log.state.logStart, slot: 2 as Slot, chain: 4711 }
  await persist(store, GROUP, [{ kind: 'state', state: { ...log.state, logStart, through: 1 as Slot } }])
  await store.close()
  const [group] = await recover(await crash())
  assert.deepEqual([group?.applied.slot, group?.chainAtApplied, group?.tail.length], [1, 4711, 0])
})
