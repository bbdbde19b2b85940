import { invariant } from '../../../types/invariant.ts'
import type { RecordDraft } from '../../../types/record.ts'

/** A record on its way from its line to its receipt. */
export interface Entry {
  /** The number of its line. */
  readonly line: number
  readonly byteCount: number
  readonly draft: RecordDraft
  /** The receipt, once it is stored. */
  receipt: string | undefined
  /** Why it was not stored, or may not be. */
  error: unknown
}

/** Records without an answer, in the order of their lines. What is answered leaves at the front only. */
export class Receipts {
  #entries: Entry[] = []
  #head = 0
  #byteCount = 0
  #takenCount = 0

  /** How many wait for an answer, or for the answer of one before them. */
  get count(): number {
    return this.#entries.length - this.#head
  }

  /** Bytes of the lines of those that wait. */
  get byteCount(): number {
    return this.#byteCount
  }

  /** Receipts that were taken so far. */
  get takenCount(): number {
    return this.#takenCount
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#byteCount += entry.byteCount
  }

  /** The receipts that are due, a line each, and what their lines had in bytes. */
  takeDue(): { readonly text: string; readonly byteCount: number } {
    let text = ''
    let byteCount = 0
    for (;;) {
      const entry = this.#entries[this.#head]
      if (entry?.receipt === undefined) break
      text += `${entry.receipt}\n`
      byteCount += entry.byteCount
      this.#head++
      this.#takenCount++
    }
    this.#byteCount -= byteCount
    invariant(this.#byteCount >= 0, 'Lines give back the bytes that they took.')
    // Moving what is left down costs less than it saves once half of the list is behind.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return { text, byteCount }
  }

  /** Those that wait, the first without a receipt in front. */
  left(): readonly Entry[] {
    return this.#entries.slice(this.#head)
  }
}
