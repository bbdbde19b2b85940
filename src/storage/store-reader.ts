import type { Entry } from '../paxos/state.ts'
import type { GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { isDamaged, readSlots, readValue, type LogSource, type ReadSlot } from './entry-reader.ts'
import { firstSlotOf, type GroupLog } from './group-log.ts'
import type { IndexGuard } from './index-guard.ts'
import { decodeRecord } from './journal-record.ts'
import type { Lives } from './lives.ts'
import type { KeyValue } from './key-value.ts'
import { recordKey } from './keys.ts'
import type { LogIndex } from './log-index.ts'
import type { DamageReport, OffsetMark } from './log-store.ts'
import { findOffset, findTime, readMarks } from './mark-reader.ts'
import type { SlotRange } from './run-reader.ts'
import { readPart, type PartPlace } from './part-reader.ts'
import { DamagedEntryError, groupGone, TrimmedSlotError } from './storage-errors.ts'

export interface StoreReaderOptions {
  readonly journal: KeyValue
  readonly index: LogIndex
  readonly guard: IndexGuard
  readonly isRecovered: () => boolean
  readonly lives: Lives
  readonly onDamaged: (report: DamageReport) => void
}

/** Reads of a running store. What they find damaged is told, and never handed out. */
export class StoreReader {
  readonly #options: StoreReaderOptions

  constructor(options: StoreReaderOptions) {
    this.#options = options
  }

  /** A read that raced with a deletion, a trim or a cut found rows gone: that is no damage. */
  async #read<T>(group: GroupId, whenUnknown: T, read: (log: GroupLog) => Promise<T>): Promise<T> {
    const { index, guard, isRecovered, lives } = this.#options
    invariant(isRecovered(), 'A store recovers before it is read.')
    if (lives.isOver(group)) throw groupGone(group)
    const number = lives.numberOf(group)
    const log = index.groups.get(number)
    if (log === undefined) return whenUnknown
    const firstSlot = firstSlotOf(log)
    for (;;) {
      const { cutLsn } = log
      try {
        return await read(log)
      } catch (error) {
        if (lives.isOver(group) || lives.numberOf(group) !== number) throw groupGone(group, error)
        if (firstSlotOf(log) !== firstSlot)
          throw new TrimmedSlotError(group, firstSlotOf(log), { cause: error })
        // What is not chosen may be replaced while it is read: then it is read as it is now.
        if (log.cutLsn !== cutLsn && error instanceof DamagedEntryError) continue
        guard.notice(error)
        throw error
      }
    }
  }

  /** As `LogStore.readEntries`. */
  async readEntries(group: GroupId, range: SlotRange): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    for (const slot of await this.readSlots(group, range)) {
      if (!isDamaged(slot)) {
        entries.push(slot)
        continue
      }
      if (entries.length === 0) throw new DamagedEntryError(group, slot.slot, 'it fails its checksum')
      break
    }
    return entries
  }

  /** Everything in the range, damaged or not; the damaged ones are told. */
  async readSlots(group: GroupId, range: SlotRange): Promise<readonly ReadSlot[]> {
    return await this.#read(group, [], async (log) => {
      const firstSlot = firstSlotOf(log)
      if (range.from < firstSlot) throw new TrimmedSlotError(group, firstSlot)
      const { cutLsn } = log
      const slots = await readSlots(this.#sourceOf(log), range)
      const damaged = slots.filter(isDamaged)
      const [first] = damaged
      if (first === undefined) return slots
      if (log.cutLsn !== cutLsn) throw new DamagedEntryError(group, first.slot, 'it was replaced meanwhile')
      if (firstSlotOf(log) !== firstSlot) throw new TrimmedSlotError(group, firstSlotOf(log))
      this.#tell({ group, entries: damaged, isStateLost: false })
      return slots
    })
  }

  /** As `LogStore.readPart`. */
  async readPart(group: GroupId, place: PartPlace): Promise<Uint8Array | undefined> {
    const { journal, index } = this.#options
    return await this.#read(group, undefined, (log) => readPart(journal, index, log, place))
  }

  /** How many parts of the checkpoints that the state record names cannot be read. */
  async countDamagedParts(group: GroupId): Promise<number> {
    return await this.#read(group, 0, async (log) => {
      let count = 0
      const named = log.state === undefined ? [] : [log.state.logStart, ...log.state.checkpoints]
      for (const { slot, partCount } of named) {
        for (let part = 0; part < partCount; part++)
          if (!(await this.#isPartWhole(log, { slot, part }))) count++
      }
      return count
    })
  }

  /** A part that went with a checkpoint that is named no more is not missed. */
  async #isPartWhole(log: GroupLog, place: PartPlace): Promise<boolean> {
    const { journal, index, guard } = this.#options
    try {
      if ((await readPart(journal, index, log, place)) !== undefined) return true
    } catch (error) {
      if (!(error instanceof DamagedEntryError)) throw error
      guard.notice(error)
    }
    const { state } = log
    return (
      state === undefined || ![state.logStart, ...state.checkpoints].some(({ slot }) => slot === place.slot)
    )
  }

  async findOffset(group: GroupId, offset: number): Promise<OffsetMark | undefined> {
    return await this.#read(group, undefined, (log) => findOffset(this.#options.index, log, offset))
  }

  async findTime(group: GroupId, timeMs: number): Promise<OffsetMark | undefined> {
    return await this.#read(group, undefined, (log) => findTime(this.#options.index, log, timeMs))
  }

  async readMarks(group: GroupId, offset: number, countMax: number): Promise<readonly OffsetMark[]> {
    return await this.#read(group, [], (log) => readMarks(this.#options.index, log, offset, countMax))
  }

  /** Whether the journal still holds the newest state record, as the index says it does. */
  async checkState(group: GroupId): Promise<boolean> {
    return await this.#read(group, true, async (log) => {
      const { stateLsn } = log
      const key = recordKey(stateLsn)
      const value = await readValue(this.#options.journal, key)
      const record = value === undefined ? undefined : decodeRecord(key, value)
      const isHeld = record?.kind === 'persist' && record.group === log.group && record.state !== undefined
      // A newer one was written meanwhile: then the older may have left the journal.
      if (isHeld || log.stateLsn !== stateLsn) return true
      this.#tell({ group, entries: [], isStateLost: true })
      return false
    })
  }

  #tell(report: DamageReport): void {
    if (!this.#options.lives.isOver(report.group)) this.#options.onDamaged(report)
  }

  #sourceOf(log: GroupLog): LogSource {
    const { journal, index } = this.#options
    return { journal, index, log }
  }
}
