import { emptyIndex } from './index-found.ts'
import type { LogIndex } from './log-index.ts'
import { indexDamageOf } from './storage-errors.ts'

export interface IndexGuardOptions {
  /** Puts an empty database in the index's place and keeps the old one for inspection. Default: its rows are deleted. */
  readonly setAside: (() => Promise<void>) | undefined
  readonly warn: (sentence: string) => void
  readonly fail: (error: unknown) => void
}

/** Sees to it that damage of the index is told and mended: the journal holds all that the index says. */
export class IndexGuard {
  readonly #index: LogIndex
  readonly #options: IndexGuardOptions
  #isDistrusted = false

  constructor(index: LogIndex, options: IndexGuardOptions) {
    this.#index = index
    this.#options = options
  }

  /** During a recovery: replaces the index by an empty one. */
  async setAside(reason: string): Promise<void> {
    this.#options.warn(`The index is set aside and rebuilt from the journal: ${reason}`)
    await (this.#options.setAside?.() ?? emptyIndex(this.#index.base))
  }

  /** When the error is the index's fault, the next start rebuilds it. Until then reads go on, each verified. */
  notice(error: unknown): void {
    const damage = indexDamageOf(error)
    if (damage === undefined || this.#isDistrusted) return
    this.#isDistrusted = true
    this.#options.warn(`The index is damaged and will be rebuilt at the next start: ${damage}`)
    this.#index.distrust().catch((failure: unknown) => this.#options.fail(failure))
  }
}
