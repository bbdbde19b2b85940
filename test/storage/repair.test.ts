import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../src/paxos/state.ts'
import type { Write } from '../../src/paxos/effects.ts'
import type { Slot } from '../../src/types/ids.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import { INDEX_TAG, recordKey, tagRange } from '../../src/storage/keys.ts'
import { memoryDisk, openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import { applied, ballot, bodiesOf, flippedAt, GROUP, persist, SampleLog, TestHost } from './samples.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function startOn(disk: MemoryDisk, tuning: Partial<StoreTuning> = {}) {
  const host = new TestHost()
  const store = await openMemoryStore(disk, host.options(tuning))
  const [group] = await store.recover()
  const flush = async (times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) {
      host.elapse()
      await turn()
    }
  }
  const damagedSlots = () => host.damage.flatMap(({ entries }) => entries.map(({ slot }) => slot as number))
  return { host, store, group, flush, damagedSlots }
}

/** Four entries: the first two in one persist with the state record, the others each in one of its own. */
async function fourEntries(disk: MemoryDisk, tuning: Partial<StoreTuning> = {}) {
  const run = await startOn(disk, tuning)
  const log = new SampleLog()
  const state = log.promise(1)
  const entries = log.entries(1, ['one', 'two', 'three', 'four'])
  const writes = entries.map((entry): Write => ({ kind: 'entry', entry }))
  await persist(run.store, GROUP, [state, ...writes.slice(0, 2)])
  await persist(run.store, GROUP, writes.slice(2, 3))
  await persist(run.store, GROUP, writes.slice(3))
  return { ...run, log, entries }
}

async function flip(disk: MemoryDisk, lsn: number, at = -1): Promise<void> {
  const key = recordKey(lsn)
  const value = (await disk.journal.get(key)) as Buffer
  await disk.journal.batch([{ type: 'put', key, value: flippedAt(value, at < 0 ? value.length + at : at) }], {
    sync: true,
  })
}

async function lose(disk: MemoryDisk, lsn: number): Promise<void> {
  await disk.journal.batch([{ type: 'del', key: recordKey(lsn) }], { sync: true })
}

const repair = (entry: Entry | undefined): Write[] => [{ kind: 'repair', entry: entry as Entry }]

test('a read tells what it finds damaged and ends before it', async () => {
  const disk = memoryDisk()
  const { store, host, entries, damagedSlots } = await fourEntries(disk)
  await flip(disk, 2)
  assert.deepEqual(await bodiesOf(store, 1, 4), ['one', 'two'])
  assert.deepEqual(damagedSlots(), [3])
  const [first, second, third] = entries
  const known = { slot: 3, origin: ballot(1), chain: third?.chain, chainBefore: second?.chain }
  assert.deepEqual(host.damage[0]?.entries, [known])
  assert.deepEqual(await bodiesOf(store, 4, 4), ['four'], 'What stands above is held against its own chain.')
  assert.equal(first?.slot, 1)
})

for (const [what, damage] of [
  ['its head is damaged', (disk: MemoryDisk) => flip(disk, 3, 10)],
  ['the journal has lost it', (disk: MemoryDisk) => lose(disk, 3)],
] as const) {
  test(`a record that the index has seen damages its entries alone when ${what}`, async () => {
    const disk = memoryDisk()
    const first = await fourEntries(disk)
    await persist(first.store, GROUP, [first.log.promise(2)])
    await first.store.close()
    await damage(disk)
    const { store, group } = await startOn(disk)
    assert.deepEqual(
      group?.tail.map(({ slot }) => slot),
      [1, 2, 3],
    )
    const known = {
      slot: 4,
      origin: ballot(1),
      chain: first.log.chainAt(4),
      chainBefore: first.log.chainAt(3),
    }
    assert.deepEqual(group.damaged, [known])
    assert.equal(group.state.promised.round, 2)
    await persist(store, GROUP, repair(first.entries[3]))
    assert.deepEqual(await bodiesOf(store, 3, 4), ['three', 'four'])
  })
}

test('a record that the index has not seen is damage of the whole store when its head is: it may have been a promise', async () => {
  const disk = memoryDisk()
  await fourEntries(disk)
  await flip(disk, 3, 10)
  await assert.rejects(startOn({ ...disk, index: new MemoryKeyValue() }), DamagedStoreError)
})

