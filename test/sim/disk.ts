import { storeId, type BrokerId, type Replica, type StoreId } from '../../src/types/ids.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import { MemoryNotes } from '../../src/storage/notes.ts'
import { JournaledStore } from '../../src/storage/journaled-store.ts'
import { JOURNAL_TAG, numberOf, recordKey, tagRange } from '../../src/storage/keys.ts'
import type { DamageReport } from '../../src/storage/log-store.ts'
import { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { FaultyDatabase, type DatabaseTiming, type Platter } from './database.ts'
import type { EventQueue } from './event-queue.ts'
import type { Mutant } from './mutants.ts'
import type { Random } from './random.ts'
import { operationOf, rotBody, rotRecord, type RotAtRest } from './rot.ts'
import type { Swarm } from './swarm.ts'
import { TRACED, type Trace } from './trace.ts'

/** What a disk needs of the run that it is part of. */
export interface DiskScene {
  readonly queue: EventQueue
  readonly trace: Trace
  readonly swarm: Pick<Swarm, 'storeTuning' | 'indexLossWeights' | 'diskMeanMs' | 'diskMaxMs'>
  readonly mutant: Pick<Mutant, 'tampersIndex' | 'isDiskLying' | 'altersJournal'>
  /** The phase of faults is over for this disk. */
  readonly isHealed: boolean
  /** How a disk rots between a crash and a start; left out: not at all. */
  readonly rotOf?: (broker: BrokerId) => RotAtRest | undefined
  /** Something asynchronous was begun or answered: it has to come to rest before the next event. */
  stir(): void
}

/** What the disk needs of the process that uses it. */
export interface DiskUser {
  nowMs(): number
  schedule(run: () => void, delayMs: number): void
  onFailure(error: Error): void
  onIdle(): void
  onDamaged(report: DamageReport): void
  whenAwake(run: () => void): void
  /** As the file system tells it; default: as much as anybody could want. */
  space?(): Promise<{ readonly freeBytes: number; readonly full: boolean }>
}

const INDEX_LOSSES = ['nothing', 'end', 'holes', 'unsynced', 'everything'] as const

/**
 * One broker's disk, with the real storage code on it. The journal loses at a power cut any end of what was not synced, the
 * index any of its batches that are not in a synced table (consensus 2, rules J1 and J2). Flipped bits come later, here.
 */
export class Disk {
  private readonly self: Replica
  private readonly scene: DiskScene
  private readonly random: Random
  private identity = new MemoryIdentityFile()
  private notes = new MemoryNotes()
  private readonly journal: Platter = { contents: new MemoryKeyValue() }
  private readonly index: Platter = { contents: new MemoryKeyValue() }
  private databases: { readonly journal: FaultyDatabase; readonly index: FaultyDatabase } | undefined
  private stalledUntilMs = 0
  private copied:
    | { readonly journal: MemoryKeyValue; readonly index: MemoryKeyValue; readonly notes: MemoryNotes }
    | undefined
  private wipeCount = 0
  /** Drawn when it was formatted. */
  storeId: StoreId

  constructor(self: Replica, scene: DiskScene, random: Random) {
    this.self = self
    this.scene = scene
    this.random = random
    this.storeId = self.store
  }

  async open(user: DiskUser): Promise<JournaledStore> {
    const { scene, self } = this
    const { swarm, mutant } = scene
    const { indexSettleBytes } = swarm.storeTuning
    scene.stir()
    if (mutant.tampersIndex !== undefined) await mutant.tampersIndex(this.index.contents)
    const rot = scene.rotOf?.(self.broker)
    if (rot !== undefined && !scene.isHealed) await this.rotAtRest(rot)
    const journal = new FaultyDatabase(this.journal, this.timing(user), {
      settleBytes: Infinity,
      isLying: mutant.isDiskLying === true,
      alters: mutant.altersJournal,
    })
    const index = new FaultyDatabase(this.index, this.timing(user), {
      settleBytes: indexSettleBytes,
      isLying: false,
    })
    this.databases = { journal, index }
    return JournaledStore.open(
      { journal, index, identity: this.identity, notes: this.notes },
      {
        brokerId: self.broker,
        randomStoreId: () => this.storeId,
        nowMs: () => user.nowMs(),
        schedule: (run, delayMs) => user.schedule(run, delayMs),
        onFailure: (error) => user.onFailure(error),
        onIdle: () => user.onIdle(),
        onDamaged: (report) => user.onDamaged(report),
        ...(user.space === undefined ? {} : { space: user.space }),
        tuning: swarm.storeTuning,
      },
    )
  }

  /** Writes of the next `durationMs` come to their end after it. */
  stall(durationMs: number): void {
    this.stalledUntilMs = Math.max(this.stalledUntilMs, this.scene.queue.nowMs + durationMs)
  }

  /** A bit flips in some body that is on the disk. */
  rotLive(): void {
    const { databases, journal, random, scene } = this
    scene.stir()
    void rotBody(journal.contents, random).then((rotten) => {
      if (rotten !== undefined) void databases?.journal.rot(operationOf(rotten))
    })
  }

  private async rotAtRest({ valuesMax, isOfRecords }: RotAtRest): Promise<void> {
    const { random, journal, index, self, scene } = this
    let rottenCount = 0
    for (let left = random.integer(valuesMax + 1); left > 0; left--) {
      const rotten =
        isOfRecords && random.chance(0.5)
          ? await rotRecord({ journal: journal.contents, index: index.contents }, random)
          : await rotBody(journal.contents, random)
      if (rotten === undefined) continue
      await journal.contents.batch([operationOf(rotten)], { sync: true })
      rottenCount++
    }
    scene.trace.note(
      TRACED.FAULT,
      self.broker,
      rottenCount,
      scene.queue.nowMs,
      () => `${rottenCount} values rot on the disk of broker ${self.broker}`,
    )
  }

  /** Writes fail from now on, until the process ends; false when no process uses the disk. */
  breakWith(error: Error): boolean {
    this.databases?.journal.breakWith(error)
    this.databases?.index.breakWith(error)
    return this.databases !== undefined
  }

  /** A disk that was to fail a write and has not yet does so no more: after healing nothing new breaks. */
  heal(): void {
    this.stalledUntilMs = 0
    this.databases?.journal.mend()
    this.databases?.index.mend()
  }

  crash(): void {
    const { databases, random, scene, self } = this
    this.databases = undefined
    if (databases === undefined) return
    const { journal, index } = databases
    const keptOfJournal = random.integer(journal.unsafeCount + 1)
    const loss = this.drawIndexLoss()
    scene.trace.note(TRACED.CRASH, self.broker, keptOfJournal, scene.queue.nowMs, () => {
      return `the disk of broker ${self.broker} keeps ${keptOfJournal} of ${journal.unsafeCount} journal batches; of ${index.unsafeCount} index batches it loses: ${loss}`
    })
    journal.crash((batch) => batch < keptOfJournal)
    const keptOfIndex =
      loss === 'end' ? random.integer(index.unsafeCount + 1) : loss === 'unsynced' ? 0 : Infinity
    index.crash((batch) => batch < keptOfIndex && (loss !== 'holes' || random.chance(0.6)))
    if (loss === 'everything') this.index.contents = new MemoryKeyValue()
  }

  /** The disk is empty and gets a new identity, unless a mutant lets it keep the old one. */
  wipe(keepsStoreId: boolean): void {
    this.journal.contents = new MemoryKeyValue()
    this.index.contents = new MemoryKeyValue()
    this.identity = new MemoryIdentityFile()
    this.notes = new MemoryNotes()
    if (keepsStoreId) return
    const number = (0xff - this.wipeCount++).toString(16).padStart(2, '0')
    this.storeId = storeId(`${'f'.repeat(14)}${number}${this.storeId.slice(16)}`)
  }

  /** As the start of a broker does: a store that was found to have forgotten is not used again, an empty one takes its place. */
  async setAsideOutsider(): Promise<void> {
    const { storeId: replaced } = this
    const { storeId: outsider } = ((await this.notes.read('outsider')) ?? {}) as { readonly storeId?: string }
    if (outsider === replaced) await this.setAside()
  }

  /** An empty store takes the place of this one, and knows that it must not found a cluster. */
  async setAside(): Promise<void> {
    const { storeId: replaced } = this
    this.wipe(false)
    await this.notes.write('replaces', { storeId: replaced })
  }

  /** Remembers what lies on it now. */
  copy(): void {
    const { journal, index, notes } = this
    this.copied = { journal: journal.contents.copy(), index: index.contents.copy(), notes: notes.copy() }
  }

  /** Puts the copy back, when it is older than what others know. */
  async restore(known: number): Promise<boolean> {
    const { copied } = this
    // A copy from before the disk was formatted is an empty disk: that is another harm, `wipe`.
    if (copied === undefined || copied.journal.pairCount === 0) return false
    if ((await lastRecord(copied.journal)) >= known) return false
    this.journal.contents = copied.journal
    this.index.contents = copied.index
    this.notes = copied.notes
    return true
  }

  /** Of the journal only records up to `keptLsn` are there, though more were confirmed; the index may be as it was. */
  async loseEnd(keptLsn: number, losesIndex: boolean): Promise<boolean> {
    const { contents } = this.journal
    if (keptLsn < 1 || (await lastRecord(contents)) <= keptLsn) return false
    const { below } = RECORDS
    const lost = await contents.scan({
      from: recordKey(keptLsn + 1),
      below,
      countMax: Number.MAX_SAFE_INTEGER,
    })
    await contents.batch(
      lost.map(({ key }) => ({ type: 'del', key })),
      { sync: true },
    )
    if (losesIndex) this.index.contents = new MemoryKeyValue()
    return true
  }

  private drawIndexLoss(): (typeof INDEX_LOSSES)[number] {
    const { indexLossWeights } = this.scene.swarm
    // Which records rotted is known from the index alone: without it the whole store would be damaged.
    const mayLoseAll = this.scene.rotOf?.(this.self.broker)?.isOfRecords !== true
    let left = this.random.next() * indexLossWeights.reduce((sum, weight) => sum + weight, 0)
    for (const [place, loss] of INDEX_LOSSES.entries()) {
      left -= indexLossWeights[place] ?? 0
      if (left < 0) return loss === 'everything' && !mayLoseAll ? 'nothing' : loss
    }
    return 'nothing'
  }

  /** Each database writes one batch after the other. */
  private timing(user: DiskUser): DatabaseTiming {
    const { scene, random } = this
    const { queue, swarm } = scene
    let freeAtMs = 0
    return {
      afterWrite: (run) => {
        const latencyMs = scene.isHealed ? 1 : Math.min(swarm.diskMaxMs, random.exponential(swarm.diskMeanMs))
        freeAtMs = Math.max(freeAtMs, queue.nowMs + latencyMs, scene.isHealed ? 0 : this.stalledUntilMs)
        queue.after(freeAtMs - queue.nowMs, run)
      },
      resume: (run) => user.whenAwake(run),
      stir: () => scene.stir(),
    }
  }
}

const RECORDS = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)

async function lastRecord(journal: MemoryKeyValue): Promise<number> {
  const [last] = await journal.scan({ ...RECORDS, reverse: true, countMax: 1 })
  return last === undefined ? 0 : numberOf(last.key)
}
