import type { LoopClock } from '../partition/loop.ts'
import type { LogStore } from '../storage/log-store.ts'

const INTERVAL_MS = 2_000

export interface DiskWatchOptions {
  readonly store: Pick<LogStore, 'space'>
  readonly clock: Pick<LoopClock, 'later'>
  /** After each look: whether the disk is nearly full. */
  onLook(isFull: boolean): void
  warn(sentence: string): void
}

/** Looks at the disk's free space now and then, so that writes are refused before the disk refuses them. */
export class DiskWatch {
  readonly #options: DiskWatchOptions
  #timer: { cancel(): void } | undefined
  #freeBytes: number | undefined
  #isFull = false
  #isStopped = false
  #isBlind = false

  constructor(options: DiskWatchOptions) {
    this.#options = options
  }

  /** As of the last look. */
  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  get isFull(): boolean {
    return this.#isFull
  }

  async start(): Promise<void> {
    await this.#look()
    if (this.#isStopped) return
    this.#timer = this.#options.clock.later(() => void this.start(), INTERVAL_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** A disk that does not tell its space is taken as it was: a write that fails ends the broker anyway. */
  async #look(): Promise<void> {
    try {
      const space = await this.#options.store.space()
      this.#freeBytes = space.freeBytes
      this.#isFull = space.full
      this.#isBlind = false
      if (!this.#isStopped) this.#options.onLook(space.full)
    } catch (error) {
      if (!this.#isBlind) this.#options.warn(`The free space of the disk cannot be read (${String(error)}).`)
      this.#isBlind = true
    }
  }
}
