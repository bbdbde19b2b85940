import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JournaledStore } from '../../src/storage/journaled-store.ts'
import type { RecoveredGroup } from '../../src/storage/log-store.ts'
import { memoryDisk, type MemoryDisk } from '../../src/storage/memory-log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { StoreTuning } from '../../src/storage/options.ts'
import type { Entry, StateRecord } from '../../src/paxos/state.ts'
import type { Write } from '../../src/paxos/effects.ts'
import { groupId, slot, type GroupId } from '../../src/types/ids.ts'
import { crashingFiles, type CrashingFiles } from './crashing-disk.ts'
import { bodiesOf, persist, SampleLog, TestHost } from './samples.ts'

type Loss = 'nothing' | 'end' | 'holes' | 'unsettled' | 'folder'
type Command =
  | {
      readonly kind: 'append' | 'overwrite' | 'adopt'
      readonly group: number
      readonly at: number
      readonly count: number
    }
  | { readonly kind: 'promise' | 'cut' | 'apply'; readonly group: number; readonly at: number }
  | { readonly kind: 'delete' | 'retire' | 'lost'; readonly group: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'crash'; readonly loss: Loss; readonly pattern: number }

/** How far between what is applied and the end of the log. */
const part = fc.integer({ min: 0, max: 4 }).map((quarters) => quarters / 4)
const group = fc.integer({ min: 1, max: 3 })
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      group,
      at: part,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('overwrite' as const, 'adopt' as const),
      group,
      at: part,
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('promise' as const, 'cut' as const), group, at: part }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('apply' as const), group, at: part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lost' as const, 'delete' as const), group }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retire' as const), group }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'flush' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      loss: fc.constantFrom<Loss>('nothing', 'end', 'holes', 'holes', 'unsettled', 'folder'),
      pattern: fc.noBias(fc.integer({ min: 0, max: 0x3fffffff })),
    }),
  },
)

/** Everything small, so that short runs flush, settle, sweep and page. */
const TUNING: Partial<StoreTuning> = {
  indexSettleBytes: 700,
  sweepCountMin: 1,
  sweepCountMax: 3,
  sweepWindowBytes: 600,
}

