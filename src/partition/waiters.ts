/** Readers that wait for the high watermark to pass an offset. Each is one closure; none of them costs a timer here. */
export class Waiters {
  #waiting: { readonly offset: number; readonly wake: () => void }[] = []

  get count(): number {
    return this.#waiting.length
  }

  /** Calls `wake` once, when the high watermark is above `offset` or `wakeAll` is called. Returns a way to stop waiting. */
  add(offset: number, wake: () => void): () => void {
    const entry = { offset, wake }
    this.#waiting.push(entry)
    return () => {
      const index = this.#waiting.indexOf(entry)
      if (index >= 0) this.#waiting.splice(index, 1)
    }
  }

  advanced(highWatermark: number): void {
    if (this.#waiting.length === 0) return
    const ready = this.#waiting
    this.#waiting = []
    for (const entry of ready) {
      if (entry.offset < highWatermark) entry.wake()
      else this.#waiting.push(entry)
    }
  }

  wakeAll(): void {
    const ready = this.#waiting
    this.#waiting = []
    for (const entry of ready) entry.wake()
  }
}
