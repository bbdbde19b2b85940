import type { GroupId } from '../types/ids.ts'
import type { LogIndex } from './log-index.ts'
import type { DeletedRow } from './rows.ts'
import type { Sweeper } from './sweeper.ts'

export interface IndexFlusherOptions {
  readonly delayMs: number
  readonly batchBytes: number
  readonly schedule: (run: () => void, delayMs: number) => void
  readonly onFlushed: () => void
  readonly fail: (error: unknown) => void
}

/**
 * Decides when the index is written: some time after a change, or at once when much waits. After each batch the sweeper may
 * do one step. A failed index write is as final as one of the journal: LevelDB's state is unknown after it.
 */
export class IndexFlusher {
  readonly #index: LogIndex
  readonly #options: IndexFlusherOptions
  #sweeper: Sweeper | undefined
  #running: Promise<void> | undefined
  #isScheduled = false
  #isStopped = false

  constructor(index: LogIndex, options: IndexFlusherOptions) {
    this.#index = index
    this.#options = options
  }

  /** From now on changes are written. A start that found garbage or deleted groups sweeps soon after its first batch. */
  start(sweeper: Sweeper): void {
    this.#sweeper = sweeper
    if (!this.#index.pending.isEmpty) this.noticeChange()
  }

  addDeleted(group: GroupId, row: DeletedRow): void {
    this.#sweeper?.addDeleted(group, row)
    this.noticeChange()
  }

  /** Something waits in the pending layer. */
  noticeChange(): void {
    if (this.#isStopped || this.#sweeper === undefined) return
    if (this.#index.pending.bytes >= this.#options.batchBytes) return this.#run()
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.schedule(() => {
      this.#isScheduled = false
      if (!this.#isStopped) this.#run()
    }, this.#options.delayMs)
  }

  /** Writes what waits and ends; `drained` resolves when the journal has written everything. */
  async stop(drained: () => Promise<void>): Promise<void> {
    await this.#sweeper?.stop()
    await drained()
    while (this.#running !== undefined) await this.#running
    const isAbandoned = this.#isStopped
    this.#isStopped = true
    if (!isAbandoned && !this.#index.pending.isEmpty) await this.#index.flush()
  }

  /** Writes nothing any more. */
  abandon(): void {
    this.#isStopped = true
  }

  #run(): void {
    if (this.#running !== undefined) return
    this.#running = this.#flushAndSweep().finally(() => {
      this.#running = undefined
      if (!this.#index.pending.isEmpty) this.noticeChange()
    })
  }

  async #flushAndSweep(): Promise<void> {
    try {
      if (!this.#index.pending.isEmpty) await this.#index.flush()
      this.#options.onFlushed()
      if (!this.#isStopped) await this.#sweeper?.step(this.#index.base)
    } catch (error) {
      this.#options.fail(error)
    }
  }
}
