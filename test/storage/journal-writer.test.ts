import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryDisk, openMemoryStore } from '../../src/storage/memory-log-store.ts'
import { JournalWriter, type JournalItem } from '../../src/storage/journal-writer.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { Operation } from '../../src/storage/key-value.ts'
import { recordKey } from '../../src/storage/keys.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import { crashingFiles } from './crashing-disk.ts'
import { applied, GROUP, OTHER, persist, SampleLog, TestHost } from './samples.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function start(tuning: Partial<StoreTuning> = {}) {
  const files = crashingFiles(memoryDisk())
  const host = new TestHost()
  const store = await openMemoryStore(files, host.options(tuning))
  await store.recover()
  const log = new SampleLog()
  await persist(store, GROUP, [log.promise(1)])
  return { files, host, store, log }
}

test('latches the first failed write, tells it once and confirms nothing after it', async () => {
  const { files, host, store, log } = await start()
  const error = new Error('EIO')
  files.journal.failWith = error
  const confirmed: string[] = []
  store.append({ group: GROUP, writes: log.write(1, ['a']), onDurable: () => confirmed.push('a') })
  await turn()
  files.journal.failWith = undefined
  store.append({ group: GROUP, writes: log.write(2, ['b']), onDurable: () => confirmed.push('b') })
  await assert.rejects(store.deleteGroup(OTHER), /EIO/)
  await assert.rejects(store.adoptCluster('c'), /EIO/)
  await turn()
  assert.deepEqual(confirmed, [])
  assert.deepEqual(host.failures, [error])
  assert.equal(store.durableLsn, 1)
  await store.close()
})

test('rejects a deletion that was waiting when the journal failed', async () => {
  const { files, store } = await start()
  files.journal.failWith = new Error('EIO')
  await assert.rejects(store.deleteGroup(OTHER), /EIO/)
})

test('stops at a failed write of the index too', async () => {
  const { files, host, store, log } = await start()
  await persist(store, GROUP, log.write(1, ['a']))
  files.index.failWith = new Error('index EIO')
  host.elapse()
  await turn()
  assert.deepEqual(
    host.failures.map((error) => error.message),
    ['index EIO'],
  )
  let isConfirmed = false
  store.append({ group: GROUP, writes: log.write(2, ['b']), onDurable: () => (isConfirmed = true) })
  await turn()
  assert.equal(isConfirmed, false)
})

test('never splits a persist and keeps a batch within its bound', async () => {
  const { files, store, log } = await start({ batchBytesMax: 300 })
  const before = files.journal.written.length
  const writes = Array.from({ length: 6 }, (_, index) =>
    persist(store, GROUP, log.write(1 + index, ['x'.repeat(40)])),
  )
  const large = persist(store, GROUP, log.write(7, ['y'.repeat(1_000), 'z'.repeat(1_000)]))
  await Promise.all([...writes, large])
  const sizes = files.journal.written.slice(before).map(({ operations }) => operations.map(valueBytes))
  assert.deepEqual(
    sizes.map((batch) => batch.length),
    [2, 2, 2, 1],
  )
  assert.ok((sizes.at(-1)?.[0] ?? 0) > 2_000)
})

test('fails when more waits for the disk than its bound', async () => {
  const { files, host, store, log } = await start({ pendingBytesMax: 2_000 })
  files.journal.batch = () => new Promise(() => {})
  store.append({ group: GROUP, writes: log.write(1, ['x'.repeat(1_500)]), onDurable: () => {} })
  await turn()
  store.append({ group: GROUP, writes: log.write(2, ['x'.repeat(1_500)]), onDurable: () => {} })
  assert.match(host.failures[0]?.message ?? '', /^The disk does not keep up/)
})

test('holds the journal back while too much of the index waits in memory', async () => {
  const { files, store, log } = await start({ indexPendingBytesMax: 1_000, indexBatchBytes: 500 })
  let finish: () => void = () => {}
  const held = new Promise<void>((resolve) => (finish = resolve))
  const real = files.index.batch.bind(files.index)
  files.index.batch = async (operations, options) => {
    await held
    await real(operations, options)
  }
  let durableCount = 0
  for (let slot = 1; slot <= 40; slot++) {
    store.append({ group: GROUP, writes: log.write(slot, ['a']), onDurable: () => durableCount++ })
    await turn()
  }
  assert.ok(durableCount < 30, `${durableCount} of 40 went through`)
  finish()
  for (let round = 0; round < 40; round++) await turn()
  assert.equal(durableCount, 40)
})

test('lets applied state wait for the journal writes before it', async () => {
  const { store, log } = await start()
  const durable = persist(store, GROUP, log.write(1, ['a']))
  store.indexApplied(applied(1))
  assert.equal(await store.findOffset(GROUP, 0), undefined)
  await durable
  assert.equal((await store.findOffset(GROUP, 0))?.slot, 1)
})

test('reports how long each sync took', async () => {
  const infos: unknown[] = []
  let nowMs = 0
  const journal = new MemoryKeyValue()
  const real = journal.batch.bind(journal)
  journal.batch = async (operations, options) => {
    nowMs += 7
    await real(operations, options)
  }
  const writer = new JournalWriter(journal, {
    nowMs: () => nowMs,
    batchBytesMax: 100,
    pendingBytesMax: 100,
    mayWrite: () => true,
    onSync: (info) => infos.push(info),
    onIdle: () => {},
    fail: assert.fail,
  })
  const put: Operation = { type: 'put', key: recordKey(1), value: Buffer.from('v') }
  const item: JournalItem = {
    operations: [put],
    bytes: 10,
    needsSync: true,
    lsn: 1,
    record: () => {},
    onDurable: () => {},
    onFailed: assert.fail,
  }
  writer.push(item)
  writer.push({ ...item, lsn: 2 })
  await writer.drained()
  assert.deepEqual(infos, [{ durationMs: 7, writeCount: 2, bytes: 20 }])
})

function valueBytes(operation: Operation): number {
  return operation.type === 'put' ? operation.value.length : 0
}
