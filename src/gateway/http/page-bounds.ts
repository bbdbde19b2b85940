import { duration, wholeNumber } from './query.ts'
import type { Query } from './query.ts'

const LIMIT = { standard: 100, max: 1_000 }
const PAGE_BYTES = { standard: 1024 * 1024, max: 4 * 1024 * 1024 }
const WAIT_MS_MAX = 60_000

export interface PageBounds {
  readonly recordsMax: number
  readonly bytesMax: number
}

/** How large a page may be. Errors: 'invalid-parameter'. */
export function pageBounds(query: Query): PageBounds {
  return {
    recordsMax: wholeNumber(query, 'limit', { min: 1, max: LIMIT.max }) ?? LIMIT.standard,
    bytesMax: wholeNumber(query, 'maxBytes', { min: 1, max: PAGE_BYTES.max }) ?? PAGE_BYTES.standard,
  }
}

/** How long a page waits for its first record. Errors: 'invalid-parameter'. */
export function pageWaitMs(query: Query): number {
  return duration(query, 'wait', WAIT_MS_MAX) ?? 0
}

/** The records of a page as far as they fit: up to both bounds, but one record always. */
export class PageLines {
  readonly #bounds: PageBounds
  readonly lines: string[] = []
  #byteCount = 0
  #isFull = false

  constructor(bounds: PageBounds) {
    this.#bounds = bounds
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Neither bytes nor anything else ended the page before it had all the records that it may have. */
  get hasAllRecords(): boolean {
    return this.lines.length === this.#bounds.recordsMax
  }

  get bytesLeft(): number {
    return Math.max(1, this.#bounds.bytesMax - this.#byteCount)
  }

  get recordsLeft(): number {
    return this.#bounds.recordsMax - this.lines.length
  }

  /** Whether the record has its place in the page. */
  add(line: string): boolean {
    const byteCount = this.#byteCount + Buffer.byteLength(line)
    if (this.hasAllRecords || (this.lines.length > 0 && byteCount > this.#bounds.bytesMax)) {
      this.#isFull = true
      return false
    }
    this.#byteCount = byteCount
    this.lines.push(line)
    this.#isFull = this.hasAllRecords || byteCount >= this.#bounds.bytesMax
    return true
  }
}
