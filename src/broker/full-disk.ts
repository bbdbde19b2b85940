import { handOverAll, type HandOverParts } from './hand-over.ts'

/** Between two rounds of handing over while the disk is full: groups are elected anew, and others come into sync. */
const AGAIN_MS = 500
/** So long writes are taken while others take over; what comes in meanwhile fits in what is kept free. */
const GRACE_MS = 2_000

export interface FullDiskOptions extends HandOverParts {
  warn(sentence: string): void
  fatal(error: unknown): void
}

/**
 * What a broker does while its disk is nearly full: it says so in its heartbeats, hands its leaderships to whoever has room
 * (consensus 1.13), and refuses writes in what is left to it. It goes on voting: what others lead needs little room, and the
 * rest of the disk is kept for it.
 */
export class FullDisk {
  readonly #options: FullDiskOptions
  #isFull = false
  #isStopped = false
  /** Of the time without room: since when it lasts, and whether everything was offered to the others once. */
  #sinceMs = 0
  #isOffered = false
  #isHandingOver = false
  #timer: { cancel(): void } | undefined

  constructor(options: FullDiskOptions) {
    this.#options = options
  }

  /** Whether what this broker leads takes no records: nobody was there to take it over, or it was elected all the same. */
  get refusesWrites(): boolean {
    return this.#isFull && (this.#isOffered || this.#nowMs() >= this.#sinceMs + GRACE_MS)
  }

  /** What the last look at the disk has shown. */
  seen(isFull: boolean): void {
    const { heartbeats, warn } = this.#options
    if (isFull === this.#isFull || this.#isStopped) return
    this.#isFull = isFull
    this.#isOffered = false
    this.#sinceMs = this.#nowMs()
    heartbeats.setFull(isFull)
    warn(
      isFull
        ? 'The disk is nearly full: what this broker leads goes to others, and where none can lead writes are refused.'
        : 'The disk has room again.',
    )
    if (isFull && !this.#isHandingOver) this.#handOver()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #handOver(): void {
    this.#timer?.cancel()
    if (!this.#isFull || this.#isStopped) return
    this.#isHandingOver = true
    handOverAll(this.#options).then(
      () => {
        this.#isHandingOver = false
        this.#isOffered = this.#isFull
        if (!this.#isStopped) this.#timer = this.#options.loop.clock.later(() => this.#handOver(), AGAIN_MS)
      },
      (error: unknown) => this.#options.fatal(error),
    )
  }

  #nowMs(): number {
    return this.#options.loop.clock.nowMs()
  }
}
