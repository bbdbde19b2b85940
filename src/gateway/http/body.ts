import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { ByteBudget } from './byte-budget.ts'

/** The client went away before its body ended: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

export interface Body {
  readonly bytes: Buffer
  /** Gives the bytes back to the budget. To be called once, when nothing of the request is held any more. */
  release(): void
}

export interface BodyLimits {
  readonly bodyTimeoutMs: number
  readonly bodyGraceMs: number
  readonly bodyBytesPerSecondMin: number
}

export interface BodyBounds {
  readonly bytesMax: number
  /** What to say of a body that is larger. */
  readonly tooLarge: () => SynodError
  /** The client waits for `100 Continue` before it sends. */
  readonly awaitsContinue: boolean
}

interface Reading {
  readonly startedAtMs: number
  byteCount: number
  readonly fail: (error: Error) => void
}

export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** Reads bodies that must end, within bounds of size, time and memory. One for all requests of a gateway. */
export class BodyReader {
  readonly #limits: BodyLimits
  readonly #budget: ByteBudget
  readonly #nowMs: () => number
  /** As many as there are connections, whose number is bounded. */
  readonly #readings = new Set<Reading>()

  constructor(limits: BodyLimits, budget: ByteBudget, nowMs: () => number) {
    this.#limits = limits
    this.#budget = budget
    this.#nowMs = nowMs
  }

  /** Errors: what `tooLarge` says, 'request-timeout', 'overloaded', ClientGone. */
  read(request: IncomingMessage, response: ServerResponse, bounds: BodyBounds): Promise<Body> {
    const declared = request.headers['content-length']
    if (declared !== undefined && Number(declared) > bounds.bytesMax) return Promise.reject(bounds.tooLarge())
    if (bounds.awaitsContinue) response.writeContinue()
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const settle = (): void => {
        this.#readings.delete(reading)
        request.off('data', take).off('end', end).off('close', gone).off('error', gone)
      }
      const fail = (error: Error): void => {
        settle()
        this.#budget.give(reading.byteCount)
        reject(error)
      }
      const reading: Reading = { startedAtMs: this.#nowMs(), byteCount: 0, fail }
      const take = (chunk: Buffer): void => {
        if (reading.byteCount + chunk.byteLength > bounds.bytesMax) return fail(bounds.tooLarge())
        if (!this.#budget.take(chunk.byteLength)) return fail(this.#overloaded())
        reading.byteCount += chunk.byteLength
        chunks.push(chunk)
      }
      const end = (): void => {
        settle()
        const [first] = chunks
        const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)
        resolve({ bytes, release: () => this.#budget.give(reading.byteCount) })
      }
      const gone = (): void => fail(new ClientGone('The client went away before its body ended.'))
      this.#readings.add(reading)
      request.on('data', take).on('end', end).on('close', gone).on('error', gone)
      // A body that broke off while nobody listened emits nothing more.
      if (request.destroyed && !request.readableEnded) gone()
    })
  }

  /** Ends the readings of clients that are too slow. To be called about every second. */
  sweep(): void {
    const nowMs = this.#nowMs()
    for (const reading of this.#readings) {
      const elapsedMs = nowMs - reading.startedAtMs
      if (elapsedMs < this.#limits.bodyTimeoutMs && !this.#isTooSlow(reading, elapsedMs)) continue
      const detail = `The body did not end: ${reading.byteCount} bytes came in ${Math.round(elapsedMs)} ms.`
      reading.fail(
        new SynodError('request-timeout', detail, {
          hint: `Send the whole body within ${this.#limits.bodyTimeoutMs} ms and without long pauses.`,
        }),
      )
    }
  }

  get readingCount(): number {
    return this.#readings.size
  }

  #isTooSlow(reading: Reading, elapsedMs: number): boolean {
    const countedMs = elapsedMs - this.#limits.bodyGraceMs
    return countedMs > 0 && reading.byteCount < (countedMs / 1000) * this.#limits.bodyBytesPerSecondMin
  }

  #overloaded(): SynodError {
    return new SynodError(
      'overloaded',
      `All ${this.#budget.bytesMax} bytes for requests under way are taken.`,
    )
  }
}
