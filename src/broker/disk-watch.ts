import type { LogStore } from '../storage/log-store.ts'

const INTERVAL_MS = 2_000

/** Looks at the disk's free space now and then, so that writes are refused before the disk refuses them. */
export class DiskWatch {
  readonly #store: Pick<LogStore, 'space'>
  #timer: NodeJS.Timeout | undefined
  #freeBytes: number | undefined
  #isFull = false

  constructor(store: Pick<LogStore, 'space'>) {
    this.#store = store
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
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const space = await this.#store.space()
    this.#freeBytes = space.freeBytes
    this.#isFull = space.full
  }
}
