import type { GroupId } from '../types/ids.ts'
import { isDamaged } from './entry-reader.ts'
import { firstSlotOf } from './group-log.ts'
import { groupOf, type Lives } from './lives.ts'
import type { LogIndex } from './log-index.ts'
import type { ScrubResult } from './log-store.ts'
import { TrimmedSlotError } from './storage-errors.ts'
import type { StoreReader } from './store-reader.ts'

/** Read at once, and then paid for with rest. */
const PAGE_BYTES = 512 * 1024
/** What reading an entry costs beside its body, about. */
const ENTRY_BYTES = 64
/** The disk is busy when a write has waited so long; a page waits until it is not, but at most so many times. */
const BUSY_MS = 50
const BUSY_RESTS_MAX = 20

export interface ScrubOptions {
  readonly index: LogIndex
  readonly reader: StoreReader
  readonly lives: Lives
  /** Age of the oldest write that waits for its sync. */
  readonly oldestPendingMs: () => number
  readonly schedule: (run: () => void, delayMs: number) => void
}

/**
 * Reads everything that the journal has to hold, because what nobody reads rots unnoticed until the other copies have, too
 * (consensus 2). It goes by groups, not by journal keys, so a record that is gone is missed as well as one that is wrong; what
 * later records superseded is not looked at. Reads go past LevelDB's cache, at a bounded rate, and give way to writers.
 */
export class Scrub {
  readonly #options: ScrubOptions
  #running: Promise<ScrubResult> | undefined
  #isStopped = false
  #endRest: () => void = () => {}

  constructor(options: ScrubOptions) {
    this.#options = options
  }

  /** One pass; who asks while one is under way hears of that one. */
  run(bytesPerSecondMax: number): Promise<ScrubResult> {
    this.#running ??= this.#run(bytesPerSecondMax).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Ends after the page that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#endRest()
    // Whoever asked for the pass hears of its error.
    await this.#running?.catch(() => {})
  }

  async #run(bytesPerSecondMax: number): Promise<ScrubResult> {
    const result = { entryCount: 0, bytes: 0, damagedCount: 0, damagedPartCount: 0 }
    let unpaidBytes = 0
    for (const group of this.#options.index.groups.keys()) {
      for await (const page of this.#pages(group)) {
        result.entryCount += page.entryCount
        result.bytes += page.bytes
        result.damagedCount += page.damagedCount
        result.damagedPartCount += page.damagedPartCount
        unpaidBytes += page.bytes
        if (unpaidBytes < PAGE_BYTES) continue
        await this.#rest((unpaidBytes / bytesPerSecondMax) * 1_000)
        await this.#waitForCalm()
        unpaidBytes = 0
      }
    }
    return result
  }

  /** A group that is deleted meanwhile ends there; one that is trimmed goes on at its new start. */
  async *#pages(number: GroupId): AsyncGenerator<ScrubResult> {
    const { index, reader } = this.#options
    const group = groupOf(number)
    let from = 0
    for (;;) {
      const log = index.groups.get(number)
      if (log === undefined || this.#isGone(number) || this.#isStopped) return
      from = Math.max(from, firstSlotOf(log))
      if (from > log.through) break
      const slots = await this.#unlessGone(
        number,
        reader.readSlots(group, { from, to: log.through, bytesMax: PAGE_BYTES }),
      )
      if (slots === undefined) continue
      let bytes = slots.length * ENTRY_BYTES
      for (const slot of slots) if (!isDamaged(slot)) bytes += slot.body.length
      from += slots.length
      yield {
        entryCount: slots.length,
        bytes,
        damagedCount: slots.filter(isDamaged).length,
        damagedPartCount: 0,
      }
    }
    const isStateHeld = await this.#unlessGone(number, reader.checkState(group))
    const damagedPartCount = (await this.#unlessGone(number, reader.countDamagedParts(group))) ?? 0
    yield {
      entryCount: 0,
      bytes: ENTRY_BYTES,
      damagedCount: isStateHeld === false ? 1 : 0,
      damagedPartCount,
    }
  }

  /** Undefined when the group was deleted or trimmed while it was read. */
  async #unlessGone<T>(number: GroupId, reading: Promise<T>): Promise<T | undefined> {
    try {
      return await reading
    } catch (error) {
      if (error instanceof TrimmedSlotError || this.#isGone(number)) return undefined
      throw error
    }
  }

  /** The life with this number is over. The index may keep it for a while, and another one may have begun. */
  #isGone(number: GroupId): boolean {
    const { index, lives } = this.#options
    const group = groupOf(number)
    return !index.groups.has(number) || lives.isOver(group) || lives.numberOf(group) !== number
  }

  async #waitForCalm(): Promise<void> {
    for (let rests = 0; rests < BUSY_RESTS_MAX && !this.#isStopped; rests++) {
      if (this.#options.oldestPendingMs() < BUSY_MS) return
      await this.#rest(BUSY_MS)
    }
  }

  async #rest(delayMs: number): Promise<void> {
    if (this.#isStopped || delayMs < 1) return
    await new Promise<void>((resolve) => {
      this.#endRest = resolve
      this.#options.schedule(resolve, delayMs)
    })
  }
}