class ModelGroup {
  readonly log = new SampleLog()
  round = 1
  state: StateRecord | undefined
  entries: Entry[] = []
  applied = 0
  /** Machine rows after each slot that an update ended with. */
  readonly rowsAt = new Map<number, string>([[0, '']])
  readonly rows = new Map<string, string>()
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class Run {
  readonly groups = new Map<GroupId, ModelGroup>()
  readonly deleted = new Set<GroupId>()
  /** The configuration that a replica retired with; it may come back. */
  readonly retired = new Map<GroupId, number>()
  store!: JournaledStore
  #disk: MemoryDisk = memoryDisk()
  #files!: CrashingFiles
  #host!: TestHost

  async start(): Promise<readonly RecoveredGroup[]> {
    this.#files = crashingFiles(this.#disk)
    this.#host = new TestHost()
    this.store = await JournaledStore.open(this.#files, this.#host.options(TUNING))
    return await this.store.recover()
  }

  async obey(command: Command): Promise<void> {
    if (command.kind === 'flush') {
      this.#host.elapse()
      await turn()
      return
    }
    if (command.kind === 'crash') return await this.crash(command.loss, command.pattern)
    const id = groupId(command.group)
    if (this.deleted.has(id)) return
    const model = this.groups.get(id) ?? (await this.create(id))
    const from = (at: number): number =>
      model.applied + Math.round(at * (model.entries.length - model.applied))
    switch (command.kind) {
      case 'append':
        return await this.write(id, model, model.entries.length + 1, command.count, undefined)
      case 'overwrite': {
        const keep = from(command.at)
        return await this.write(id, model, keep + 1, command.count, keep)
      }
      case 'adopt': {
        const keep = from(command.at)
        return await this.write(id, model, keep + 1, command.count, keep + command.count)
      }
      case 'promise':
        return await this.promise(id, model, model.entries.length)
      case 'cut':
        return await this.promise(id, model, from(command.at))
      case 'apply':
        return this.apply(id, model, from(command.at))
      case 'delete':
        this.groups.delete(id)
        this.deleted.add(id)
        return await this.store.deleteGroup(id)
      case 'retire': {
        const number = (this.retired.get(id) ?? 0) + 2
        this.groups.delete(id)
        this.retired.set(id, number)
        return await this.store.retireGroup(id, number)
      }
      case 'lost': {
        const state = { ...model.log.state, through: slot(model.entries.length), minConfiguration: 9 }
        this.store.append({ group: id, writes: [{ kind: 'state', state }], onDurable: () => {} })
        return await this.crash('nothing', 0)
      }
    }
  }

  async create(id: GroupId): Promise<ModelGroup> {
    const model = new ModelGroup()
    const minConfiguration = this.retired.get(id) ?? 0
    assert.equal(this.store.retiredAt(id), minConfiguration)
    model.log.state = { ...model.log.state, minConfiguration }
    this.groups.set(id, model)
    await this.promise(id, model, 0)
    return model
  }

  async promise(id: GroupId, model: ModelGroup, through: number): Promise<void> {
    await persist(this.store, id, [model.log.promise(++model.round, through)])
    model.entries.length = through
    model.state = model.log.state
  }

  /** With `through` a state record that says so comes first, as it must when entries are replaced. */
  async write(
    id: GroupId,
    model: ModelGroup,
    from: number,
    count: number,
    through: number | undefined,
  ): Promise<void> {
    const bodies = Array.from({ length: count }, (_, index) => `${id}:${from + index}:${++model.round}`)
    const entries = model.log.entries(from, bodies, model.round)
    const writes: Write[] = entries.map((entry) => ({ kind: 'entry', entry }))
    if (through !== undefined) {
      const origin = entries[0]?.origin ?? model.log.state.promised
      model.log.state = {
        ...model.log.state,
        promised: origin,
        acceptedBallot: origin,
        through: slot(through),
      }
      model.state = model.log.state
      writes.unshift({ kind: 'state', state: model.state })
    }
    model.entries.length = from - 1
    model.entries.push(...entries)
    await persist(this.store, id, writes)
  }

  apply(id: GroupId, model: ModelGroup, to: number): void {
    if (to <= model.applied) return
    const rows = [`k${to % 5}`, 'last'].map((key) => ({
      key: Buffer.from(key),
      value: Buffer.from(String(to)),
    }))
    const marks = model.entries.slice(model.applied, to).map((entry) => ({
      slot: entry.slot,
      baseOffset: entry.slot - 1,
      recordCount: 1,
      appendedAtMs: 10 * entry.slot,
    }))
    this.store.indexApplied({
      group: id,
      slot: slot(to),
      nextOffset: to,
      lastAppendedAtMs: 10 * to,
      logBytes: 0,
      marks,
      rows,
    })
    for (const row of rows) model.rows.set(row.key.toString(), row.value.toString())
    model.applied = to
    model.rowsAt.set(to, textOf(model.rows))
  }

  async crash(loss: Loss, pattern: number): Promise<void> {
    const { journal, index } = this.#files
    const count = index.written.length
    const isLost = (at: number): boolean =>
      loss === 'end'
        ? at >= count - (pattern % (count + 1))
        : loss === 'holes'
          ? (pattern >> (at % 30)) % 2 === 1
          : loss !== 'nothing'
    const left = [journal.crash(() => false, 0), index.crash(isLost, TUNING.indexSettleBytes ?? 0)] as const
    const [leftJournal, leftIndex] = await Promise.all(left)
    this.#disk = {
      journal: leftJournal,
      index: loss === 'folder' ? new MemoryKeyValue() : leftIndex,
      identity: this.#disk.identity,
    }
    await this.check(await this.start())
  }

  async check(found: readonly RecoveredGroup[]): Promise<void> {
    const ids = found.map((recovered) => recovered.group).sort()
    assert.deepEqual(ids, [...this.groups.keys()].sort(), 'the same groups')
    for (const [id, number] of this.retired) {
      const isAway = !this.groups.has(id) && !this.deleted.has(id)
      assert.equal(this.store.retiredAt(id), isAway ? number : 0)
    }
    for (const recovered of found) {
      const model = this.groups.get(recovered.group) as ModelGroup
      assert.deepEqual(recovered.state, model.state, 'the newest state record')
      const { applied } = recovered
      assert.deepEqual(
        recovered.tail.map((entry) => entry.chain),
        model.entries.slice(applied.slot).map((entry) => entry.chain),
      )
      assert.equal(recovered.chainAtApplied, model.log.chainAt(applied.slot))
      const bodies = await bodiesOf(this.store, 1, 1e6, recovered.group)
      assert.deepEqual(
        bodies,
        model.entries.map((entry) => entry.body.toString()),
      )
      const rows = await this.store.recoverRows(recovered.group)
      const plain = new Map(rows.map((row) => [row.key.toString(), String(row.value)] as const))
      assert.equal(textOf(plain), model.rowsAt.get(applied.slot), `rows as of slot ${applied.slot}`)
      const marks = await this.store.readMarks(recovered.group, 0, 1e6)
      assert.deepEqual(
        marks.map((mark) => mark.slot),
        model.entries.slice(0, applied.slot).map((entry) => entry.slot),
      )
      for (const mark of marks)
        assert.deepEqual(await this.store.findOffset(recovered.group, mark.baseOffset), mark)
      model.applied = applied.slot
      model.rows.clear()
      for (const [key, value] of plain) model.rows.set(key, value)
    }
  }
}

function textOf(rows: ReadonlyMap<string, string>): string {
  return [...rows].sort().join(' ')
}

test(
  'recovers exactly what was durable, whatever a power cut takes of the index',
  { timeout: 120_000 },
  async () => {
    const numRuns = Number(process.env['STORAGE_RUNS'] ?? 150)
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 20, maxLength: 120, size: 'max' }),
        async (commands) => {
          const run = new Run()
          await run.start()
          for (const next of commands) await run.obey(next)
          await run.crash('holes', 0x5a5a5a5)
          await run.crash('folder', 0)
        },
      ),
      { numRuns },
    )
  },
)
