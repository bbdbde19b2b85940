import { invariant } from '../../types/invariant.ts'

/** Bytes that may be held at once, over all requests. */
export class ByteBudget {
  readonly bytesMax: number
  /** As many as there are connections, whose number is bounded. */
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(bytesMax: number) {
    invariant(bytesMax > 0, 'A budget holds at least one byte.')
    this.bytesMax = bytesMax
  }

  /** Whether the bytes fitted. They are taken only then. */
  take(byteCount: number): boolean {
    invariant(byteCount >= 0, 'Nobody takes fewer than no bytes.')
    if (this.#taken + byteCount > this.bytesMax) return false
    this.#taken += byteCount
    return true
  }

  give(byteCount: number): void {
    this.#taken -= byteCount
    invariant(this.#taken >= 0, 'Nobody gives back more bytes than were taken.')
    if (byteCount === 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const call of waiting) call()
  }

  /** Calls back once when bytes are given back. Whoever waits may find that others were faster. */
  onRoom(call: () => void): void {
    this.#waiting.add(call)
  }

  offRoom(call: () => void): void {
    this.#waiting.delete(call)
  }

  get takenBytes(): number {
    return this.#taken
  }
}
