import { SynodError } from '../../errors.ts'

const RETRY_AFTER_MS = 1_000

/**
 * Bytes of produces that are being stored. What comes beyond the bound is refused before its body is looked at, on a connection
 * that stays: at several times the capacity refusing must cost far less than storing, and what was let in must not wait behind
 * all the rest.
 */
export class Admission {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** One that is larger than the bound is let in alone. Errors: 'overloaded'. */
  check(byteCount: number): void {
    if (this.#bytes > 0 && this.#bytes + byteCount > this.#bytesMax)
      throw new SynodError('overloaded', `${this.#bytes} bytes are being stored, and no more are taken.`, {
        retryAfterMs: RETRY_AFTER_MS,
      })
  }

  /** Returns what has to leave. Errors: as `check`. */
  enter(byteCount: number): number {
    this.check(byteCount)
    this.#bytes += byteCount
    return byteCount
  }

  leave(byteCount: number): void {
    this.#bytes -= byteCount
  }
}
