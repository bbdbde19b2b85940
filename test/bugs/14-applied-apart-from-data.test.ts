import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { FIRST_CHAIN, chainEntry } from '../../src/paxos/entry.ts'
import { ENTRY_KIND, initialState, type Entry } from '../../src/paxos/state.ts'
import { encodeBatch } from '../../src/partition/record-batch.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import { JournaledStore } from '../../src/storage/journaled-store.ts'
import { memoryDisk, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { producer, record } from '../partition/entries.ts'
import { crashingFiles, type CrashingFiles } from '../storage/crashing-disk.ts'
import { BROKER, GROUP, STORE, TestHost } from '../storage/samples.ts'

const WINDOW = { dedupWindowMs: 600_000, dedupWindowCount: 1_000 }
/** Small, so that index batches settle within the script. */
const TUNING = { indexSettleBytes: 400, sweepCountMin: 1, sweepCountMax: 3 }
const ORIGIN = { config: 1, round: 1, broker: brokerId(1) }

/** Batches of a producer, some of which come twice: whether one is a duplicate only the applied state tells. */
function scriptedLog(): readonly Entry[] {
  const sequences = [0, 1, 1, 2, 0, 3, 4, 4, 5, 6, 6, 7]
  let chain = FIRST_CHAIN
  return sequences.map((sequence, place) => {
    const body = encodeBatch({
      records: [record(`value ${sequence}`)],
      appendedAtMs: 1_000 + place,
      idempotency: producer('till', 1, sequence),
      expectedOffset: undefined,
    })
    const facts = {
      slot: slot(place + 1),
      kind: ENTRY_KIND.DATA,
      origin: ORIGIN,
      recordCount: 1,
      crc: crc32(body),
    }
    const entry = chainEntry(chain, facts, body, crc32)
    chain = entry.chain
    return entry
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One replica's storage and state machine, as a partition drives them. */
class Replica {
  readonly host = new TestHost()
  readonly files: CrashingFiles
  readonly machine = new RecordMachine(WINDOW)
  store!: JournaledStore
  stored = 0

  constructor(disk: MemoryDisk) {
    this.files = crashingFiles(disk)
  }

  /** Opens what is there, and brings the machine to the end of the log that was found. */
  async start(): Promise<void> {
    this.store = await JournaledStore.open(this.files, this.host.options(TUNING))
    const [found] = await this.store.recover()
    if (found === undefined) return
    this.machine.restore(await this.store.recoverRows(GROUP), found.applied)
    this.stored = found.applied.slot + found.tail.length
    for (const entry of found.tail) this.apply(entry)
  }

  async create(): Promise<void> {
    const voters = [{ broker: BROKER, store: STORE }]
    const state = initialState({ number: 1, voters, learners: [], fromSlot: slot(0) })
    await this.persist([{ kind: 'state', state }])
  }

  persist(writes: Parameters<JournaledStore['append']>[0]['writes']): Promise<void> {
    return new Promise((resolve) => this.store.append({ group: GROUP, writes, onDurable: resolve }))
  }

  apply(entry: Entry): void {
    this.machine.apply(entry)
    const { nextOffset, lastAppendedAtMs, mark } = this.machine
    this.store.indexApplied({
      group: GROUP,
      slot: entry.slot,
      nextOffset,
      lastAppendedAtMs,
      logBytes: 0,
      marks: mark === undefined ? [] : [mark],
      rows: this.machine.takeRows(),
    })
  }

  async flush(): Promise<void> {
    this.host.elapse()
    await turn()
  }

  async *goOn(log: readonly Entry[]): AsyncGenerator<void> {
    if (this.stored === 0) await this.create()
    for (const entry of log.slice(this.stored)) {
      await this.persist([{ kind: 'entry', entry }])
      this.stored = entry.slot
      this.apply(entry)
      yield
      await this.flush()
      yield
    }
  }

  /** What two replicas with the same log must agree on. */
  async digest(): Promise<string> {
    await this.flush()
    const marks = await this.store.readMarks(GROUP, 0, 1_000)
    const rows = await this.store.recoverRows(GROUP)
    const text = rows.map(({ key, value }) => `${hex(key)}=${hex(value ?? new Uint8Array())}`)
    const offsets = marks.map((mark) => `${mark.slot}:${mark.baseOffset}`)
    return [this.machine.nextOffset, ...offsets, ...text].join(' ')
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/*
 * etcd #13766 (PR #13967) and redpanda #29849: how far was applied was saved apart from what was applied, and a crash in
 * between made replicas differ for ever. Here the crash comes at every step of a short script, and takes none, any one or
 * all of the index batches that no sync protects.
 */
test('bug 14: a crash at every boundary of a write leaves what a replica without a crash has', async () => {
  const log = scriptedLog()
  const whole = new Replica(memoryDisk())
  await whole.start()
  for await (const _ of whole.goOn(log));
  const expected = await whole.digest()
  assert.match(expected, /^8 /, 'Eight records of twelve batches are none twice.')
  let crashCount = 0
  for (let boundary = 0; boundary < 2 * log.length; boundary++) {
    const replica = new Replica(memoryDisk())
    await replica.start()
    let step = 0
    for await (const _ of replica.goOn(log)) if (step++ === boundary) break
    const { journal, index } = replica.files
    const batchCount = index.written.length
    for (let lost = -1; lost <= batchCount; lost++) {
      const left: MemoryDisk = {
        ...memoryDisk(),
        identity: replica.files.identity as MemoryDisk['identity'],
        journal: await journal.crash(() => false, 0),
        index: await index.crash((at) => lost === batchCount || at === lost, TUNING.indexSettleBytes),
      }
      const again = new Replica(left)
      await again.start()
      assert.equal(again.stored, replica.stored, 'What was synced is there.')
      for await (const _ of again.goOn(log));
      assert.equal(await again.digest(), expected, `Crash at step ${boundary}, lost index batch ${lost}.`)
      crashCount++
    }
  }
  assert.ok(crashCount > 150, `${crashCount} crashes`)
})

test('bug 14: a replica that lost its whole index has the same state again', async () => {
  const log = scriptedLog()
  const replica = new Replica(memoryDisk())
  await replica.start()
  for await (const _ of replica.goOn(log));
  const expected = await replica.digest()
  const { journal, identity } = replica.files
  const left = {
    journal: await journal.crash(() => false, 0),
    index: new MemoryKeyValue(),
    identity: identity as MemoryDisk['identity'],
  }
  const again = new Replica(left)
  await again.start()
  assert.equal(await again.digest(), expected)
})