test('a repair takes the place of one entry, cuts nothing, and lasts', async () => {
  const disk = memoryDisk()
  const { store, flush, entries } = await fourEntries(disk)
  await flip(disk, 1)
  await persist(store, GROUP, repair(entries[1]))
  assert.deepEqual(await bodiesOf(store, 1, 4), ['one', 'two', 'three', 'four'])
  await flush()
  assert.deepEqual(await bodiesOf(store, 1, 4), ['one', 'two', 'three', 'four'], 'From the index on disk.')
  await store.close()
  for (const index of [disk.index.copy(), new MemoryKeyValue()]) {
    const next = await startOn({ ...disk, journal: disk.journal.copy(), index })
    assert.deepEqual(next.group?.damaged, [])
    assert.equal(next.group.tail.length, 4)
    assert.deepEqual(await bodiesOf(next.store, 1, 4), ['one', 'two', 'three', 'four'])
  }
})

test('a repaired entry that is damaged again is repaired again', async () => {
  const disk = memoryDisk()
  const { store, flush, entries, damagedSlots } = await fourEntries(disk)
  await flip(disk, 2)
  await persist(store, GROUP, repair(entries[2]))
  await flush()
  await flip(disk, 4)
  assert.deepEqual(await bodiesOf(store, 1, 4), ['one', 'two'])
  assert.deepEqual(damagedSlots(), [3])
  await persist(store, GROUP, repair(entries[2]))
  assert.deepEqual(await bodiesOf(store, 1, 4), ['one', 'two', 'three', 'four'])
})

test('a cut drops a repair, whose journal key becomes garbage', async () => {
  const disk = memoryDisk()
  const tuning = { sweepCountMin: 1, sweepShareMin: 0, indexSettleBytes: 1 }
  const { store, flush, log, entries } = await fourEntries(disk, tuning)
  await flip(disk, 2)
  await persist(store, GROUP, repair(entries[2]))
  await flush()
  await persist(store, GROUP, [log.promise(2, 2), ...log.write(3, ['other'], 2)])
  await flush(4)
  assert.deepEqual(await bodiesOf(store, 1, 9), ['one', 'two', 'other'])
  const repaired = await disk.index.scan({
    ...tagRange(INDEX_TAG.REPAIRED, INDEX_TAG.REPAIRED + 1),
    countMax: 9,
  })
  assert.deepEqual(repaired, [])
  await persist(store, GROUP, log.write(4, ['more'], 2))
  await flush(8)
  assert.equal(await disk.journal.get(recordKey(4)), undefined, 'The repair has left the journal.')
  await store.close()
  const next = await startOn(disk)
  assert.deepEqual(await bodiesOf(next.store, 1, 9), ['one', 'two', 'other', 'more'])
})

test('a start without an index tells applied entries that the journal cannot give back', async () => {
  const disk = memoryDisk()
  const { store, flush } = await fourEntries(disk)
  store.indexApplied(applied(4))
  await flush()
  await store.close()
  await flip(disk, 2)
  // The applied state is kept when only the journal's rows of the index have to be made again.
  const { group } = await startOn(disk)
  assert.deepEqual(group?.damaged, [], 'Nobody has read it yet.')
  const rebuilt = await startOn({ ...disk, index: new MemoryKeyValue() })
  assert.deepEqual(
    rebuilt.group?.damaged.map(({ slot }) => slot),
    [3],
  )
})

test('a repair is a persist of its own', async () => {
  const { store, entries } = await fourEntries(memoryDisk())
  const writes = [...repair(entries[0]), ...repair(entries[1])]
  assert.throws(() => store.append({ group: GROUP, writes, onDurable: () => {} }), /of its own/)
})

test('a deleted group takes its repairs along', async () => {
  const disk = memoryDisk()
  const { store, flush, entries } = await fourEntries(disk)
  await flip(disk, 2)
  await persist(store, GROUP, repair(entries[2]))
  await flush()
  await store.deleteGroup(GROUP)
  await flush(3)
  const repaired = await disk.index.scan({
    ...tagRange(INDEX_TAG.REPAIRED, INDEX_TAG.REPAIRED + 1),
    countMax: 9,
  })
  assert.deepEqual(repaired, [])
  await assert.rejects(store.readEntries(GROUP, 1 as Slot, 4 as Slot, 99), /deleted/)
})

test('a log that begins above a repaired entry drops the repair', async () => {
  const disk = memoryDisk()
  const { store, flush, log, entries } = await fourEntries(disk)
  await flip(disk, 2)
  await persist(store, GROUP, repair(entries[2]))
  await flush()
  const logStart = { ...log.state.logStart, slot: 4 as Slot, chain: entries[2]?.chain ?? 0 }
  await persist(store, GROUP, [{ kind: 'state', state: { ...log.state, logStart, through: 4 as Slot } }])
  await flush(3)
  assert.deepEqual(await bodiesOf(store, 4, 4), ['four'])
  const repaired = await disk.index.scan({
    ...tagRange(INDEX_TAG.REPAIRED, INDEX_TAG.REPAIRED + 1),
    countMax: 9,
  })
  assert.deepEqual(repaired, [])
})
