import type { GroupId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Entry } from '../paxos/state.ts'
import { Collector } from './collector.ts'
import { indexedParts } from './group-log.ts'
import { identityPut, openIdentity, type IdentityFile } from './identity.ts'
import { encodeDeletion, encodePersist, encodeStart, partsOf } from './journal-record.ts'
import { JournalWriter, type JournalItem } from './journal-writer.ts'
import type { KeyValue } from './key-value.ts'
import { recordKey } from './keys.ts'
import { FOR_GOOD, groupOf, Lives } from './lives.ts'
import { readMachineRows } from './machine-rows.ts'
import { IndexFlusher } from './index-flusher.ts'
import { IndexGuard } from './index-guard.ts'
import { LogIndex } from './log-index.ts'
import type {
  AppliedState,
  JournalWrite,
  LogStore,
  OffsetMark,
  RecoveredGroup,
  Row,
  ScrubResult,
  StoreIdentity,
  StoreUsage,
} from './log-store.ts'
import { MemoryNotes, type Notes } from './notes.ts'
import { DEFAULT_STORE_TUNING, type StoreOptions, type StoreTuning } from './options.ts'
import { recoverStore, type Recovered } from './recovery.ts'
import { Scrub } from './scrub.ts'
import { indexDamageOf } from './storage-errors.ts'
import { StoreReader } from './store-reader.ts'
import { Sweeper } from './sweeper.ts'

/** The two databases of a store and the copy of its identity beside them. */
export interface StoreFiles {
  readonly journal: KeyValue
  readonly index: KeyValue
  readonly identity: IdentityFile
  /** Default: in memory, gone with the store. */
  readonly notes?: Notes
  /** Puts an empty database in the index's place. Default: its rows are deleted. */
  readonly setIndexAside?: () => Promise<void>
}

/** The one LogStore there is, over LevelDB or its twin in memory. */
export class JournaledStore implements LogStore {
  readonly notes: Notes
  readonly #files: StoreFiles
  readonly #options: StoreOptions
  readonly #tuning: StoreTuning
  readonly #writer: JournalWriter
  readonly #index: LogIndex
  readonly #guard: IndexGuard
  readonly #reader: StoreReader
  readonly #scrub: Scrub
  readonly #flusher: IndexFlusher
  #identity: StoreIdentity
  #assignedLsn = 0
  /** The last durable record that says something of a group, and the one that the start found. */
  #factLsn = 0
  #recoveredLsn = 0
  #cleanLsn = 0
  /** First LSN of every group that is there, also of writes that wait. */
  readonly #births = new Map<GroupId, number>()
  /** What a group is called below: journal and index know the lives of a group by a number each. */
  readonly #lives = new Lives()
  #isRecovered = false
  #isClosed = false
  #failure: Error | undefined

