/**
 * Tells a process that is gone from one that is silent: two refused connections in a row, 50 ms apart, with nothing
 * heard since before the first (consensus 1.9). Anything heard voids what was seen. Who calls it spaces the attempts.
 */
export class RefusalWatch {
  #firstAtMs: number | undefined
  #heardAtMs = -Infinity
  #hasTold = false

  heard(nowMs: number): void {
    this.#heardAtMs = nowMs
  }

  /** A connection was refused. True when this proves that the peer's process is gone; once until it is heard again. */
  refused(nowMs: number): boolean {
    if (this.#firstAtMs === undefined || this.#heardAtMs >= this.#firstAtMs) {
      this.#firstAtMs = nowMs
      this.#hasTold = false
      return false
    }
    if (this.#hasTold) return false
    this.#hasTold = true
    return true
  }

  /** An attempt ended in another way: refusals are not in a row any more. */
  interrupted(): void {
    this.#firstAtMs = undefined
  }
}
