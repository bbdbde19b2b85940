import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import type { KeyValue, Operation, Pair } from '../../src/storage/key-value.ts'
import { IDENTITY_KEY } from '../../src/storage/keys.ts'
import type { RecoveredGroup } from '../../src/storage/log-store.ts'
import { openMemoryStore, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import {
  DamagedEntryError,
  DamagedIndexError,
  DamagedStoreError,
  DataFolderError,
} from '../../src/storage/storage-errors.ts'
import type { GroupId } from '../../src/types/ids.ts'
import { applied, bodiesOf, GROUP, OTHER, persist, SampleLog, TestHost } from '../storage/samples.ts'
import { ByteSource } from './byte-source.ts'
import type { FuzzTarget } from './target.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What a group said before the damage. */
interface Written {
  readonly round: number
  readonly bodies: readonly string[]
  /** Chain value at every slot from 0 on. */
  readonly chains: readonly number[]
}

interface WrittenDisk {
  readonly disk: MemoryDisk
  readonly groups: ReadonlyMap<GroupId, Written>
}

/** Several index batches, a cut log, applied rows, a sweep and a tail that the index has not seen. */
async function writeDisk(): Promise<WrittenDisk> {
  const disk: MemoryDisk = {
    journal: new MemoryKeyValue(),
    index: new MemoryKeyValue(),
    identity: new MemoryIdentityFile(),
  }
  const host = new TestHost()
  const tuning = { indexSettleBytes: 300, sweepCountMin: 1, sweepCountMax: 2 }
  const store = await openMemoryStore(disk, host.options(tuning))
  await store.recover()
  const flush = async (): Promise<void> => {
    host.elapse()
    await turn()
  }
  const log = new SampleLog()
  const other = new SampleLog()
  await persist(store, GROUP, [log.promise(1), ...log.write(1, ['a', 'b', 'c'])])
  await persist(store, OTHER, [other.promise(1)])
  await flush()
  await persist(store, GROUP, [log.promise(2, 2), ...log.write(3, ['C', 'D'], 2)])
  store.indexApplied(applied(3))
  await flush()
  for (let round = 2; round <= 5; round++) await persist(store, OTHER, [other.promise(round)])
  await flush()
  await persist(store, GROUP, log.write(5, ['e', 'f'], 2))
  store.indexApplied(applied(5, 4))
  await flush()
  await persist(store, OTHER, other.write(1, ['x'], 5))
  await flush()
  await persist(store, GROUP, log.write(7, ['g'], 2))
  const chainsOf = (of: SampleLog): number[] =>
    Array.from({ length: of.through + 1 }, (_, at) => of.chainAt(at))
  return {
    disk,
    groups: new Map([
      [GROUP, { round: 2, bodies: ['a', 'b', 'C', 'D', 'e', 'f', 'g'], chains: chainsOf(log) }],
      [OTHER, { round: 5, bodies: ['x'], chains: chainsOf(other) }],
    ]),
  }
}

const everything = { from: Buffer.from([0]), below: Buffer.from([0xff]), countMax: 10_000 }

/**
 * What happened to the databases. Of the journal only values change: that keys are missing there shows by their numbers. Whole
 * index batches that a power cut takes are in test/storage/recovery-property.test.ts.
 */
type Damage =
  | { readonly kind: 'value'; readonly database: 'journal' | 'index' }
  | { readonly kind: 'key' | 'swap'; readonly database: 'index' }

const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'value', database: 'journal' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'value', database: 'index' } as const) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('key', 'swap').map((kind) => ({ kind, database: 'index' }) as const),
  },
)

async function spoil(database: MemoryKeyValue, { kind }: Damage, source: ByteSource): Promise<void> {
  const pairs = (await database.scan(everything)).filter(({ key }) => Buffer.compare(key, IDENTITY_KEY) !== 0)
  const { random } = source
  const { key, value } = random.pick(pairs)
  const other: Pair = random.pick(pairs)
  const operations: Operation[] =
    kind === 'value'
      ? [{ type: 'put', key, value: random.chance(0.7) ? source.flip(value) : source.spoil(value) }]
      : kind === 'swap'
        ? [
            { type: 'put', key, value: other.value },
            { type: 'put', key: other.key, value },
          ]
        : [
            { type: 'del', key },
            { type: 'put', key: source.flip(key), value },
          ]
  await database.batch(operations, { sync: true })
}

