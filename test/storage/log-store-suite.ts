import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import type { StoreOptions } from '../../src/storage/options.ts'
import type { Slot } from '../../src/types/ids.ts'
import { eventually } from '../support/eventually.ts'
import { applied, bodiesOf, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

/** Opens the same store again and again; `t` cleans up after the test. */
export type OpenStore = (options: StoreOptions) => Promise<JournaledStore>

/** What every LogStore does, on every kind of disk. */
export function logStoreSuite(name: string, newDisk: (t: TestContext) => OpenStore): void {
  const start = async (t: TestContext) => {
    const host = new TestHost()
    const open = newDisk(t)
    const store = await open(host.options())
    await store.recover()
    t.after(() => store.close())
    const log = new SampleLog()
    return { host, open, store, log }
  }
  /** Closes and opens again. */
  const restart = async (t: TestContext, open: OpenStore, store: JournaledStore) => {
    await store.close()
    const next = await open(new TestHost().options())
    t.after(() => next.close())
    const groups = await next.recover()
    return { next, groups }
  }

  describe(`${name} log store`, () => {
    test('confirms persists in the order of their appends', async (t) => {
      const { store, log } = await start(t)
      const order: number[] = []
      await new Promise<void>((resolve) => {
        store.append({ group: GROUP, writes: [log.promise(1)], onDurable: () => order.push(1) })
        store.append({ group: GROUP, writes: log.write(1, ['a']), onDurable: () => order.push(2) })
        store.append({
          group: OTHER,
          writes: [new SampleLog().promise(1)],
          onDurable: () => (order.push(3), resolve()),
        })
      })
      assert.deepEqual(order, [1, 2, 3])
      assert.equal(store.durableLsn, 3)
    })

    test('a start becomes durable, and is no progress of the journal however often it happens', async (t) => {
      const { open, store, log } = await start(t)
      await store.begin()
      assert.deepEqual([store.recoveredLsn, store.durableLsn], [0, 0])
      await persist(store, GROUP, [log.promise(1)])
      assert.equal(store.durableLsn, 2)
      let before = store
      for (let starts = 0; starts < 3; starts++) {
        const { next, groups } = await restart(t, open, before)
        assert.deepEqual([next.recoveredLsn, next.durableLsn, groups.length], [2, 2, 1])
        await next.begin()
        before = next
      }
      await persist(before, GROUP, log.write(1, ['a']))
      assert.equal(before.durableLsn, 6)
    })

    test('a journal that is shorter than when it was closed in order is known to have forgotten', async (t) => {
      const { open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1)])
      const { next: whole } = await restart(t, open, store)
      assert.equal(whole.hasForgotten, false)
      const { storeId } = whole.identity
      const proof = { storeId, walSeq: whole.durableLsn + 1 }
      await whole.close()
      const lost = await open(new TestHost().options())
      await lost.notes.write('clean', proof)
      await lost.recover()
      assert.equal(lost.hasForgotten, true)
      await lost.begin()
      const { next: later } = await restart(t, open, lost)
      assert.equal(later.hasForgotten, true, 'The proof is kept.')
    })

    test('a note that cannot be read is no note, and one of another store says nothing', async (t) => {
      const { open, store } = await start(t)
      await store.notes.write('clean', { storeId: 'f'.repeat(32), walSeq: 99 })
      const { next } = await restart(t, open, store)
      assert.equal(next.hasForgotten, false)
      await next.notes.write('seen', [1, 2, 3])
      assert.deepEqual(await next.notes.read('seen'), [1, 2, 3])
      await next.notes.remove('seen')
      assert.equal(await next.notes.read('seen'), undefined)
    })

    test('makes everything that is queued during a sync one synced batch', async (t) => {
      const { host, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1)])
      const before = store.usage()
      const first = persist(store, GROUP, log.write(1, ['a']))
      await Promise.resolve()
      assert.equal(store.isSyncing, true)
      const rest = Array.from({ length: 20 }, (_, index) =>
        persist(store, GROUP, log.write(2 + index, ['b'])),
      )
      await Promise.all([first, ...rest])
      assert.equal(store.usage().syncCount - before.syncCount, 2)
      assert.equal(store.usage().syncedWriteCount - before.syncedWriteCount, 21)
      assert.equal(store.isSyncing, false)
      assert.equal(host.idleCount, 3)
    })

    test('reads back what was appended, within the bounds asked for', async (t) => {
      const { host, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'bb', 'ccc'])])
      await persist(store, GROUP, log.write(4, ['d', 'e']))
      for (const _ of ['from memory', 'from the database']) {
        assert.deepEqual(await bodiesOf(store, 1, 99), ['a', 'bb', 'ccc', 'd', 'e'])
        assert.deepEqual(await bodiesOf(store, 2, 4), ['bb', 'ccc', 'd'])
        assert.deepEqual(await bodiesOf(store, 6, 9), [])
        const few = await store.readEntries(GROUP, 2 as Slot, 5 as Slot, 5)
        assert.deepEqual(
          few.map((entry) => entry.slot),
          [2, 3],
        )
        const one = await store.readEntries(GROUP, 3 as Slot, 5 as Slot, 0)
        assert.deepEqual(
          one.map((entry) => entry.slot),
          [3],
        )
        host.elapse()
      }
      assert.deepEqual(await store.readEntries(OTHER, 1 as Slot, 9 as Slot, 99), [])
      assert.equal(store.groupBytes(GROUP), 8)
    })

    test('drops every entry above one that is written again', async (t) => {
      const { host, open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b', 'c'])])
      await persist(store, GROUP, log.write(4, ['d', 'e']))
      host.elapse()
      await persist(store, GROUP, log.write(3, ['C'], 2))
      assert.deepEqual(await bodiesOf(store, 1, 9), ['a', 'b', 'C'])
      await persist(store, GROUP, log.write(4, ['D', 'E', 'F'], 2))
      assert.deepEqual(await bodiesOf(store, 1, 9), ['a', 'b', 'C', 'D', 'E', 'F'])
      const { next, groups } = await restart(t, open, store)
      assert.deepEqual(
        groups[0]?.tail.map((entry) => entry.body.toString()),
        ['a', 'b', 'C', 'D', 'E', 'F'],
      )
      assert.deepEqual(await bodiesOf(next, 2, 9), ['b', 'C', 'D', 'E', 'F'])
    })

    test('cuts the log to what a state record says', async (t) => {
      const { host, open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b', 'c'])])
      await persist(store, GROUP, log.write(4, ['d']))
      host.elapse()
      await persist(store, GROUP, [log.promise(2, 2)])
      assert.deepEqual(await bodiesOf(store, 1, 9), ['a', 'b'])
      await persist(store, GROUP, log.write(3, ['x'], 2))
      const { groups } = await restart(t, open, store)
      assert.deepEqual(
        groups[0]?.tail.map((entry) => entry.body.toString()),
        ['a', 'b', 'x'],
      )
      assert.equal(groups[0]?.state.promised.round, 2)
    })

    test('finds marks by offset and by time, in memory and in the database', async (t) => {
      const { host, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b', 'c', 'd', 'e', 'f'])])
      store.indexApplied(applied(4))
      host.elapse()
      await eventually(async () => assert.equal((await store.readMarks(GROUP, 0, 9)).length, 4))
      store.indexApplied(applied(6, 5))
      assert.equal((await store.findOffset(GROUP, 2))?.slot, 3)
      assert.equal((await store.findOffset(GROUP, 5))?.slot, 6)
      assert.equal(await store.findOffset(GROUP, 6), undefined)
      assert.equal((await store.findTime(GROUP, 2_500))?.slot, 3)
      assert.equal((await store.findTime(GROUP, 0))?.slot, 1)
      assert.equal((await store.findTime(GROUP, 5_001))?.slot, 6)
      assert.equal(await store.findTime(GROUP, 6_001), undefined)
      assert.deepEqual(
        (await store.readMarks(GROUP, 3, 2)).map((mark) => mark.slot),
        [4, 5],
      )
    })

    test('finds the mark whose batch of several records holds the offset', async (t) => {
      const { store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b'])])
      const marks = [
        { slot: 1 as Slot, baseOffset: 0, recordCount: 10, appendedAtMs: 5 },
        { slot: 2 as Slot, baseOffset: 10, recordCount: 5, appendedAtMs: 5 },
      ]
      store.indexApplied({
        group: GROUP,
        slot: 2 as Slot,
        nextOffset: 15,
        lastAppendedAtMs: 5,
        logBytes: 0,
        marks,
        rows: [],
      })
      assert.equal((await store.findOffset(GROUP, 9))?.baseOffset, 0)
      assert.equal((await store.findOffset(GROUP, 10))?.baseOffset, 10)
      assert.equal((await store.findOffset(GROUP, 14))?.baseOffset, 10)
      assert.equal(await store.findOffset(GROUP, 15), undefined)
    })

    test('starts again with applied state, machine rows and the tail above them', async (t) => {
      const { open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(3), ...log.write(1, ['a', 'b', 'c'])])
      store.indexApplied(applied(2))
      store.indexApplied({ ...applied(2, 3), rows: [{ key: Buffer.from('gone'), value: Buffer.from('x') }] })
      store.indexApplied({ ...applied(2, 3), rows: [{ key: Buffer.from('gone'), value: undefined }] })
      const { next, groups } = await restart(t, open, store)
      const [group] = groups
      assert.deepEqual(group?.applied, { slot: 2, nextOffset: 2, lastAppendedAtMs: 2_000, logBytes: 0 })
      assert.equal(group.chainAtApplied, log.chainAt(2))
      assert.deepEqual(
        group.tail.map((entry) => entry.slot),
        [3],
      )
      assert.deepEqual(group.state, log.state)
      const rows = await next.recoverRows(GROUP)
      assert.deepEqual(
        rows.map((row) => [row.key.toString(), row.value?.toString()]),
        [['last', '2']],
      )
      assert.equal((await next.findOffset(GROUP, 1))?.slot, 2)
      assert.equal(next.durableLsn, 1)
    })

    test('keeps appending after a restart', async (t) => {
      const { open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a'])])
      const { next } = await restart(t, open, store)
      await persist(next, GROUP, log.write(2, ['b']))
      const again = await restart(t, open, next)
      assert.deepEqual(await bodiesOf(again.next, 1, 9), ['a', 'b'])
      assert.equal(again.next.durableLsn, 2)
    })

    test('forgets a deleted group for good', async (t) => {
      const { host, open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a'])])
      await persist(store, OTHER, [new SampleLog().promise(1)])
      host.elapse()
      await store.deleteGroup(GROUP)
      await assert.rejects(store.readEntries(GROUP, 1 as Slot, 2 as Slot, 9), (error) => {
        return error instanceof SynodError && error.code === 'not-found'
      })
      assert.throws(
        () => store.append({ group: GROUP, writes: [log.promise(2)], onDurable: () => {} }),
        /deleted/,
      )
      const { groups } = await restart(t, open, store)
      assert.deepEqual(
        groups.map((found) => found.group),
        [OTHER],
      )
    })

    test('makes a retired replica anew, which knows nothing of the one before but where it may vote', async (t) => {
      const { host, open, store, log } = await start(t)
      await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b'])])
      store.indexApplied(applied(2))
      await store.retireGroup(GROUP, 4)
      assert.equal(store.wasDeleted(GROUP), false)
      assert.equal(store.retiredAt(GROUP), 4)
      await assert.rejects(store.readEntries(GROUP, 1 as Slot, 2 as Slot, 9), /gone|deleted/)
      const { groups, next } = await restart(t, open, store)
      assert.deepEqual(groups, [])
      assert.equal(next.retiredAt(GROUP), 4)
      const anew = new SampleLog()
      assert.throws(
        () => next.append({ group: GROUP, writes: [anew.promise(1)], onDurable: () => {} }),
        /votes above/,
      )
      anew.state = { ...anew.state, minConfiguration: 4 }
      await persist(next, GROUP, [anew.promise(1), ...anew.write(1, ['c'])])
      next.indexApplied(applied(1))
      host.elapse()
      assert.equal(next.retiredAt(GROUP), 0)
      assert.deepEqual(await bodiesOf(next, 1, 9), ['c'])
      const again = await restart(t, open, next)
      assert.deepEqual(
        again.groups.map((found) => [found.group, found.state.minConfiguration]),
        [[GROUP, 4]],
      )
      assert.deepEqual(await bodiesOf(again.next, 1, 9), ['c'])
      await again.next.retireGroup(GROUP, 6)
      await again.next.deleteGroup(GROUP)
      assert.ok(again.next.wasDeleted(GROUP))
      const last = await restart(t, open, again.next)
      assert.ok(last.next.wasDeleted(GROUP))
    })

    test('belongs to one cluster, durably', async (t) => {
      const { open, store } = await start(t)
      assert.equal(store.identity.clusterId, '')
      await store.adoptCluster('c1')
      await store.adoptCluster('c1')
      await assert.rejects(store.adoptCluster('c2'), /for good/)
      const { next } = await restart(t, open, store)
      assert.deepEqual(next.identity, { ...store.identity, clusterId: 'c1' })
    })

    test('refuses a folder that belongs to another broker', async (t) => {
      const { open, store } = await start(t)
      await store.close()
      const options = { ...new TestHost().options(), brokerId: 2 as never }
      await assert.rejects(open(options), /belongs to broker 1, not to broker 2\.$/)
    })

    test('tells how long the oldest write waits', async (t) => {
      const { host, store, log } = await start(t)
      assert.equal(store.usage().oldestPendingMs, 0)
      const durable = persist(store, GROUP, [log.promise(1)])
      host.nowMs = 250
      assert.equal(store.usage().oldestPendingMs, 250)
      assert.ok(store.usage().pendingBytes > 0)
      await durable
      assert.equal(store.usage().oldestPendingMs, 0)
      assert.equal(store.usage().pendingBytes, 0)
    })
  })
}