  private constructor(files: StoreFiles, identity: StoreIdentity, options: StoreOptions) {
    this.#files = files
    this.notes = files.notes ?? new MemoryNotes()
    this.#identity = identity
    this.#options = options
    this.#tuning = { ...DEFAULT_STORE_TUNING, ...options.tuning }
    const fail = (error: unknown): void => this.#fail(error)
    this.#index = new LogIndex(files.index, { settleBytes: this.#tuning.indexSettleBytes })
    this.#guard = new IndexGuard(this.#index, {
      setAside: files.setIndexAside,
      warn: (sentence) => options.onWarning?.(sentence),
      fail,
    })
    this.#reader = new StoreReader({
      journal: files.journal,
      index: this.#index,
      guard: this.#guard,
      isRecovered: () => this.#isRecovered,
      lives: this.#lives,
      onDamaged: (report) => options.onDamaged?.(report),
    })
    this.#flusher = new IndexFlusher(this.#index, {
      delayMs: this.#tuning.indexDelayMs,
      batchBytes: this.#tuning.indexBatchBytes,
      schedule: options.schedule,
      onFlushed: () => this.#writer.wake(),
      fail,
    })
    this.#writer = new JournalWriter(files.journal, {
      nowMs: options.nowMs,
      batchBytesMax: this.#tuning.batchBytesMax,
      pendingBytesMax: this.#tuning.pendingBytesMax,
      mayWrite: () => this.#index.pendingBytes <= this.#tuning.indexPendingBytesMax,
      onSync: (info) => options.onSync?.(info),
      onIdle: () => options.onIdle?.(),
      fail,
    })
    this.#scrub = new Scrub({
      index: this.#index,
      reader: this.#reader,
      lives: this.#lives,
      oldestPendingMs: () => this.#writer.oldestPendingMs,
      schedule: options.schedule,
    })
  }

  /** Opens or formats a store. Errors: DamagedStoreError, DataFolderError; the databases are left to the caller then. */
  static async open(files: StoreFiles, options: StoreOptions): Promise<JournaledStore> {
    const identity = await openIdentity(files.journal, files.identity, options)
    return new JournaledStore(files, identity, options)
  }

  get identity(): StoreIdentity {
    return this.#identity
  }

  get durableLsn(): number {
    return this.#factLsn
  }

  get recoveredLsn(): number {
    return this.#recoveredLsn
  }

  get hasForgotten(): boolean {
    return this.#recoveredLsn < this.#cleanLsn
  }

  /** Whether a write is queued or under way. */
  get isSyncing(): boolean {
    return this.#writer.isBusy
  }

  async adoptCluster(clusterId: string): Promise<void> {
    invariant(clusterId.length > 0, 'A cluster id is not empty.')
    const { clusterId: present } = this.#identity
    if (present === clusterId) return
    invariant(present === '', `This store belongs to cluster '${present}' for good.`)
    const identity = { ...this.#identity, clusterId }
    const put = identityPut(identity)
    await this.#write({ operations: [put], bytes: put.value.length, needsSync: true })
    await this.#files.identity.write(identity)
    this.#identity = identity
  }

  async recover(): Promise<readonly RecoveredGroup[]> {
    invariant(!this.#isRecovered, 'A store recovers once.')
    const { journal } = this.#files
    const recovered = await recoverStore(journal, this.#index, (reason) => this.#guard.setAside(reason))
    this.#factLsn = recovered.factLsn
    this.#recoveredLsn = recovered.factLsn
    this.#cleanLsn = await readClean(this.notes, this.#identity.storeId)
    this.#assignedLsn = recovered.lastLsn
    for (const { group: number, born } of this.#index.groups.values()) {
      this.#births.set(number, born)
      this.#lives.found(number)
    }
    for (const [number, { minConfiguration }] of recovered.deleted) {
      this.#lives.found(number)
      this.#lives.end(number, minConfiguration)
    }
    this.#flusher.start(this.#sweeperOf(recovered))
    this.#isRecovered = true
    return recovered.groups.map((found) => ({ ...found, group: groupOf(found.group) }))
  }

  async begin(): Promise<void> {
    this.#checkOpen()
    // A store that has forgotten keeps the proof of it.
    if (!this.hasForgotten) await this.notes.remove('clean')
    const lsn = ++this.#assignedLsn
    const key = recordKey(lsn)
    const value = encodeStart(key)
    await this.#write(
      { operations: [{ type: 'put', key, value }], bytes: value.length, needsSync: true },
      lsn,
      () => this.#index.recordStart(lsn),
    )
  }

  async recoverRows(group: GroupId): Promise<readonly Row[]> {
    return await readMachineRows(this.#files.index, this.#lives.numberOf(group))
  }

  append(write: JournalWrite): void {
    this.#checkOpen()
    const parts = partsOf(write.writes)
    invariant(
      (parts.state?.minConfiguration ?? Infinity) >= this.#lives.minConfigurationOf(write.group),
      `A replica of group ${write.group} that returns votes above the configuration that it retired with.`,
    )
    const group = this.#lives.begin(write.group)
    invariant(
      this.#births.has(group) || parts.state !== undefined,
      `Group ${group} begins with a state record.`,
    )
    if (this.#failure !== undefined) return
    const lsn = ++this.#assignedLsn
    const born = this.#births.get(group) ?? lsn
    this.#births.set(group, born)
    const key = recordKey(lsn)
    const value = encodePersist(key, group, born, parts)
    this.#writer.push({
      operations: [{ type: 'put', key, value }],
      bytes: value.length,
      needsSync: true,
      lsn,
      record: () => {
        this.#factLsn = lsn
        this.#index.recordPersist(group, born, indexedParts(lsn, group, parts))
        this.#flusher.noticeChange()
      },
      onDurable: write.onDurable,
      onFailed: ignore,
    })
  }

  indexApplied(update: AppliedState): void {
    this.#checkOpen()
    const group = this.#lives.numberOf(update.group)
    this.#writer.afterPending(() => {
      this.#index.recordApplied({ ...update, group })
      this.#flusher.noticeChange()
    })
  }

  async deleteGroup(group: GroupId): Promise<void> {
    this.#checkOpen()
    if (this.#lives.isOverForGood(group)) return
    if (this.#lives.isOver(group)) this.#lives.begin(group)
    await this.#end(this.#lives.numberOf(group), FOR_GOOD)
  }

  async retireGroup(group: GroupId, minConfiguration: number): Promise<void> {
    this.#checkOpen()
    invariant(minConfiguration >= 1, 'A replica retires with a configuration.')
    if (!this.#lives.isOver(group)) await this.#end(this.#lives.numberOf(group), minConfiguration)
  }

  async #end(number: GroupId, minConfiguration: number): Promise<void> {
    const born = this.#births.get(number) ?? 0
    this.#births.delete(number)
    this.#lives.end(number, minConfiguration)
    const lsn = ++this.#assignedLsn
    const key = recordKey(lsn)
    const value = encodeDeletion(key, number, born, minConfiguration)
    const deleted = { lsn, born, isFreed: false, minConfiguration }
    const record = (): void => {
      this.#factLsn = lsn
      this.#index.recordDeletion(number, deleted)
      this.#flusher.addDeleted(number, deleted)
    }
    await this.#write(
      { operations: [{ type: 'put', key, value }], bytes: value.length, needsSync: true },
      lsn,
      record,
    )
  }

  async readEntries(
    group: GroupId,
    fromSlot: Slot,
    toSlot: Slot,
    bytesMax: number,
  ): Promise<readonly Entry[]> {
    return await this.#reader.readEntries(group, { from: fromSlot, to: toSlot, bytesMax })
  }

  async readPart(group: GroupId, slot: Slot, part: number): Promise<Uint8Array | undefined> {
    return await this.#reader.readPart(group, { slot, part })
  }

  async scrub(bytesPerSecondMax: number): Promise<ScrubResult> {
    this.#checkOpen()
    return await this.#scrub.run(bytesPerSecondMax)
  }

  async findOffset(group: GroupId, offset: number): Promise<OffsetMark | undefined> {
    return await this.#reader.findOffset(group, offset)
  }

  async findTime(group: GroupId, timeMs: number): Promise<OffsetMark | undefined> {
    return await this.#reader.findTime(group, timeMs)
  }

  async readMarks(group: GroupId, offset: number, countMax: number): Promise<readonly OffsetMark[]> {
    return await this.#reader.readMarks(group, offset, countMax)
  }

  wasDeleted(group: GroupId): boolean {
    return this.#lives.isOverForGood(group)
  }

  retiredAt(group: GroupId): number {
    return this.#lives.minConfigurationOf(group)
  }

  groupBytes(group: GroupId): number {
    return this.#index.groups.get(this.#lives.numberOf(group))?.bytes ?? 0
  }

  usage(): StoreUsage {
    const { journalBytes, syncCount, syncedWriteCount, oldestPendingMs, pendingBytes } = this.#writer
    return { journalBytes, syncCount, syncedWriteCount, oldestPendingMs, pendingBytes }
  }

  async space(): Promise<{ readonly freeBytes: number; readonly full: boolean }> {
    return (await this.#options.space?.()) ?? { freeBytes: Number.MAX_SAFE_INTEGER, full: false }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#scrub.stop()
    await this.#flusher.stop(() => this.#writer.drained())
    await this.#files.journal.close()
    await this.#files.index.close()
    if (this.#isRecovered && this.#failure === undefined && !this.hasForgotten) await this.#noteEnd()
  }

  /** Without this note the next start knows less, and is as after a crash. */
  async #noteEnd(): Promise<void> {
    try {
      await this.notes.write('clean', { storeId: this.#identity.storeId, walSeq: this.durableLsn })
    } catch (error) {
      this.#options.onWarning?.(`Where the journal ended could not be noted (${String(error)}).`)
    }
  }

  #sweeperOf({ floor, deleted, lastLsn }: Recovered): Sweeper {
    const collector = new Collector(this.#files.journal, this.#index, floor, {
      ...this.#options,
      tuning: this.#tuning,
      census: () => ({ groupCount: this.#births.size, lastLsn: this.#assignedLsn }),
      durableLsn: () => Math.max(lastLsn, this.#writer.durableLsn),
      oldestPendingMs: () => this.#writer.oldestPendingMs,
      write: (item) => this.#write(item),
      onChange: () => this.#flusher.noticeChange(),
      onStopped: (error) => {
        if (indexDamageOf(error) === undefined) this.#fail(error)
        else this.#guard.notice(error)
      },
    })
    const unfreed = new Map([...deleted].filter(([, row]) => !row.isFreed))
    return new Sweeper(this.#index, collector, { unfreed, deleteCountMax: this.#tuning.sweepCountMax })
  }

  #write(
    item: Pick<JournalItem, 'operations' | 'bytes' | 'needsSync'>,
    lsn = 0,
    record: () => void = ignore,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writer.push({ ...item, lsn, record, onDurable: resolve, onFailed: reject })
    })
  }

  #checkOpen(): void {
    invariant(this.#isRecovered, 'A store recovers before it is written to.')
    invariant(!this.#isClosed, 'A closed store takes no more writes.')
  }

  #fail(reason: unknown): void {
    if (this.#failure !== undefined) return
    const error = reason instanceof Error ? reason : new Error(String(reason))
    this.#failure = error
    this.#writer.stop(error)
    this.#flusher.abandon()
    this.#guard.notice(error)
    this.#options.onFailure(error)
  }
}

/** Where the journal ended when this store was closed in good order; 0 when it was not. */
async function readClean(notes: Notes, store: string): Promise<number> {
  const { storeId, walSeq } = ((await notes.read('clean')) ?? {}) as Record<string, unknown>
  return storeId === store && typeof walSeq === 'number' ? walSeq : 0
}

function ignore(): void {}