function expectTyped(error: unknown): void {
  const isTyped =
    error instanceof DamagedStoreError ||
    error instanceof DamagedEntryError ||
    error instanceof DamagedIndexError ||
    error instanceof DataFolderError
  assert.ok(isTyped, error instanceof Error ? error.stack : String(error))
}

/** What was read is what was written; what cannot be read says so. */
async function check(
  store: JournaledStore,
  found: readonly RecoveredGroup[],
  groups: WrittenDisk['groups'],
): Promise<void> {
  assert.deepEqual(found.map(({ group }) => group).sort(), [...groups.keys()].sort())
  for (const recovered of found) {
    const { group, state, applied: done } = recovered
    const written = groups.get(group) as Written
    assert.equal(state.promised.round, written.round, 'A promise is never forgotten in silence.')
    checkTail(recovered, written)
    await checkEntries(store, group, written)
    await tolerate(async () => {
      const marks = await store.readMarks(group, 0, 100)
      const offsets = marks.map((mark) => mark.baseOffset)
      assert.deepEqual(offsets, [...Array(done.nextOffset).keys()], 'No record is skipped in silence.')
    })
    await tolerate(async () => {
      const rows = (await store.recoverRows(group)).map(({ value }) => Buffer.from(value ?? []).toString())
      assert.deepEqual(
        rows,
        done.slot === 0 ? [] : [String(done.slot)],
        'Rows are those of the applied slot.',
      )
    })
  }
}

/** Every slot above the applied one is there as it was written, or is told as damaged by what proves another copy. */
function checkTail({ applied: done, chainAtApplied, tail, damaged }: RecoveredGroup, written: Written): void {
  const { bodies, chains } = written
  assert.equal(chainAtApplied, chains[done.slot])
  for (const { slot, body, chain } of tail) {
    assert.deepEqual([Buffer.from(body).toString(), chain], [bodies[slot - 1], chains[slot]])
  }
  for (const { slot, chain, chainBefore } of damaged) {
    assert.deepEqual([chain, chainBefore], [chains[slot], chains[slot - 1]])
  }
  const told = [...tail, ...damaged].map(({ slot }) => slot).filter((slot) => slot > done.slot)
  assert.deepEqual(
    told.sort((a, b) => a - b),
    Array.from({ length: bodies.length - done.slot }, (_, index) => done.slot + 1 + index),
    'No slot is missing in silence.',
  )
}

/** Reads on behind every entry that says that it is damaged. */
async function checkEntries(store: JournaledStore, group: GroupId, { bodies }: Written): Promise<void> {
  for (let slot = 1; slot <= bodies.length;) {
    let read: readonly string[] = []
    await tolerate(async () => {
      read = await bodiesOf(store, slot, 100, group)
      assert.ok(read.length > 0, 'No slot is missing in silence.')
    })
    assert.deepEqual(read, bodies.slice(slot - 1, slot - 1 + read.length))
    slot += Math.max(1, read.length)
  }
}

async function tolerate(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    expectTyped(error)
  }
}

async function open(disk: {
  readonly journal: KeyValue
  readonly index: KeyValue
  readonly identity: MemoryIdentityFile
}): Promise<void | { readonly store: JournaledStore; readonly found: readonly RecoveredGroup[] }> {
  try {
    const store = await openMemoryStore(disk, new TestHost().options())
    return { store, found: await store.recover() }
  } catch (error) {
    expectTyped(error)
  }
}

/** A start on damaged databases finds everything, or says that something is damaged; it never guesses. */
export const storageTarget: FuzzTarget = {
  name: 'a store with flipped, lost and misplaced bytes',
  boundedCases: 1_500,
  async run({ cases, seed }) {
    const { disk, groups } = await writeDisk()
    let openedCount = 0
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), fc.nat(), async (damages, draw) => {
        const source = new ByteSource(draw)
        const left = { journal: disk.journal.copy(), index: disk.index.copy(), identity: disk.identity }
        for (const one of damages) await spoil(left[one.database], one, source)
        const opened = await open(left)
        if (opened === undefined) return
        openedCount++
        await check(opened.store, opened.found, groups)
      }),
      { numRuns: cases, seed },
    )
    if (cases < 200) return
    const sentence = `${openedCount} of ${cases} damaged stores were opened.`
    assert.ok(openedCount > cases / 20 && openedCount < cases, sentence)
  },
}
